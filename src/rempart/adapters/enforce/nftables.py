"""The kernel's part: one table of ours, changed by transactions, read back; containing needs no program to start.

Containing goes first and alone, as one raw netlink message (0.08 ms measured against 0.4 ms through libnftables and
8 ms through the nft program); everything else follows in one libnftables transaction. Neighbours' tables are never
named.
"""

import json
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nftables import Nftables

from rempart.containment.holdings import Holdings, Trial, cut, enforcement, holdings
from rempart.containment.measure import Enforcement
from rempart.containment.render.nftables import CONTAINED_FLAG, TABLE, changes, layout, ruleset
from rempart.errors import EnforcementFailed
from rempart.instants import Instant, after, seconds
from rempart.site.opening import OpeningState
from rempart.site.site import Site

_ATTEMPTS = 3
"""An element may end by its own timeout between reading and changing it; the change is then worked out again."""


class Kernel:
    """The table of one site in the network namespace in which this object was made. Not for use by two threads."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._layout = layout(site)
        self._nft = Nftables()
        self._nft.set_json_output(True)  # libnftables' own signature
        self._trigger = _Trigger()
        self._asked: tuple[str, ...] = ()

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Bring the table to ``wanted``; it is loaded whole when the kernel holds none of this layout.

        Running connections survive a whole load: their names are in the connections, not in the table.
        Raises EnforcementFailed, InputRefused.
        """
        self._contain(wanted, now)
        target = holdings(self._site, wanted, now)
        self._asked = tuple(wanted.blocked)
        for attempt in range(1, _ATTEMPTS + 1):
            text = self._difference(wanted, target, now)
            if not text:
                return
            fault = self._run(text)
            if not fault:
                return
            if attempt == _ATTEMPTS:
                raise EnforcementFailed(
                    f"the kernel refused the change: {fault}",
                    where="nftables",
                    now="What was in force stays in force. Try again; `rempart status` shows what the kernel holds.",
                )

    def read(self, now: Instant) -> Enforcement:
        """What the table holds. Raises EnforcementFailed when there is no table of this layout."""
        if not self._loaded():
            raise EnforcementFailed(
                "the kernel does not hold this site's table",
                where="nftables",
                now="Somebody removed or replaced it; the guard loads it again.",
            )
        return enforcement(self._site, self._holdings(now), self._asked)

    def _contain(self, wanted: Enforcement, now: Instant) -> None:
        """The cut, before anything else is even worked out. Without a table the whole load that follows does it."""
        marks = cut(self._site, wanted, now)
        if wanted.contained:
            self._trigger.pull(marks | {CONTAINED_FLAG})

    def _difference(self, wanted: Enforcement, target: Holdings, now: Instant) -> str:
        if not self._loaded():
            return ruleset(self._site, wanted, now)
        return changes(self._holdings(now), target, now)

    def _run(self, text: str) -> str:
        """Run one transaction; what the kernel said against it, on one line, or nothing."""
        code, _, complaint = self._nft.cmd(text)
        return " ".join(complaint.split())[:400] if code else ""

    def _loaded(self) -> bool:
        code, _, _ = self._nft.cmd(f"list chain {TABLE} {self._layout}")
        return bool(code == 0)

    def _holdings(self, now: Instant) -> Holdings:
        marks = {int(element["val"]) for element in self._elements("set", "contained")}
        trials = self._verdicts("trial", now)
        return Holdings(
            contained=CONTAINED_FLAG in marks,
            cut=frozenset(marks - {CONTAINED_FLAG}),
            states={mark: state for mark, (state, _) in self._verdicts("state", now).items()},
            trials={
                mark: Trial(state=state, until=until) for mark, (state, until) in trials.items() if until
            },
            blocked=self._targets(("blocked4", "blocked6", "blocked_nets4", "blocked_nets6"), now),
            isolated=self._targets(("isolated4", "isolated6"), now),
        )

    def _verdicts(self, name: str, now: Instant) -> dict[int, tuple[OpeningState, Instant | None]]:
        """Marks of openings with the state whose chain the map sends them to, and until when."""
        return {
            int(element["val"]): (state, _until(element, now))
            for element in self._elements("map", name)
            if (state := _state(element["verdict"]["goto"]["target"]))
        }

    def _targets(self, names: Iterable[str], now: Instant) -> dict[str, Instant | None]:
        return {
            _target(element["val"]): _until(element, now)
            for name in names
            for element in self._elements("set", name)
        }

    def _elements(self, kind: str, name: str) -> Iterator[dict[str, Any]]:
        """The elements of a set or map: `val`, perhaps `expires` in whole seconds, and a map's `verdict`."""
        code, answer, complaint = self._nft.cmd(f"list {kind} {TABLE} {name}")
        if code:
            raise EnforcementFailed(
                f"the kernel does not tell what {name} holds: {' '.join(complaint.split())[:400]}",
                where="nftables",
                now="The table was changed by somebody else; the guard loads it again.",
            )
        listed = next(item[kind] for item in json.loads(answer)["nftables"] if kind in item)
        for element in listed.get("elem", ()):
            key, verdict = element if kind == "map" else (element, None)
            plain = key["elem"] if isinstance(key, dict) and "elem" in key else {"val": key}
            yield {**plain, "verdict": verdict}


def _until(element: Mapping[str, Any], now: Instant) -> Instant | None:
    return after(now, seconds(element["expires"])) if "expires" in element else None


def _state(chain: str) -> OpeningState | None:
    """The state whose chain this is; None for chains that belong to no opening."""
    word = chain.rpartition("_")[0]
    return OpeningState(word) if word in OpeningState.__members__.values() else None


def _target(value: str | Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return value
    return f"{value['prefix']['addr']}/{value['prefix']['len']}"


# -- the raw message ----------------------------------------------------------------------------------------------

_NETLINK_NETFILTER = 12
"""linux/netlink.h; Python's socket module does not name it."""
_BATCH_BEGIN, _BATCH_END = 16, 17
_NEW_ELEMENTS = 10 << 8 | 12
"""NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSETELEM (linux/netfilter/nf_tables.h)."""
_REQUEST, _ACKNOWLEDGE, _CREATE = 0x1, 0x4, 0x400
_NESTED = 0x8000
_INET = 1
_ERROR = 2
_MISSING = 2
"""ENOENT: no such table or set."""


class _Trigger:
    """Puts marks into the containment set by one message, kept encoded."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.settimeout(1.0)
        self._marks: frozenset[int] = frozenset()
        self._message = b""

    def __del__(self) -> None:
        self._socket.close()

    def pull(self, marks: frozenset[int]) -> None:
        """Return once the kernel has them. A missing table is no error here: loading it is what comes next."""
        if marks != self._marks:
            self._marks, self._message = marks, _batch(marks)
        self._socket.send(self._message)
        code = _answer(self._socket)
        if code not in {0, _MISSING}:
            raise EnforcementFailed(
                f"the kernel refused to contain: {os.strerror(code)}",
                where="nftables",
                now="Pull the uplink's cable if it is an emergency, and look at `dmesg`.",
            )


def _batch(marks: Iterable[int]) -> bytes:
    elements = b"".join(
        _nested(1, _nested(1, _attribute(1, struct.pack("=I", mark)))) for mark in sorted(marks)
    )
    table = TABLE.partition(" ")[2]
    body = (
        struct.pack("=BBH", _INET, 0, 0)
        + _attribute(1, table.encode() + b"\0")
        + _attribute(2, b"contained\0")
        + _nested(3, elements)
    )
    subsystem = struct.pack(">BBH", 0, 0, _NEW_ELEMENTS >> 8)
    return (
        _message(_BATCH_BEGIN, _REQUEST, 1, subsystem)
        + _message(_NEW_ELEMENTS, _REQUEST | _ACKNOWLEDGE | _CREATE, 2, body)
        + _message(_BATCH_END, _REQUEST, 3, subsystem)
    )


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)


def _answer(channel: socket.socket) -> int:
    """The errno of the kernel's acknowledgement; 0 when it agreed."""
    try:
        answer = channel.recv(65536)
    except TimeoutError as error:
        raise EnforcementFailed(
            "the kernel did not answer within a second", where="nftables", now="Try again; look at `dmesg`."
        ) from error
    _, kind, _, _, _, code = struct.unpack_from("=IHHIIi", answer)
    return -code if kind == _ERROR else 0
