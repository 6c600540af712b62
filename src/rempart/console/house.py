"""The house and its doors, as numbers a drawing can be made of: rooms inside, the wall, one row a door.

One unit is a seventeenth of a rem, so that the drawing grows with the reader's text.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from textwrap import wrap

from rempart.console.naming import Names
from rempart.console.when import length
from rempart.console.words import Words, plain
from rempart.incidents.incident import IncidentState
from rempart.instants import Instant
from rempart.messages import OpeningStatus, Posture, Status
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Asset, Site, Zone

ROW = 62
"""Height of one door's row."""
WIDTH = 420
_ROOM_WIDTH = 216
_ROOM_LEAST = 62
_ROOM_MOST = 118
_GAP = 18
_ROOM_LETTERS = 25
_TITLE_LETTERS = 19
_MANY = 40
_WALL = 352

UNKNOWN = "unknown"
"""The state of every door while no guard answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One zone. ``trouble`` names what is isolated or touched in it; ``off``: it has no way out just now."""

    id: str
    name: str
    note: str
    trouble: str
    title: tuple[str, ...]
    """The name, broken to fit the drawing; the list beside it has the whole text."""
    lines: tuple[str, ...]
    """The trouble, or else the note, broken likewise."""
    off: bool
    top: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One opening: its state in a word and a shape, and what to use instead."""

    id: str
    name: str
    state: str
    """open, filtered, closed or unknown; also the class of its shape."""
    word: str
    lifeline: bool
    inward: bool
    outward: bool
    notes: tuple[str, ...]
    phone: str
    """Number of its fallback, or empty."""
    middle: int
    traffic: int | None
    """How much passes, in steps; None: not known, or it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A line from a room to a door, as an SVG path."""

    state: str
    path: str
    weight: str
    """Class of its thickness: how much passes, t0 to t3; empty: not known, or nothing may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The whole drawing, and the sentence that says it in words."""

    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    ways: tuple[Way, ...]
    summary: str
    many: bool
    """So many ways that they are drawn as hair lines."""
    width: int
    height: int
    wall: int


def house(site: Site, status: Status | None, now: Instant, words: Words, *, addresses: bool = False) -> House:
    """The house as it stands; ``status`` None: nobody knows. ``addresses``: told for machines without a name."""
    stands = {opening.id: opening for opening in status.openings} if status else {}
    doors = tuple(
        _door(number, opening, stands.get(opening.id), now, words)
        for number, opening in enumerate(_in_order(site.openings))
    )
    height = max(len(doors) * ROW, len(site.zones) * (_ROOM_LEAST + _GAP) - _GAP)
    names = Names(site, words, addresses)
    rooms = tuple(_rooms(status, doors, height, names))
    ways = tuple(_ways(site, rooms, doors))
    return House(
        rooms=rooms,
        doors=doors,
        ways=ways,
        many=len(ways) > _MANY,
        summary=_summary(site, doors, words),
        width=WIDTH,
        height=height,
        wall=_WALL,
    )


def _in_order(openings: Iterable[Opening]) -> list[Opening]:
    """Lifelines first, then as care needs them, what only machines need last.

    The order never depends on the state: rows do not jump.
    """
    return sorted(openings, key=lambda opening: (not opening.lifeline, opening.care or 9))


def _summary(site: Site, doors: tuple[Door, ...], words: Words) -> str:
    counts = {state: sum(door.state == state for door in doors) for state in (*OpeningState, UNKNOWN)}
    return words.say("house.summary", zones=len(site.zones), **counts)


# -- doors -------------------------------------------------------------------------------------------------------


def _door(number: int, opening: Opening, stand: OpeningStatus | None, now: Instant, words: Words) -> Door:
    state = stand.state.value if stand else UNKNOWN
    return Door(
        id=opening.id,
        name=plain(opening.name),
        state=state,
        word=words.say(f"state.{state}"),
        lifeline=opening.lifeline,
        inward=opening.direction.value in ("in", "both"),
        outward=opening.direction.value in ("out", "both"),
        notes=tuple(_notes(opening, stand, now, words)),
        phone=plain(opening.fallback.phone or "") if state != OpeningState.OPEN else "",
        middle=number * ROW + ROW // 2,
        traffic=_traffic(stand),
    )


def _traffic(stand: OpeningStatus | None) -> int | None:
    return None if stand is None or stand.state is OpeningState.CLOSED else stand.traffic


def _notes(opening: Opening, stand: OpeningStatus | None, now: Instant, words: Words) -> Iterator[str]:
    if stand and stand.trial_until is not None and stand.trial_until > now:
        key = "waits" if stand.waits else "visit" if stand.visitor else "trial"
        yield words.say(f"door.{key}", left=length(stand.trial_until - now, words))
    if (step := _traffic(stand)) is not None:
        yield words.say(f"door.traffic-{step}")
    if stand and stand.state is OpeningState.OPEN:
        return
    if stand and stand.state is opening.normally and stand.trial_until is None:
        yield words.say("door.normally")
    yield words.say("door.fallback", fallback=opening.fallback.text)


# -- rooms -------------------------------------------------------------------------------------------------------


def _rooms(status: Status | None, doors: tuple[Door, ...], height: int, names: Names) -> Iterator[Room]:
    site, words = names.site, names.words
    step = height / max(1, len(site.zones))
    for number, zone in enumerate(site.zones):
        off = _off(site, status, zone, doors)
        note = words.say("room.off") if off else _linked(zone, site, words)
        trouble = _trouble(status, zone, names)
        yield Room(
            id=zone.id,
            name=plain(zone.name),
            note=note,
            trouble=trouble,
            title=tuple(wrap(plain(zone.name), _TITLE_LETTERS, max_lines=2, placeholder=" …")),
            lines=tuple(wrap(trouble or note, _ROOM_LETTERS, max_lines=2, placeholder=" …")),
            off=off,
            top=round(number * step),
            height=round(min(_ROOM_MOST, max(_ROOM_LEAST, step - _GAP))),
        )


def _linked(zone: Zone, site: Site, words: Words) -> str:
    """What the room still reaches inside: the cut does not touch it."""
    reached = ", ".join(each.name for each in site.zones if each.id in zone.reaches)
    return words.say("room.linked", zones=reached) if reached else ""


def _off(site: Site, status: Status | None, zone: Zone, doors: tuple[Door, ...]) -> bool:
    if status is None or zone.stays_on or status.posture not in (Posture.CONTAINED, Posture.REOPENING):
        return False
    mine = {opening.id for opening in site.openings if zone.id in opening.zones}
    return all(door.state == OpeningState.CLOSED for door in doors if door.id in mine)


def _trouble(status: Status | None, zone: Zone, names: Names) -> str:
    """What is isolated in the room or touched by an incident that is not over."""
    if status is None:
        return ""
    site, words = names.site, names.words
    isolated = {measure.target for measure in status.measures if measure.action == "isolate"}
    named = [asset.name for asset in site.assets if asset.zone == zone.id and _is_one_of(asset, isolated)]
    if named:
        return words.say("room.isolated", assets=", ".join(named))
    touched = set(
        chain.from_iterable(
            incident.assets for incident in status.incidents if incident.state is not IncidentState.CLOSED
        )
    )
    inside = {asset.id for asset in site.assets if asset.zone == zone.id}
    here = sorted(name for name in touched if name in inside or _stands_in(name, zone))
    return words.say("room.touched", assets=names.of_all(here)) if here else ""


def _is_one_of(asset: Asset, targets: set[str]) -> bool:
    return asset.id in targets or bool(targets & set(asset.addresses))


def _stands_in(address: str, zone: Zone) -> bool:
    try:
        inside = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(inside in ipaddress.ip_network(network) for network in zone.networks)


# -- ways --------------------------------------------------------------------------------------------------------


def _ways(site: Site, rooms: tuple[Room, ...], doors: tuple[Door, ...]) -> Iterator[Way]:
    """Shut ways first, so that those in use are drawn over them."""
    drawn = [way for room in rooms for way in _ways_of(site, room, doors)]
    return iter(sorted(drawn, key=lambda way: way.state in (OpeningState.OPEN, OpeningState.FILTERED)))


def _ways_of(site: Site, room: Room, doors: tuple[Door, ...]) -> Iterator[Way]:
    mine = [door for door in doors if room.id in site.opening(door.id).zones]
    spacing = min(7.0, (room.height - 24) / max(1, len(mine)))
    first = room.top + room.height / 2 - spacing * (len(mine) - 1) / 2
    start, end = _ROOM_WIDTH, _WALL - 3
    bend = (end - start) * 0.5
    for number, door in enumerate(mine):
        y = round(first + number * spacing)
        path = f"M{start} {y} C{start + bend:.0f} {y} {end - bend:.0f} {door.middle} {end} {door.middle}"
        weight = "" if door.traffic is None else f"t{door.traffic}"
        yield Way(state=door.state, path=path, weight=weight)
