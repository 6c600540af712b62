"""The changing part of the table: what its sets and maps hold, as a whole and as the difference of two states."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rempart.containment.barrier import Between, OneWay
from rempart.containment.holdings import Holdings, Trial, close, network
from rempart.containment.render.nftables.spelling import TABLE, device
from rempart.instants import Instant
from rempart.site.opening import OpeningState

CONTAINED_FLAG = 0x1000
"""In the containment set, says that the site is cut. Outside MARK_BITS: no packet matches it."""
RESPONDER = 4094
"""Mark of connections to the proxy's front, which always answers: with the service or the maintenance page."""
VISIT = "visit"
"""What the chains and sets of visits with limits are called after, in the place of a state."""
Element = tuple[str, Instant | None]
"""Of a set or map: the chain that it leads to, or nothing, and when it ends."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes of one set or map: keys that go, elements that come by key. A changed element does both."""

    gone: tuple[str, ...]
    come: Mapping[str, Element]


def differences(before: Holdings, after: Holdings) -> dict[str, Difference]:
    """What turns ``before`` into ``after`` within one layout, by set or map; those that stay are left out."""
    old, new = _elements(before), _elements(after)
    found = ((name, _difference(old[name], new[name])) for name in old)
    return {name: change for name, change in found if change.gone or change.come}


def changes(found: Mapping[str, Difference], now: Instant) -> str:
    """Differences as one transaction.

    A changed element is deleted and added again: before Linux 6.12 adding does not renew a timeout.
    """
    return "\n".join(line for name, change in found.items() for line in _changed(name, change, now))


def _elements(held: Holdings) -> dict[str, dict[str, Element]]:
    isolated = {target: ("", until) for target, until in held.isolated.items()}
    flag = {str(CONTAINED_FLAG): ("", held.contained_until)} if held.contained else {}
    return {
        "contained": {str(mark): ("", None) for mark in sorted(held.cut)} | flag,
        "trial": {str(mark): _on_trial(mark, trial) for mark, trial in held.trials.items()},
        "state": {str(mark): _verdict(mark, state, None) for mark, state in held.states.items()},
        **_blocks(held.blocked),
        "isolated4": _those(isolated, lambda text: ":" not in text),
        "isolated6": _those(isolated, lambda text: ":" in text),
        "barred_zones": {
            f"{device(barrier.source.interface)} . {device(barrier.target.interface)}": ("", until)
            for barrier, until in held.barred.items()
            if isinstance(barrier, Between)
        },
        "barred_in": _one_way(held, inward=True),
        "barred_out": _one_way(held, inward=False),
    } | {
        visit_set(mark, family): {
            f"{outside} . {inside}": ("", None)
            for outside, inside in sorted(pairs)
            if network(outside).version == network(inside).version == family
        }
        for mark, pairs in held.visits.items()
        for family in (4, 6)
    }


def _blocks(blocked: Mapping[str, Instant | None]) -> dict[str, dict[str, Element]]:
    """The blocks by the set that they are in: addresses and networks, of either family."""
    found: dict[str, dict[str, Element]] = {
        f"blocked{nets}{family}": {} for nets in ("", "_nets") for family in (4, 6)
    }
    for target, until in blocked.items():
        found[f"blocked{'_nets' if '/' in target else ''}{6 if ':' in target else 4}"][target] = ("", until)
    return found


def _one_way(held: Holdings, *, inward: bool) -> dict[str, Element]:
    return {
        str(barrier.opening.mark): ("", until)
        for barrier, until in held.barred.items()
        if isinstance(barrier, OneWay) and barrier.inward is inward
    }


def visit_set(mark: int, family: int) -> str:
    """Name of the set of those who may speak while a limited visit stands: an address outside with one inside."""
    return f"{VISIT}{family}_{mark}"


def _on_trial(mark: int, trial: Trial) -> Element:
    return (f"{VISIT}_{mark}", trial.until) if trial.limited else _verdict(mark, trial.state, trial.until)


def _verdict(mark: int, state: OpeningState, until: Instant | None) -> Element:
    return f"{state}_{mark}", until


def _those(elements: Mapping[str, Element], wanted: Callable[[str], bool]) -> dict[str, Element]:
    return {key: element for key, element in elements.items() if wanted(key)}


def _spell(key: str, element: Element, now: Instant) -> str:
    chain, until = element
    timeout = "" if until is None else f" timeout {_period(lasting(until, now))}"
    return f"{key}{timeout} : goto {chain}" if chain else f"{key}{timeout}"


def lasting(until: Instant, now: Instant) -> int:
    """Milliseconds that an element has to live; the kernel takes 0 for ever."""
    return max(1, (until - now) // 1000)


def _period(milliseconds: int) -> str:
    """As nft spells it. It reads eight digits of a unit and no more: "100000000ms", 28 hours, is an error to it."""
    seconds, rest = divmod(milliseconds, 1000)
    days, seconds = divmod(seconds, 86_400)
    return (f"{days}d" if days else "") + (f"{seconds}s" if seconds else "") + (f"{rest}ms" if rest else "")


def _difference(old: Mapping[str, Element], new: Mapping[str, Element]) -> Difference:
    kept = {key for key, element in new.items() if key in old and _alike(old[key], element)}
    return Difference(
        gone=tuple(key for key in old if key not in kept),
        come={key: element for key, element in new.items() if key not in kept},
    )


def _changed(name: str, change: Difference, now: Instant) -> Iterator[str]:
    if change.gone:
        yield f"delete element {TABLE} {name} {{ {', '.join(change.gone)} }}"
    if change.come:
        come = (_spell(key, element, now) for key, element in change.come.items())
        yield f"add element {TABLE} {name} {{ {', '.join(come)} }}"


def _alike(one: Element, other: Element) -> bool:
    return one[0] == other[0] and close(one[1], other[1])


_SETS = {
    "contained": "set contained { type mark; flags timeout;",
    "trial": "map trial { type mark : verdict; flags timeout;",
    "state": "map state { type mark : verdict;",
    "blocked4": "set blocked4 { type ipv4_addr; flags timeout;",
    "blocked6": "set blocked6 { type ipv6_addr; flags timeout;",
    "blocked_nets4": "set blocked_nets4 { type ipv4_addr; flags interval,timeout;",
    "blocked_nets6": "set blocked_nets6 { type ipv6_addr; flags interval,timeout;",
    "isolated4": "set isolated4 { type ipv4_addr; flags timeout;",
    "isolated6": "set isolated6 { type ipv6_addr; flags timeout;",
    "barred_zones": "set barred_zones { type ifname . ifname; flags timeout;",
    "barred_in": "set barred_in { type mark; flags timeout;",
    "barred_out": "set barred_out { type mark; flags timeout;",
}


def _heads(held: Holdings) -> Mapping[str, str]:
    """How each set that changes begins."""
    return _SETS | {
        visit_set(mark, family): f"set {visit_set(mark, family)} {{ type ipv{family}_addr . ipv{family}_addr;"
        for mark in held.visits
        for family in (4, 6)
    }


def filled(held: Holdings, now: Instant) -> Iterator[str]:
    """The sets with their elements, and the map of verdicts, which also holds what never changes."""
    elements = _elements(held)
    for name, head in _heads(held).items():
        spelled_out = [_spell(key, element, now) for key, element in elements[name].items()]
        if name == "state":
            spelled_out += [f"0 : goto unclassified, {RESPONDER} : goto responder"]
        filling = f" elements = {{ {', '.join(spelled_out)} }}" if spelled_out else ""
        yield f"{head}{filling} }}"
