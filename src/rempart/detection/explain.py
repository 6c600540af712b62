"""Turns what rules saw into findings, and findings into plain words."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rempart.detection.finding import Finding, Kind, Outcome, Proof
from rempart.detection.rule import Meaning, RuleCard
from rempart.detection.surroundings import normal
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Instant

MAX_PROOF = 200
"""Characters of one proof."""
MAX_ARGUMENT = 120
"""Characters of one argument of a sentence."""
MAX_PROOFS = 12

_DEVICE = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_PERSON = "person"


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain sentence as data: a key of `rempart.detection.words.WORDS` and its arguments (text or whole numbers)."""

    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def observables(meaning: Meaning, fields: Mapping[str, Any]) -> tuple[Observable, ...]:
    """The things an event speaks of, in the parts that the rule gives them. An account is the victim of its misuse."""
    seen: dict[Observable, None] = {}
    for names, role in ((meaning.actors, Role.ACTOR), (meaning.victims, Role.VICTIM)):
        for value in _texts(fields, names):
            seen[_thing(role, value)] = None
    for value in _texts(fields, meaning.accounts):
        seen[Observable(ObservableKind.ACCOUNT, Role.VICTIM, value)] = None
    return tuple(seen)


def _texts(fields: Mapping[str, Any], names: Iterable[str]) -> Iterable[str]:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value not in ("", "-"):
            yield str(value)[:MAX_PROOF]


@lru_cache(maxsize=16_384)
def _thing(role: Role, value: str) -> Observable:
    if address := normal(value):
        return Observable(ObservableKind.ADDRESS, role, str(address))
    kind = ObservableKind.DEVICE if _DEVICE.fullmatch(value.lower()) else ObservableKind.HOST
    return Observable(kind, role, value)


def identity(rule: str, group: Iterable[str], event: Event) -> str:
    """The finding's id: the same rule, group and deciding event give the same id on any run."""
    parts = [rule, *group, event.source, str(event.record), str(event.time)]
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()[:32]


def finding(
    card: RuleCard,
    event: Event,
    time: Instant,
    *,
    group: Iterable[str] = (),
    things: Iterable[Observable] = (),
    proofs: Iterable[Proof] = (),
    count: int = 1,
) -> Finding:
    """The finding of one rule. ``event`` decided it; ``group`` and ``things`` come from all events behind it."""
    meaning = card.meaning
    return Finding(
        id=identity(card.id, group, event),
        rule=card.id,
        title=card.title,
        level=card.level,
        kind=meaning.kind,
        outcome=meaning.outcome,
        time=time,
        source=event.source,
        record=event.record,
        spoofable=meaning.spoofable,
        observables=tuple(things),
        proofs=_discreet(proofs, event.fields.get(_PERSON)),
        tags=card.tags,
        author=card.author,
        count=count,
    )


def _discreet(proofs: Iterable[Proof], person: object) -> tuple[Proof, ...]:
    """Proofs without the number of the person whose file it is: a finding is kept for years and shown to many."""
    kept = []
    for proof in proofs:
        value = proof.value
        if isinstance(person, str) and person:
            value = "…" if proof.field == _PERSON else value.replace(person, "…")
        kept.append(Proof(proof.field[:MAX_PROOF], value[:MAX_PROOF]))
    return tuple(kept[:MAX_PROOFS])


def sentence(seen: Finding) -> Plain:
    """What the finding means to a person who is not from the trade. Its words are in `rempart.detection.words`."""
    accounts = seen.those(Role.VICTIM, ObservableKind.ACCOUNT)
    things = [each for each in seen.observables if each.kind is not ObservableKind.ACCOUNT]
    actors = [each.value for each in things if each.role is Role.ACTOR]
    victims = [each.value for each in things if each.role is Role.VICTIM]
    arguments = {
        "actor": _some(actors),
        "victim": _some(victims),
        "account": _some(list(accounts)),
        "count": seen.count,
        "title": seen.title[:MAX_ARGUMENT],
    }
    return Plain(_key(seen, accounts), {name: word for name, word in arguments.items() if word != ""})


def _key(seen: Finding, accounts: tuple[str, ...]) -> str:
    if seen.outcome is Outcome.BLOCKED:
        return "finding.blocked"
    if seen.kind is Kind.GUESSING:
        return "finding.guessing.account" if len(accounts) == 1 else "finding.guessing.accounts"
    return f"finding.{seen.kind}"


def _some(values: list[str]) -> str:
    """The first value, and how many more there are."""
    more = f" (+{len(values) - 1})" if len(values) > 1 else ""
    return values[0][: MAX_ARGUMENT - len(more)] + more if values else ""
