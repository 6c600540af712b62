"""What watch says, cut down to what may be sealed: it reads hostile bytes and is itself believed no further."""

from dataclasses import replace

from rempart.detection.finding import Finding
from rempart.errors import InputRefused
from rempart.events.observable import Observable, Role

LONGEST = 200
"""Characters of any text in a finding; the raw line is in the event store."""

LONGEST_PATH = 1_000

MOST_PARTIES = 64
"""Observables of one finding; who acts comes first."""

LARGEST = 2**53 - 1
"""The largest whole number that the journal takes (RFC 7493)."""


def bounded(finding: Finding) -> Finding:
    """The finding with texts, lists and numbers within bounds. Raises `InputRefused` for an id that is none."""
    if not _is_id(finding.id):
        raise InputRefused(f"a finding of the rule {finding.rule[:LONGEST]!r} has no usable id")
    return replace(
        finding,
        rule=finding.rule[:LONGEST],
        title=finding.title[:LONGEST],
        source=finding.source[:LONGEST_PATH],
        author=finding.author[:LONGEST],
        record=number(finding.record),
        count=number(finding.count),
        observables=_parties(finding.observables),
        proofs=(),  # they stay with watch: nothing is decided by them
        tags=(),
    )


def number(said: int) -> int:
    """A count or a place, from 0 to `LARGEST`."""
    return min(max(said, 0), LARGEST)


def _is_id(text: str) -> bool:
    return 8 <= len(text) <= LONGEST and text.isascii() and text.replace("-", "").isalnum()


def _parties(seen: tuple[Observable, ...]) -> tuple[Observable, ...]:
    if len(seen) > MOST_PARTIES:
        seen = tuple(sorted(seen, key=lambda one: one.role is not Role.ACTOR))[:MOST_PARTIES]
    return tuple(_short(one) for one in seen)


def _short(seen: Observable) -> Observable:
    return replace(seen, value=seen.value[:LONGEST]) if len(seen.value) > LONGEST else seen
