"""Turns what rules saw into findings, and findings into plain words."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.meaning import Meaning
from rempart.detection.rule import RuleCard
from rempart.detection.surroundings import normal
from rempart.detection.tactic import tactics, techniques
from rempart.detection.words import WORDS, english
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

    @property
    def english(self) -> str:
        """The sentence in English: plain text, hostile arguments made visible and cut."""
        return english(self.key, self.arguments)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A finding told to a person who is not from the trade: one sentence for each thing they ask."""

    seen: Plain
    """What was seen."""
    where: Plain | None
    """On which machine and with which account; None where ``seen`` says so."""
    sure: Plain
    """How sure it is, and whether to hurry."""
    caution: Plain | None
    """Why it may be somebody else's doing."""
    means: Plain
    """What it usually means."""

    @classmethod
    def of(cls, seen: Finding) -> Self:
        """The whole finding in plain words. It depends on nothing but the finding."""
        first = sentence(seen)
        return cls(
            seen=first,
            where=_where(first),
            sure=Plain(f"sure.{seen.level.name.lower()}"),
            caution=Plain("sure.forgeable") if seen.spoofable else None,
            means=Plain(_meant(seen)),
        )

    @property
    def sentences(self) -> tuple[Plain, ...]:
        """All that is said, in the order in which it is read."""
        said = (self.seen, self.where, self.means, self.sure, self.caution)
        return tuple(each for each in said if each is not None)

    @property
    def english(self) -> str:
        """All of it in English, one sentence after the other."""
        return " ".join(each.english for each in self.sentences)


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
    """What was seen, in one sentence. Its words are in `rempart.detection.words`."""
    accounts = seen.those(Role.VICTIM, ObservableKind.ACCOUNT)
    things = [each for each in seen.observables if each.kind is not ObservableKind.ACCOUNT]
    actors = [each.value for each in things if each.role is Role.ACTOR]
    victims = [each.value for each in things if each.role is Role.VICTIM]
    arguments = {
        "actor": _some(actors),
        "victim": _some(victims),
        "account": _some(list(accounts)),
        "count": seen.count,
        "title": seen.title.rstrip(".")[:MAX_ARGUMENT],
    }
    known = {name: word for name, word in arguments.items() if word != ""}
    return Plain(_key(seen, known, len(accounts)), known)


def _key(seen: Finding, known: Mapping[str, object], accounts: int) -> str:
    """A rule that looked into a machine is told by what it looked at; else by what the finding usually means."""
    proved = {proof.field for proof in seen.proofs}
    if looked := _first(_IN_MACHINES, proved) or _numbered(seen):
        return looked
    if seen.outcome is Outcome.BLOCKED and {"actor", "victim"} <= known.keys():
        return "finding.blocked"
    if (
        seen.level is Level.INFORMATIONAL
        or seen.kind is Kind.OTHER
        or not _NEEDED.get(seen.kind, frozenset()) <= known.keys()
    ):
        return _first(_ELSEWHERE, proved) or "finding.other"
    if seen.kind is Kind.GUESSING:
        return "finding.guessing.account" if accounts == 1 else "finding.guessing.accounts"
    return f"finding.{seen.kind}"


def _numbered(seen: Finding) -> str | None:
    """Some rules ask for nothing but the number of an event of Windows; then the number tells what it was about."""
    numbers = (_NUMBERS.get(proof.value) for proof in seen.proofs if proof.field == "EventID")
    return next(filter(None, numbers), None)


def _first(table: Mapping[str, frozenset[str]], proved: set[str]) -> str | None:
    return next((key for key, fields in table.items() if fields & proved), None)


def _where(seen: Plain) -> Plain | None:
    """The machine and the account, where the first sentence does not name them."""
    words = WORDS[seen.key]
    known = [n for n in ("victim", "account") if n in seen.arguments and f"{{{n}}}" not in words]
    if not known and not seen.key.startswith(("seen.", "finding.other")):
        return None
    key = "where." + (".".join(known).replace("victim", "machine") or "unknown")
    return Plain(key, {name: seen.arguments[name] for name in known})


def _meant(seen: Finding) -> str:
    """The key of the gravest technique that has words of its own, else of the latest tactic of the attack.

    What is mostly harmless does not *usually mean* a theft: of it only the aim that attackers have is told.
    """
    named = techniques(seen.tags) if seen.level >= Level.MEDIUM else ()
    keys = {f"means.{each.partition('.')[0].lower()}" for each in named}
    latest = [f"means.{tactic}" for tactic in reversed(tactics(seen.tags))]
    return next((key for key in WORDS if key in keys), next(iter(latest), "means.unknown"))


def _some(values: list[str]) -> str:
    """The first value, and how many more there are."""
    more = f" (+{len(values) - 1})" if len(values) > 1 else ""
    return values[0][: MAX_ARGUMENT - len(more)] + more if values else ""


# What a claim about who did what needs to be known; without it only what was looked at is told.
_NEEDED = {
    Kind.COMMAND: {"actor", "victim"},
    Kind.EXFILTRATION: {"actor", "victim"},
    Kind.INTRUSION: {"actor"},
    Kind.SIGN_IN: {"actor"},
    Kind.RECORDS: {"account"},
    Kind.DEVICE: {"victim"},
}


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


# The field that proves it tells what a rule looked at, the most particular first: the Sigma taxonomy for Windows and
# Linux, whose fields are those of Sysmon, of the Security log and of auditd.
_IN_MACHINES = {
    "seen.malware": _fields("ThreatName Threat_Name SourceName ThreatID Signature")
    | {"Threat Name", "Threat ID"},
    "seen.setting": _fields("TargetObject Details NewName ObjectValueName"),
    "seen.reach": _fields("TargetImage CallTrace GrantedAccess SourceImage StartModule StartFunction"),
    "seen.library": _fields("ImageLoaded Signed SignatureStatus"),
    "seen.pipe": _fields("PipeName"),
    "seen.name": _fields("QueryName QueryResults query record_type"),
    "seen.connection": _fields("DestinationIp DestinationHostname DestinationPort Initiated Application"),
    "seen.file": _fields("TargetFilename Contents CreationUtcTime"),
    "seen.script": _fields("ScriptBlockText Payload ContextInfo HostApplication Data"),
    "seen.service": _fields(
        "ServiceName ServiceFileName ServiceType StartType ImagePath TaskName TaskContent"
    ),
    "seen.program": _fields(
        "CommandLine Image OriginalFileName ParentImage ParentCommandLine NewProcessName ProcessName Company"
        " ParentProcessName Product Description Hashes Imphash IntegrityLevel CurrentDirectory exe comm a0 a1 a2"
    ),
    "seen.object": _fields(
        "ObjectName ObjectType ObjectServer ObjectClass AccessMask Accesses ShareName RelativeTargetName Properties"
        " AttributeLDAPDisplayName AttributeValue ObjectDN"
    ),
    "seen.account": _fields(
        "LogonType LogonProcessName AuthenticationPackageName WorkstationName TicketOptions TicketEncryptionType"
        " MemberName MemberSid SamAccountName NewUacValue TargetSid TargetUserSid SubjectUserSid PrivilegeList"
        " TargetUserName SubjectUserName IpAddress"
    ),
}
_NUMBERS = {
    number: key
    for key, numbers in {
        "seen.malware": "1006 1007 1008 1009 1015 1116 1117 1118 1119",
        "seen.emptied": "1102 104 517",
        "seen.service": "4697 7045 4698 4699 4700 4701 4702 106 140 141",
        "seen.account": "4624 4625 4648 4672 4720 4722 4723 4724 4725 4726 4727 4728 4729 4730 4731 4732 4733 4735"
        " 4737 4738 4740 4741 4742 4743 4756 4757 4765 4766 4767 4768 4769 4770 4771 4776 4781 4964",
        "seen.object": "4656 4661 4662 4663 4670 5136 5137 5140 5141 5145",
        "seen.program": "4688",
    }.items()
    for number in numbers.split()
}
_ELSEWHERE = {
    "seen.web": _fields(
        "cs-uri cs-uri-stem cs-uri-query c-uri cs-method sc-status cs-referer cs-host c-uri-extension"
    )
    | _fields("c-useragent cs-user-agent c-uri-query cs-cookie r-dns"),
    "seen.hosted": _fields(
        "eventName eventSource operationName Operation eventType riskEventType CategoryValue"
    )
    | _fields("gcp.audit.method_name properties.message action actionName debugContext.debugData.factor"),
}
