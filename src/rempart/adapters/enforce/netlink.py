"""The nf_tables messages that must be fast: change sets and maps, lease, and read back, spoken to the kernel directly.

libnftables reads every set of a table before it lists one of them; with 100,000 blocked addresses that is seconds.
Numbers and layouts are those of linux/netfilter/nf_tables.h. Not for use by two threads.
"""

import os
import socket
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from rempart.errors import EnforcementFailed

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10
_BATCH_BEGIN, _BATCH_END, _ERROR, _DONE = 16, 17, 2, 3
_GET_CHAIN, _NEW_ELEMENTS, _GET_ELEMENTS, _DELETE_ELEMENTS, _GET_GENERATION = (
    _SUBSYSTEM << 8 | number for number in (4, 12, 13, 14, 16)
)
_REQUEST, _ACKNOWLEDGE, _INTERRUPTED, _DUMP, _CREATE = 0x1, 0x4, 0x10, 0x300, 0x400
_NESTED = 0x8000
_INET = 1
_INTERVAL_END = 1
_GOTO = struct.pack(">i", -4)
_MISSING = 2
"""ENOENT: no such table, chain or set."""
_PATIENCE = 2.0
"""Seconds to wait for the kernel's answer."""
_MOST = 256
"""Elements in one message, which cannot be longer than 64 KiB (struct nlattr); one has 120 bytes at most."""
_USUAL = 1 << 16
_SO_SNDBUFFORCE = 32
"""asm-generic/socket.h; Python has no name for it."""
_SOL_NETLINK, _NETLINK_CAP_ACK = 270, 10
"""linux/socket.h and linux/netlink.h: a refusal does not repeat the message that it refuses."""
_ANSWER = 1 << 18
"""Bytes of one answer at most."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element as the kernel tells it; ``expires`` in milliseconds, ``chain`` where a verdict map sends to."""

    key: bytes
    chain: str | None
    expires: int | None
    ends_interval: bool


@dataclass(frozen=True, slots=True)
class Member:
    """An element to be: ``lasting`` in milliseconds, None for ever; ``chain`` where a verdict map sends to."""

    lasting: int | None = None
    chain: str | None = None


_PLAIN = Member()


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one set or map: first keys go, which must be there, then members come, by key."""

    gone: Collection[bytes] = ()
    come: Mapping[bytes, Member] = field(default_factory=dict)


class Netlink:
    """A socket to the packet filter of the network namespace in which it was made, for one inet table."""

    def __init__(self, table: str) -> None:
        self._table = table.encode() + b"\0"
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        self._socket.settimeout(_PATIENCE)
        self._sequence = 0

    def __del__(self) -> None:
        self._socket.close()

    def change(self, changes: Mapping[str, Change]) -> bool:
        """Change sets and maps, by name, in one transaction; False when there is no such table, set or key.

        A set's members that are there already stay as they are. Raises EnforcementFailed for any other refusal.
        """
        messages: list[tuple[int, int, bytes]] = []
        for name, change in changes.items():
            gone = map(_element_of, change.gone)
            come = map(_element_of, change.come, change.come.values())
            messages += [(_DELETE_ELEMENTS, 0, body) for body in self._listed(name, gone)]
            messages += [(_NEW_ELEMENTS, _CREATE, body) for body in self._listed(name, come)]
        return self._transaction(*messages)

    def renew(self, elements: Mapping[str, Mapping[bytes, int]]) -> bool:
        """Put elements into sets, by set name: key and milliseconds to live, counted from now whatever was there.

        One transaction; False when there is no such table or set. Each is added, deleted and added again: before
        Linux 6.12 adding alone leaves an old timeout as it was, and deleting fails on what is not there.
        """
        bodies = [
            body
            for name, members in elements.items()
            for body in self._listed(
                name, (_element_of(key, Member(lasting)) for key, lasting in members.items())
            )
        ]
        add, delete = (_NEW_ELEMENTS, _CREATE), (_DELETE_ELEMENTS, 0)
        return self._transaction(
            *((kind, flags, body) for body in bodies for kind, flags in (add, delete, add))
        )

    def has_chain(self, name: str) -> bool:
        """Whether the table holds a chain of that name."""
        body = _header(_INET) + _attribute(1, self._table) + _attribute(3, _text(name))
        self._send((_GET_CHAIN, _REQUEST | _ACKNOWLEDGE, body))
        return self._agreed()

    def generation(self) -> int:
        """A number that grows by one with every transaction on any table of this namespace."""
        self._send((_GET_GENERATION, _REQUEST | _ACKNOWLEDGE, _header(0)))
        found = 0
        for kind, _, body in self._answers():
            if kind != _ERROR:
                found = int.from_bytes(dict(_attributes(body[4:]))[1], "big")
        return found

    def elements(self, name: str) -> list[Element] | None:
        """All elements of a set or map; None when there is no such table or set."""
        body = _header(_INET) + _attribute(1, self._table) + _attribute(2, _text(name))
        while True:
            self._send((_GET_ELEMENTS, _REQUEST | _DUMP, body))
            # All is heard first, which takes no time: how long an element has left is true when it is asked.
            answers = list(self._answers())
            if any(kind == _ERROR and _fault(answer) == _MISSING for kind, _, answer in answers):
                return None
            if not any(flags & _INTERRUPTED for _, flags, _ in answers):
                return [
                    element
                    for kind, _, answer in answers
                    if kind not in {_ERROR, _DONE}
                    for element in _elements(answer)
                ]

    def _listed(self, name: str, elements: Iterable[bytes]) -> Iterator[bytes]:
        """The messages that name these elements of a set or map."""
        where = _header(_INET) + _attribute(1, self._table) + _attribute(2, _text(name))
        left = iter(elements)
        while listed := b"".join(_nested(1, element) for element in islice(left, _MOST)):
            yield where + _nested(3, listed)

    def _transaction(self, *messages: tuple[int, int, bytes]) -> bool:
        """Send messages as one transaction, of which the last asks for an answer; what fails answers unasked."""
        *others, (kind, flags, body) = messages
        last = (kind, flags | _ACKNOWLEDGE, body)
        batch = [(kind, flags | _REQUEST, body) for kind, flags, body in (*others, last)]
        subsystem = _header(0, resource=_SUBSYSTEM)
        self._send((_BATCH_BEGIN, _REQUEST, subsystem), *batch, (_BATCH_END, _REQUEST, subsystem))
        return self._agreed()

    def _send(self, *messages: tuple[int, int, bytes]) -> None:
        self._sequence += 1
        said = b"".join(_message(*message, self._sequence) for message in messages)
        if len(said) > _USUAL:
            self._make_room(len(said))
        try:
            self._socket.send(said)
        except OSError as error:
            raise EnforcementFailed(
                f"the kernel does not take a change of {len(said):,} bytes: {error.strerror}",
                where="nftables",
                now="Run as root or with CAP_NET_ADMIN outside a container, or raise net.core.wmem_max.",
            ) from error

    def _make_room(self, size: int) -> None:
        """One transaction is one message to the socket, and may be larger than what a socket usually takes."""
        with suppress(PermissionError):  # in a user namespace net.core.wmem_max is the limit
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, size)

    def _agreed(self) -> bool:
        return all(kind != _ERROR or _fault(body) == 0 for kind, _, body in self._answers())

    def _answers(self) -> Iterator[tuple[int, int, bytes]]:
        """Kind, flags and body of each answer to the last question, up to the one that ends them.

        Raises EnforcementFailed for any refusal but "no such thing", which is an answer.
        """
        while True:
            for kind, flags, sequence, body in _messages(self._heard()):
                if sequence != self._sequence:
                    continue  # the rest of an answer that nobody waited for
                if kind == _ERROR and _fault(body) not in {0, _MISSING}:
                    raise EnforcementFailed(
                        f"the kernel refused: {os.strerror(_fault(body))}",
                        where="nftables",
                        now="Run as root or with CAP_NET_ADMIN; look at `dmesg`.",
                    )
                yield kind, flags, body
                if kind in {_ERROR, _DONE}:
                    return

    def _heard(self) -> bytes:
        """One message of the kernel. A signal in between does not end the wait (PEP 475)."""
        try:
            return self._socket.recv(_ANSWER)
        except TimeoutError as error:
            raise EnforcementFailed(
                f"the kernel did not answer within {_PATIENCE:.0f} seconds",
                where="nftables",
                now="Try again; look at `dmesg`.",
            ) from error
        except OSError as error:  # ENOBUFS: there were more answers than the socket holds
            self._drain()
            raise EnforcementFailed(
                f"answers of the kernel were lost: {error.strerror}",
                where="nftables",
                now="Try again; what the kernel holds is read back in any case.",
            ) from error

    def _drain(self) -> None:
        """Read what is left: after a loss the kernel says nothing more until everything was read."""
        self._socket.settimeout(0)
        with suppress(BlockingIOError):
            while self._socket.recv(_ANSWER):
                pass
        self._socket.settimeout(_PATIENCE)


def _message(kind: int, flags: int, body: bytes, sequence: int) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


def _header(family: int, resource: int = 0) -> bytes:
    """struct nfgenmsg; the resource is in network order."""
    return struct.pack(">BBH", family, 0, resource)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)


def _element_of(key: bytes, member: Member = _PLAIN) -> bytes:
    timeout = b"" if member.lasting is None else _attribute(4, struct.pack(">Q", member.lasting))
    return _nested(1, _attribute(1, key)) + _leading_to(member.chain) + timeout


def _leading_to(chain: str | None) -> bytes:
    if chain is None:
        return b""
    return _nested(2, _nested(2, _attribute(1, _GOTO) + _attribute(2, _text(chain))))


def _text(name: str) -> bytes:
    return name.encode() + b"\0"


def _fault(body: bytes) -> int:
    """The errno of an acknowledgement; 0 when the kernel agreed."""
    (code,) = struct.unpack_from("=i", body)
    return -int(code)


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    place = 0
    while place + 16 <= len(data):
        length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data, place)
        yield kind, flags, sequence, data[place + 16 : place + length]
        place += -(-length // 4) * 4


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, place)
        yield kind & 0x3FFF, data[place + 4 : place + length]
        place += -(-length // 4) * 4


def _elements(body: bytes) -> list[Element]:
    lists = (value for kind, value in _attributes(body[4:]) if kind == 3)
    return [_element(dict(_attributes(value))) for members in lists for _, value in _attributes(members)]


def _element(parts: dict[int, bytes]) -> Element:
    return Element(
        key=dict(_attributes(parts[1]))[1] if 1 in parts else b"",
        chain=_chain(parts[2]) if 2 in parts else None,
        expires=int.from_bytes(parts[5], "big") if 5 in parts else None,
        ends_interval=bool(int.from_bytes(parts.get(3, b""), "big") & _INTERVAL_END),
    )


def _chain(data: bytes) -> str:
    verdict = dict(_attributes(dict(_attributes(data))[2]))
    return verdict.get(2, b"").rstrip(b"\0").decode()
