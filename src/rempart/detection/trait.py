"""A trait: one field and its value by which an exception may name what a finding is about. None names a person.

What a page offers for "this is normal here" is kept beside the finding for weeks, so nothing is kept that would tell
who a worker is: no account, no path below a person's folder, no mail address. An exception that must name an account
is made on the box (`rempart rules except`), where the log itself can be read.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from rempart.detection.exception import is_plain
from rempart.detection.finding import Finding, Proof
from rempart.detection.surroundings import normal
from rempart.events.observable import Observable, ObservableKind

LONGEST = 200
"""Characters of a value; an exception compares the whole value, so that one cut short would hide nothing."""

MOST = 8
"""Traits of one finding."""

_PERSONAL = re.compile(
    r"user|account|logon|member|login|owner|person|sid$|subject|principal|mail|uid|caller|identity",
    re.IGNORECASE,
)
"""Names of fields that hold accounts, in the taxonomies of Sigma, Windows, auditd and the clouds."""

_TELLING = re.compile(r"[\\/](users|home|profiles|documents and settings)[\\/]|@", re.IGNORECASE)
"""Paths below a person's folder, and mail addresses."""

_KEPT = "EventID"
"""Tells what an event of Windows is about; `rempart.detection.explain` reads it."""


class Trait(msgspec.Struct, frozen=True, order=True):
    """``field`` had ``value`` in the event, or in the group, that a finding is about."""

    field: str
    value: str


def traits(
    seen: Finding, fields: Mapping[str, Any], group_by: Iterable[str] | None = None
) -> tuple[Trait, ...]:
    """What an exception may name of a finding, the machines and addresses first.

    ``fields`` are those of the event that decided it; ``group_by`` the fields by which a correlation counts, None
    when the finding is no correlation's: an exception from one is held against its group only.
    """
    accounts = {each.value.lower() for each in seen.observables if each.kind is ObservableKind.ACCOUNT}
    if group_by is not None:
        named = [(proof.field, proof.value) for proof in seen.proofs if proof.field in set(group_by)]
    else:
        things = {each.value for each in seen.observables if each.kind is not ObservableKind.ACCOUNT}
        named = [(name, text) for name, value in fields.items() if _thing(text := str(value)) in things]
        named += [(proof.field, proof.value) for proof in seen.proofs if _whole(proof, fields)]
    told = (Trait(name, value) for name, value in named if _tellable(name, value, accounts))
    return tuple(dict.fromkeys(told))[:MOST]


def discreet(seen: Finding, known: Iterable[Trait], masked: Callable[[str], str]) -> Finding:
    """The finding as it may be kept and shown: accounts behind masks, of proofs only what a trait tells."""
    told = {(each.field, each.value) for each in known}
    return replace(
        seen,
        observables=tuple(_behind(each, masked) for each in seen.observables),
        proofs=tuple(
            proof if (proof.field, proof.value) in told or proof.field == _KEPT else Proof(proof.field, "")
            for proof in seen.proofs
        ),
    )


def _behind(thing: Observable, masked: Callable[[str], str]) -> Observable:
    return replace(thing, value=masked(thing.value)) if thing.kind is ObservableKind.ACCOUNT else thing


def _thing(text: str) -> str:
    """A value as an observable has it."""
    address = normal(text) if len(text) <= LONGEST else None
    return str(address) if address else text


def _whole(proof: Proof, fields: Mapping[str, Any]) -> bool:
    """Whether the proof is the field's whole value: neither cut nor made discreet."""
    return str(fields.get(proof.field)) == proof.value


def telling(name: str, value: str) -> bool:
    """Whether this can be told to whoever looks at a page: it does not seem to name a person."""
    return not _PERSONAL.search(name) and not _TELLING.search(value)


def _tellable(name: str, value: str, accounts: Iterable[str]) -> bool:
    lowered = value.lower()
    return (
        0 < len(value) < LONGEST
        and value != "-"
        and is_plain(value)  # as an exception must be, whatever a log says
        and "*" not in value  # it would stand for anything in an exception
        and telling(name, value)
        and not any(account and account in lowered for account in accounts)
    )
