"""The kernel's part: one table of ours, changed by transactions, read back; containing needs no program to start.

Containing and blocking addresses go first and alone, as one raw netlink transaction (0.08 ms measured against 0.4 ms by
libnftables and 8 ms by the nft program). Everything else follows in one transaction: raw too where all that differs is
openings and single addresses, by libnftables where it is networks, pairs, or the whole table. What the table holds is
read again only when somebody else's transaction came between. Neighbours' tables are never named.
"""

import re
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

from nftables import Nftables

from rempart.adapters.enforce.netlink import Change, Element, Member, Netlink
from rempart.containment.barrier import Between, OneWay, Passage, passages
from rempart.containment.holdings import (
    Holdings,
    Trial,
    cut,
    deferred,
    enforcement,
    held_at,
    holdings,
    network,
    single,
    spelled,
)
from rempart.containment.limits import limited_by_kernel
from rempart.containment.measure import SLACK, Enforcement
from rempart.containment.names import Lease
from rempart.containment.render.nftables import (
    CONTAINED_FLAG,
    TABLE,
    VISIT,
    Difference,
    changes,
    differences,
    holding,
    lasting,
    layout,
    lease_set,
    visit_set,
)
from rempart.errors import EnforcementFailed
from rempart.instants import Instant, after, seconds
from rempart.site.opening import OpeningState
from rempart.site.site import Site

_ATTEMPTS = 3
"""An element may end by its own timeout between reading and changing it; the change is then worked out again."""

_PROMPT = SLACK // 2
"""Microseconds that a whole load may take before deadlines are looked at again: the kernel is told how long an element
lasts, and begins to count once it has them all. A hundred thousand take two seconds, and more on a small box."""

_FIRST = 64
"""Addresses blocked ahead of everything else; more of them come with a start, not with an attack."""

_SINGLE = frozenset(
    {
        *("contained", "trial", "state", "barred_in", "barred_out"),
        *("blocked4", "blocked6", "isolated4", "isolated6"),
    }
)
"""Sets and maps whose key is one mark or one address, which we spell as the kernel does."""


Clock = Callable[[], Instant]


class Kernel:
    """The table of one site in the network namespace in which this object was made. Not for use by two threads."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._layout = layout(site)
        self._nft = Nftables()
        self._netlink = Netlink(TABLE.partition(" ")[2])
        self._known: _Known | None = None
        self._asked: Mapping[str, Instant | None] = {}

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Bring the table to ``wanted``; it is loaded whole when the kernel holds none of this layout.

        Running connections survive a whole load: their names are in the connections, not in the table.
        Raises EnforcementFailed, InputRefused.
        """
        running = _running(now)
        self._contain(wanted, now)
        self._block(wanted, now)
        target = holdings(self._site, wanted, now)
        self._asked = wanted.blocked
        for attempt in range(1, _ATTEMPTS + 1):
            fault = self._bring(target, running)
            if not fault:
                return
            self._known = None
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
        return enforcement(self._site, self._look(_running(now)), self._asked)

    def hold(self, leases: Sequence[Lease]) -> None:
        """Let these leases hold from now on, in one transaction. Raises EnforcementFailed."""
        if not leases:
            return
        elements: dict[str, dict[bytes, int]] = {}
        for lease in leases:
            name = lease_set(lease.mark, lease.address.version, alone=lease.client is not None)
            key = (lease.client.packed if lease.client else b"") + lease.address.packed
            elements.setdefault(name, {})[key] = lease.seconds * 1000
        if not self._netlink.renew(elements):
            raise EnforcementFailed(
                "the kernel has no set for these leases",
                where="nftables",
                now="Its table was removed or replaced; the guard loads it again.",
            )
        self._own_transaction(self._known.held if self._known else None)  # leases are no holdings

    def refused(self) -> dict[str, int]:
        """Packets counted since the table was loaded, by the counter's name. Raises EnforcementFailed."""
        code, told, complaint = self._nft.cmd(f"list counters table {TABLE}")
        if code:
            raise EnforcementFailed(
                f"the kernel tells no counters: {' '.join(complaint.split())[:400]}",
                where="nftables",
                now="Its table was removed or replaced; the guard loads it again.",
            )
        return {name: int(packets) for name, packets in _COUNTER.findall(told)}

    def _contain(self, wanted: Enforcement, now: Instant) -> None:
        """The cut, before anything else is even worked out. Without a table the whole load that follows does it."""
        done = cut(self._site, wanted, now)
        if done is None or wanted.contained_until is not None:
            return
        members = {_key(mark): Member() for mark in (*done.closed, CONTAINED_FLAG)}

        def then(held: Holdings) -> Holdings:
            # A deadline that was there stays for now.
            until = held.contained_until if held.contained else None
            return replace(
                held,
                contained=True,
                contained_until=until,
                cut=held.cut | done.closed,
                states={mark: done.states.get(mark, state) for mark, state in held.states.items()},
            )

        self._ahead({"contained": members}, then, done.states)

    def _block(self, wanted: Enforcement, now: Instant) -> None:
        """Addresses that were not blocked the last time, before the rest is worked out, which may be much."""
        come = [text for text in wanted.blocked if text not in self._asked]
        members: dict[str, dict[bytes, Member]] = {}
        blocks: dict[str, Instant | None] = {}
        for text in come if len(come) <= _FIRST else ():
            target, until = network(text), wanted.blocked[text]
            if single(target) and (until is None or until > now):
                member = Member(None if until is None else lasting(until, now))
                members.setdefault(f"blocked{target.version}", {})[target.network_address.packed] = member
                blocks[spelled(target)] = until
        if members:
            with suppress(EnforcementFailed):  # what follows holds them too, and says what is wrong
                self._ahead(members, lambda held: replace(held, blocked=blocks | dict(held.blocked)))

    def _ahead(
        self,
        members: Mapping[str, Mapping[bytes, Member]],
        then: Callable[[Holdings], Holdings],
        states: Mapping[int, OpeningState] | None = None,
    ) -> None:
        """Add to sets and turn openings to ``states`` at once; ``then``: what the table holds afterwards.

        Members that were there already stay as they were. What is not known to be there is not turned: what follows
        looks, and does it.
        """
        if self._known and self._known.generation != self._netlink.generation():
            self._known = None
        held = self._known.held if self._known else None
        turned = _turned(held.states, states) if held and states else None
        come = {name: Change(come=those) for name, those in members.items()}
        added = self._netlink.change({**come, "state": turned} if turned else come)
        if not added and turned:
            self._known = held = None
            self._netlink.change(come)
        self._own_transaction(then(held) if held and added else None)

    def _bring(self, target: Holdings, now: Clock) -> str:
        """Bring the table to ``target`` in one transaction; what the kernel said against it, or nothing."""
        held = self._held(now)
        if held is None:
            return self._load(target, now)
        if not (found := differences(held, target)):
            return ""
        if (spelled_by_us := _spelled(found, now())) is not None:
            fault = self._change(spelled_by_us)
        else:
            fault = self._run(changes(found, now()))
        if not fault:
            self._own_transaction(target)
        return fault

    def _load(self, target: Holdings, now: Clock) -> str:
        """Load the table whole. Where that took long, deadlines came too late by as much, and are put right."""
        begun, generation = now(), self._netlink.generation()
        if fault := self._run(holding(self._site, target, begun)):
            return fault
        late = now() - begun
        alone = self._netlink.generation() == generation + 1
        self._known = _Known(generation + 1, deferred(target, late)) if alone else None
        return "" if late < _PROMPT else self._bring(target, now)

    def _held(self, now: Clock) -> Holdings | None:
        """What the table holds; None when it is not there. Read again only after somebody else's transaction."""
        if self._known and self._known.generation == self._netlink.generation():
            return held_at(self._known.held, now())
        return self._look(now) if self._loaded() else None

    def _look(self, now: Clock) -> Holdings:
        """Read what the table holds."""
        generation = self._netlink.generation()
        found = self._holdings(now)
        undisturbed = self._netlink.generation() == generation
        self._known = _Known(generation, found) if undisturbed else None
        return found

    def _change(self, changed: Mapping[str, Change]) -> str:
        """One transaction of our own spelling; what the kernel said against it, or nothing."""
        try:
            return "" if self._netlink.change(changed) else "it does not hold what is to go"
        except EnforcementFailed as fault:
            return fault.what

    def _run(self, text: str) -> str:
        """One transaction through libnftables; what the kernel said against it, on one line, or nothing."""
        code, _, complaint = self._nft.cmd(text)
        return " ".join(complaint.split())[:400] if code else ""

    def _loaded(self) -> bool:
        return self._netlink.has_chain(self._layout)

    def _holdings(self, now: Clock) -> Holdings:
        marks = self._marks("contained", now)
        return Holdings(
            contained=CONTAINED_FLAG in marks,
            contained_until=marks.get(CONTAINED_FLAG),
            cut=frozenset(marks.keys() - {CONTAINED_FLAG}),
            states={mark: state for mark, (state, _) in self._verdicts("state", now).items()},
            trials=self._trials(now),
            blocked=self._blocks(now),
            isolated=self._addresses(("isolated4", "isolated6"), now),
            barred=self._barred(now),
            visits={opening.mark: self._visit(opening.mark) for opening in limited_by_kernel(self._site)},
        )

    def _trials(self, now: Clock) -> dict[int, Trial]:
        limited = {
            element.key
            for element in self._elements("trial")
            if (element.chain or "").startswith(f"{VISIT}_")
        }
        return {
            mark: Trial(state=state, until=until, limited=_key(mark) in limited)
            for mark, (state, until) in self._verdicts("trial", now).items()
            if until
        }

    def _visit(self, mark: int) -> frozenset[tuple[str, str]]:
        """Who may speak with which machine while a visit with limits stands."""
        pairs = (
            [element.key[: len(element.key) // 2], element.key[len(element.key) // 2 :]]
            for family in (4, 6)
            for element in self._elements(visit_set(mark, family))
        )
        return frozenset(
            (
                socket.inet_ntop(_FAMILIES[len(outside)], outside),
                socket.inet_ntop(_FAMILIES[len(inside)], inside),
            )
            for outside, inside in pairs
        )

    def _barred(self, now: Clock) -> dict[Passage, Instant | None]:
        """The passages of the site that are shut; what else lies in those sets is no passage and stops nothing."""
        at = now()
        parted = {
            tuple(element.key[place : place + _IFNAME].rstrip(b"\0").decode() for place in (0, _IFNAME)): (
                _until(element, at)
            )
            for element in self._elements("barred_zones")
        }
        ways = {True: self._marks("barred_in", now), False: self._marks("barred_out", now)}
        found: dict[Passage, Instant | None] = {}
        for barrier in passages(self._site):
            match barrier:
                case Between(source=source, target=target):
                    pair = (source.interface, target.interface)
                    if pair in parted:
                        found[barrier] = parted[pair]
                case OneWay(opening=opening, inward=inward):
                    if opening.mark in ways[inward]:
                        found[barrier] = ways[inward][opening.mark]
        return found

    def _marks(self, name: str, now: Clock) -> dict[int, Instant | None]:
        at = now()
        return {
            int.from_bytes(element.key, sys.byteorder): _until(element, at)
            for element in self._elements(name)
        }

    def _blocks(self, now: Clock) -> Mapping[str, Instant | None]:
        """The blocks, which may be many: read again only when somebody's transaction may have touched them."""
        if self._known and self._known.generation == self._netlink.generation():
            return held_at(self._known.held, now()).blocked
        networks = self._networks(("blocked_nets4", "blocked_nets6"), now)
        return self._addresses(("blocked4", "blocked6"), now) | networks

    def _own_transaction(self, held: Holdings | None) -> None:
        """What the kernel holds after a transaction of ours, if nobody else's came between."""
        generation = self._netlink.generation()
        alone = self._known is not None and generation - self._known.generation in {0, 1}
        self._known = _Known(generation, held) if alone and held is not None else None

    def _verdicts(self, name: str, now: Clock) -> dict[int, tuple[OpeningState, Instant | None]]:
        """Marks of openings with the state whose chain the map sends them to, and until when."""
        at = now()
        return {
            int.from_bytes(element.key, sys.byteorder): (state, _until(element, at))
            for element in self._elements(name)
            if (state := _state(element.chain or ""))
        }

    def _addresses(self, names: Iterable[str], now: Clock) -> dict[str, Instant | None]:
        found: dict[str, Instant | None] = {}
        for name in names:
            at = now()
            for element in self._elements(name):
                found[socket.inet_ntop(_FAMILIES[len(element.key)], element.key)] = _until(element, at)
        return found

    def _networks(self, names: Iterable[str], now: Clock) -> dict[str, Instant | None]:
        """Interval sets tell where networks begin and, as elements of their own, where they end."""
        found: dict[str, Instant | None] = {}
        for name in names:
            at = now()
            begun: Element | None = None
            for element in sorted(self._elements(name), key=lambda part: (part.key, not part.ends_interval)):
                if begun and element.ends_interval:
                    found[_network(begun.key, element.key)] = _until(begun, at)
                begun = None if element.ends_interval else element
            if begun:
                found[_network(begun.key, None)] = _until(begun, at)
        return found

    def _elements(self, name: str) -> list[Element]:
        """As they were when it was asked: whoever wants to know until when they last takes the time before."""
        found = self._netlink.elements(name)
        if found is None:
            raise EnforcementFailed(
                f"the kernel's table has no {name}",
                where="nftables",
                now="The table was changed by somebody else; the guard loads it again.",
            )
        return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What the table held when the kernel's transactions stood at ``generation``."""

    generation: int
    held: Holdings


def _running(now: Instant) -> Clock:
    """A clock that goes on from ``now``: reading and loading a hundred thousand elements takes seconds."""
    begun = monotonic()
    return lambda: after(now, seconds(monotonic() - begun))


_COUNTER = re.compile(r"counter (\w+) \{\s*packets (\d+)")

_IFNAME = 16
"""Bytes of an interface's name in a set's key (IFNAMSIZ)."""

_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}
"""Address family by the length of an address."""


def _key(mark: int) -> bytes:
    """A mark as the kernel's sets hold it."""
    return mark.to_bytes(4, sys.byteorder)


def _turned(held: Mapping[int, OpeningState], wanted: Mapping[int, OpeningState]) -> Change | None:
    """The openings of the state map that lead elsewhere from now on, if any."""
    come = {
        _key(mark): Member(chain=f"{state}_{mark}")
        for mark, state in wanted.items()
        if mark in held and held[mark] is not state
    }
    return Change(gone=tuple(come), come=come) if come else None


def _spelled(found: Mapping[str, Difference], now: Instant) -> dict[str, Change] | None:
    """Differences as the kernel's own messages; None when only libnftables can spell them."""
    if not found.keys() <= _SINGLE:
        return None
    return {
        name: Change(
            gone=tuple(map(_bytes, each.gone)),
            come={
                _bytes(key): Member(None if until is None else lasting(until, now), chain or None)
                for key, (chain, until) in each.come.items()
            },
        )
        for name, each in found.items()
    }


def _bytes(key: str) -> bytes:
    """A mark or one address as the kernel's sets hold it."""
    return _key(int(key)) if key.isdecimal() else network(key).network_address.packed


def _until(element: Element, now: Instant) -> Instant | None:
    return None if element.expires is None else Instant(now + element.expires * 1000)


def _state(chain: str) -> OpeningState | None:
    """The state whose chain this is; None for chains that belong to no opening."""
    word = chain.rpartition("_")[0]
    if word == VISIT:
        return OpeningState.FILTERED
    return OpeningState(word) if word in OpeningState.__members__.values() else None


def _network(first: bytes, end: bytes | None) -> str:
    """The network from ``first`` up to, not including, ``end``; None: up to the last address there is."""
    size = (int.from_bytes(end, "big") if end else 1 << len(first) * 8) - int.from_bytes(first, "big")
    prefix = len(first) * 8 - size.bit_length() + 1
    return f"{socket.inet_ntop(_FAMILIES[len(first)], first)}/{prefix}"
