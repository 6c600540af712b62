"""What the kernel's sets hold because of an `Enforcement`, and back: marks and addresses instead of ids.

Nothing here is nftables text. Deadlines stay absolute; a deadline that has passed has already had its effect.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from ipaddress import ip_network
from typing import TypeVar

from rempart.containment.barrier import Passage, passage
from rempart.containment.limits import Limits, limited_by_kernel, limited_by_proxy
from rempart.containment.measure import SLACK, Enforcement, Stand, due
from rempart.errors import InputRefused
from rempart.instants import Instant
from rempart.site.address import Network, meant_network
from rempart.site.opening import OpeningState
from rempart.site.site import Site

_Target = TypeVar("_Target")

_NONE: Mapping[str, Instant | None] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A state that the kernel ends by itself at ``until``."""

    state: OpeningState
    until: Instant
    limited: bool = False
    """Only between the pairs of `Holdings.visits`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The changing part of the kernel's table. Keys of ``states`` and ``trials`` are marks."""

    contained: bool
    contained_until: Instant | None = None
    cut: frozenset[int]
    """Marks in the containment set: it wins over trials and standing states."""
    states: Mapping[int, OpeningState]
    trials: Mapping[int, Trial]
    blocked: Mapping[str, Instant | None]
    """Outside addresses and networks; no network lies within another."""
    isolated: Mapping[str, Instant | None]
    """Addresses inside."""
    barred: Mapping[Passage, Instant | None] = field(default_factory=dict)
    visits: Mapping[int, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """By mark, for each opening that the kernel can limit: the addresses outside and inside that may speak."""


def holdings(site: Site, wanted: Enforcement, now: Instant) -> Holdings:
    """What the kernel should hold. Raises InputRefused for a target that is no address or no asset of the site."""
    _refuse_strangers(site, wanted)
    running = due(wanted, now)
    stands = _stands(site, running)
    return Holdings(
        contained=running.contained,
        contained_until=running.contained_until,
        cut=_closed(stands) if running.contained else frozenset(),
        states=_standing(stands),
        trials={
            mark: Trial(state=stand.state, until=stand.until, limited=bool(stand.limits))
            for mark, stand in stands.items()
            if stand.until
        }
        | _draining(site, running, now),
        blocked=_disjoint(running.blocked),
        isolated=_addresses(site, running.isolated),
        barred={passage(site, text): until for text, until in running.barred.items()},
        visits={opening.mark: _pairs(stands[opening.mark].limits) for opening in limited_by_kernel(site)},
    )


def deferred(held: Holdings, by: int) -> Holdings:
    """The same with every deadline later by so many microseconds."""

    def later(targets: Mapping[_Target, Instant | None]) -> dict[_Target, Instant | None]:
        return {target: Instant(until + by) if until else until for target, until in targets.items()}

    trials = {mark: replace(trial, until=Instant(trial.until + by)) for mark, trial in held.trials.items()}
    return replace(
        held,
        contained_until=Instant(held.contained_until + by) if held.contained_until else None,
        trials=trials,
        blocked=later(held.blocked),
        isolated=later(held.isolated),
        barred=later(held.barred),
    )


def held_at(held: Holdings, now: Instant) -> Holdings:
    """The same without what the kernel has ended by itself meanwhile."""
    ended = held.contained_until is not None and held.contained_until <= now
    return replace(
        held,
        contained=held.contained and not ended,
        contained_until=None if ended else held.contained_until,
        trials={mark: trial for mark, trial in held.trials.items() if trial.until > now},
        blocked=_lasting(held.blocked, now),
        isolated=_lasting(held.isolated, now),
        barred=_lasting(held.barred, now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What containment does to the openings, by mark."""

    closed: frozenset[int]
    states: Mapping[int, OpeningState]


def cut(site: Site, wanted: Enforcement, now: Instant) -> Cut | None:
    """What a containment that holds cuts; never fails, so the red button works whatever else is wrong."""
    # Without the blocks: there may be 100,000, and this is on the way to the cut.
    running = due(replace(wanted, blocked={}, isolated={}, barred={}), now) if wanted.contained else wanted
    if not running.contained:
        return None
    stands = _stands(site, running)
    return Cut(closed=_closed(stands), states=_standing(stands))


def enforcement(site: Site, held: Holdings, asked: Mapping[str, Instant | None] = _NONE) -> Enforcement:
    """The holdings in the site's own words.

    A block ``asked`` for is named as it was asked for when what is held covers it: another spelling, a wider network.
    It has its own end when what is held has the latest of all that it covers, as `holdings` makes it.
    """
    return Enforcement(
        stands={opening.id: _held_stand(held, opening.mark) for opening in site.openings},
        contained=held.contained,
        contained_until=held.contained_until,
        blocked=_as_asked(held.blocked, asked),
        isolated=_assets(site, held.isolated),
        barred={str(barrier): until for barrier, until in held.barred.items()},
    )


def close(one: Instant | None, other: Instant | None) -> bool:
    """Whether two deadlines are the same, give or take the kernel's rounding."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SLACK


def network(text: str) -> Network:
    """The address or network that ``text`` names; IPv4 written inside IPv6 (::ffff:192.0.2.1) is the IPv4 it means.

    Raises InputRefused, also for a scope (fe80::1%eth0): Python allows any text after the percent sign.
    """
    return _named(text).target


@dataclass(frozen=True, slots=True)
class _Named:
    """What a text names, and its one spelling: by this it is found, since a network takes microseconds to hash."""

    target: Network
    spelled: str
    single: bool


@lru_cache(maxsize=1 << 18)
def _named(text: str) -> _Named:
    found = _network(text)
    return _Named(found, spelled(found), single(found))


def _network(text: str) -> Network:
    try:
        if "%" in text:
            raise ValueError
        found = ip_network(text, strict=False)
    except ValueError as error:
        raise InputRefused(
            f"{text[:60]!r} is neither an address nor a network", now="Write 192.0.2.1 or 192.0.2.0/24."
        ) from error
    return meant_network(found)


def spelled(target: Network) -> str:
    """One spelling for each target: an address without its prefix length, a network with it."""
    return str(target.network_address) if target.prefixlen == target.max_prefixlen else str(target)


def _lasting(targets: Mapping[_Target, Instant | None], now: Instant) -> dict[_Target, Instant | None]:
    return {target: until for target, until in targets.items() if until is None or until > now}


def _refuse_strangers(site: Site, wanted: Enforcement) -> None:
    strangers = [name for name in wanted.stands if name not in {opening.id for opening in site.openings}]
    strangers += [name for name in wanted.isolated if name not in {asset.id for asset in site.assets}]
    if strangers:
        raise InputRefused(
            f"the site has no {', '.join(repr(name[:60]) for name in strangers)}",
            now="Use the ids of site.toml.",
        )


def _stand(running: Enforcement, opening_id: str) -> Stand:
    """How an opening stands; when nobody said anything about it, or what follows a deadline: closed."""
    stand = running.stands.get(opening_id, Stand(state=OpeningState.CLOSED))
    return replace(stand, then=stand.then or OpeningState.CLOSED) if stand.until else stand


def _stands(site: Site, running: Enforcement) -> dict[int, Stand]:
    """How the openings stand for the kernel: limits that are the proxy's it leaves out, those of nobody it closes."""
    kernels, proxys = limited_by_kernel(site), limited_by_proxy(site)
    stands: dict[int, Stand] = {}
    for opening in site.openings:
        stand = _stand(running, opening.id)
        if stand.limits and opening in proxys:
            stand = replace(stand, limits=None)
        elif stand.limits and not (opening in kernels and stand.until):
            stand = Stand(state=OpeningState.CLOSED)
        stands[opening.mark] = stand
    return stands


def _pairs(limits: Limits | None) -> frozenset[tuple[str, str]]:
    return frozenset((limits.source, host) for host in limits.hosts) if limits else frozenset()


def _closed(stands: Mapping[int, Stand]) -> frozenset[int]:
    """Marks of what is closed for good."""
    return frozenset(
        mark for mark, stand in stands.items() if stand.state is OpeningState.CLOSED and stand.until is None
    )


def _standing(stands: Mapping[int, Stand]) -> dict[int, OpeningState]:
    """The states without a deadline."""
    return {mark: stand.then if stand.until and stand.then else stand.state for mark, stand in stands.items()}


def _draining(site: Site, running: Enforcement, now: Instant) -> dict[int, Trial]:
    """Closed services whose requests under way may end: the proxy begins nothing new, the kernel ends the rest."""
    stands = ((opening.mark, _stand(running, opening.id)) for opening in site.published())
    return {
        mark: Trial(state=OpeningState.OPEN, until=stand.drains)
        for mark, stand in stands
        if stand.state is OpeningState.CLOSED and stand.drains and stand.drains > now
    }


def _disjoint(blocked: Mapping[str, Instant | None]) -> dict[str, Instant | None]:
    """Blocks without networks in networks, which the kernel's sets refuse: the wider absorbs, the later end stands."""
    targets = [(_named(text), until) for text, until in blocked.items()]
    wide = sorted((item for item in targets if not item[0].single), key=lambda item: _place(item[0].target))
    merged: dict[str, Instant | None] = {}
    holder: _Named | None = None
    for named, until in wide:  # whatever lies within a network follows it
        holder = holder if holder is not None and _holds(holder.target, named.target) else named
        _merge(merged, holder.spelled, until)
    for named, until in targets:
        if named.single:  # the same address may stand there twice, in two spellings
            _merge(merged, named.spelled, until)
    return merged


def _merge(merged: dict[str, Instant | None], name: str, until: Instant | None) -> None:
    merged[name] = _later(merged[name], until) if name in merged else until


def _place(target: Network) -> tuple[int, int, int]:
    """Sorts by address, a wider network before those within it."""
    return target.version, int(target.network_address), target.prefixlen


def _holds(wider: Network, target: Network) -> bool:
    return wider.version == target.version and wider.supernet_of(target)  # type: ignore[arg-type]  # versions are equal


def single(target: Network) -> bool:
    """Whether it is one address."""
    return target.prefixlen == target.max_prefixlen


def _as_asked(
    held: Mapping[str, Instant | None], asked: Mapping[str, Instant | None]
) -> dict[str, Instant | None]:
    """What is held, under the names asked for; what nobody asked for keeps its own."""
    known = {_named(text).spelled: until for text, until in held.items()}
    wide = sorted((network(text) for text in known if "/" in text), key=_place)
    covered: dict[str, list[str]] = {}
    for text in asked:
        named = _named(text)
        if named.spelled in known:
            covered.setdefault(named.spelled, []).append(text)
        elif not named.single and (holder := _holder(named.target, wide)):
            covered.setdefault(spelled(holder), []).append(text)
    names: dict[str, Instant | None] = {}
    for name, texts in covered.items():
        until = known[name]
        merged = len(texts) > 1 and close(until, reduce(_later, (asked[text] for text in texts)))
        names.update((text, asked[text] if merged else until) for text in texts)
    return names | {name: until for name, until in known.items() if name not in covered}


def _holder(target: Network, wide: Sequence[Network]) -> Network | None:
    """Which of these sorted, disjoint networks holds all of ``target``: the last one before it, or none."""
    before = bisect_right(wide, _place(target), key=_place)
    return wide[before - 1] if before and _holds(wide[before - 1], target) else None


def _later(one: Instant | None, other: Instant | None) -> Instant | None:
    return None if one is None or other is None else max(one, other)


def _addresses(site: Site, isolated: Mapping[str, Instant | None]) -> dict[str, Instant | None]:
    found: dict[str, Instant | None] = {}
    for asset in site.assets:
        if asset.id in isolated:
            until = isolated[asset.id]
            for address in asset.addresses:
                text = spelled(network(address))
                found[text] = _later(found[text], until) if text in found else until
    return found


def _assets(site: Site, isolated: Mapping[str, Instant | None]) -> dict[str, Instant | None]:
    """Assets all of whose addresses are isolated, with the earliest end among them."""
    found: dict[str, Instant | None] = {}
    for asset in site.assets:
        addresses = [spelled(network(address)) for address in asset.addresses]
        if addresses and all(address in isolated for address in addresses):
            ends = [end for address in addresses if (end := isolated[address]) is not None]
            found[asset.id] = min(ends, default=None)
    return found


def _held_stand(held: Holdings, mark: int) -> Stand:
    if mark in held.cut:
        return Stand(state=OpeningState.CLOSED)
    state = held.states.get(mark, OpeningState.CLOSED)
    trial = held.trials.get(mark)
    if trial is None:
        return Stand(state=state)
    limits = _limits(held.visits.get(mark, frozenset())) if trial.limited else None
    return Stand(state=trial.state, until=trial.until, then=state, limits=limits)


def _limits(pairs: frozenset[tuple[str, str]]) -> Limits:
    """What these pairs are the limits of: more than one address outside is nobody's visit, and is told so."""
    sources, hosts = ({pair[end] for pair in pairs} for end in (0, 1))
    return Limits(source=" ".join(sorted(sources)), hosts=tuple(sorted(hosts)))
