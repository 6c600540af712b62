"""The status cut down to one frame, and how much of it was left off: what people type may be six bytes a character.

A status is whole as long as one frame takes it. Beyond that each list has room of its own, so that a flood of one,
reasons of control characters for instance, takes nothing from the others; what matters least goes first, and what was
left off is counted. The journal has it all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import structs

from rempart.messages import (
    MAX_FRAME,
    CareStatus,
    IncidentStatus,
    OpeningStatus,
    Status,
)

_Within = Callable[[str, Sequence[Any]], list[Any]]

_KIB = 1 << 10

ROOM = {
    "incidents": 304 * _KIB,
    "openings": 192 * _KIB,
    "measures": 112 * _KIB,
    "alerts": 48 * _KIB,
    "clocks": 8 * _KIB,
    "by-hand": 64 * _KIB,
    "overrides": 16 * _KIB,
    "core": 8 * _KIB,
    "wards": 32 * _KIB,
    "troubles": 48 * _KIB,
    "outside": 32 * _KIB,
    "papers": 24 * _KIB,
    "probes": 32 * _KIB,
    "ticks": 48 * _KIB,
    "unanswered": 8 * _KIB,
    "corrections": 16 * _KIB,
}
"""Bytes of JSON for each list when not all of them fit. What is left of the frame is for what is no list."""

_FEW = 6
"""Sentences, parties and proposals of an incident when incidents have no room for more; each has its own page."""

_WORDS = (60, 15, 0)
"""Characters of what people wrote about an opening: fewer, until openings have room."""

_NAME = 20
"""Characters of a person's name then."""

_FAULT = 1_000
"""Characters at most of what does not agree with what is decided."""


def abridged(told: Status) -> Status:
    """The status in one frame: whole if it fits, else with what was left off counted in `Status.left_off`.

    Openings are all told, with less said of each: how many there are, and what they are called, is the site's own.
    """
    if _size(told) <= MAX_FRAME:
        return told
    left: dict[str, int] = {}

    def within(name: str, these: Sequence[Any]) -> list[Any]:
        kept = _foremost(these, ROOM[name])
        if len(kept) < len(these):
            left[name] = len(these) - len(kept)
        return kept

    openings = _terse(told.openings)
    if openings is not told.openings:
        left["openings"] = len(openings)
    # Isolations and barriers stand behind the blocks, the latest block last: these are kept first.
    measures = within("measures", told.measures[::-1])[::-1]
    return structs.replace(
        told,
        incidents=within("incidents", _thinner(told.incidents)),
        openings=openings,
        measures=measures,
        enforcement_fault=told.enforcement_fault[:_FAULT],
        alerts=within("alerts", told.alerts),
        clocks=within("clocks", told.clocks),
        by_hand=structs.replace(told.by_hand, steps=within("by-hand", told.by_hand.steps)),
        care=_care(told.care, within),
        reopening=structs.replace(
            told.reopening,
            core=within("core", told.reopening.core),
            overrides=within("overrides", told.reopening.overrides),
        ),
        left_off=left,
    )


def _care(care: CareStatus, within: _Within) -> CareStatus:
    held = care.rehearsal
    return structs.replace(
        care,
        rehearsal=held
        and structs.replace(
            held,
            ticks=within("ticks", held.ticks),
            unanswered=within("unanswered", held.unanswered),
            corrections=within("corrections", held.corrections),
        ),
        wards=within("wards", care.wards),
        troubles=within("troubles", care.troubles),
        outside=within("outside", care.outside),
        papers=within("papers", care.papers),
        probes=within("probes", care.probes),
    )


def _thinner(incidents: list[IncidentStatus]) -> list[IncidentStatus]:
    """The incidents, each with the end of its story only when they have no room: each has a page of its own."""
    if _size(incidents) <= ROOM["incidents"]:
        return incidents
    return [
        structs.replace(
            each,
            actors=each.actors[:_FEW],
            accounts=each.accounts[:_FEW],
            assets=each.assets[:_FEW],
            proposals=each.proposals[:_FEW],
            story=each.story[-_FEW:],
        )
        for each in incidents
    ]


def _terse(openings: list[OpeningStatus]) -> list[OpeningStatus]:
    """The openings, with fewer words of people and machines about each when they have no room."""
    for words in _WORDS:
        if _size(openings) <= ROOM["openings"]:
            break
        openings = [
            structs.replace(
                each,
                answers=[structs.replace(a, proof=a.proof[:words], by=a.by[:_NAME]) for a in each.answers],
                checks=[],
                obstacles=each.obstacles[:1] if words else [],
                partner=each.partner[:words],
                visitor=each.visitor[:_NAME],
            )
            for each in openings
        ]
    return openings


def _foremost(these: Sequence[Any], room: int) -> list[Any]:
    """As many from the beginning as there is room for."""
    kept = []
    for each in these:
        room -= _size(each) + 1
        if room < 0:
            break
        kept.append(each)
    return kept


def _size(told: object) -> int:
    return len(msgspec.json.encode(told))
