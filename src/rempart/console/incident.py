"""The pages of incidents: the list, gravest first, and one incident with its story, its case and its duties."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from rempart.adapters import shipped
from rempart.console.incident_timeline import Timeline, by, timeline
from rempart.console.naming import Names
from rempart.console.when import day, length, moment
from rempart.console.words import SENTENCES, Words, plain
from rempart.detection.finding import Kind, Level
from rempart.duties import duty
from rempart.duties.answers import Answer, Answers
from rempart.duties.duty import Applies, Duty, duties_for
from rempart.engine import retention
from rempart.engine.facts import MACHINE
from rempart.incidents.casefile import (
    MOST_FILE_BYTES,
    Attachment,
    CaseFile,
    Comment,
    Deed,
    Erasure,
    Qualified,
)
from rempart.incidents.incident import Incident, IncidentState, Qualification, Sentence
from rempart.incidents.qualification import Author, Ending, Intent, Ransom
from rempart.incidents.ranking import GRAVEST
from rempart.instants import Instant, hours
from rempart.messages import IncidentFile, IncidentStatus, Status
from rempart.site.site import Language, Site

INCIDENTS = "/incidents"

INCIDENT_PAPERS = ("timeline", "complaint")
"""The papers of an incident, in the order in which they are shown."""

_PARTS: dict[str, type[Author | Intent | Ransom | Ending]] = {
    "author": Author,
    "intent": Intent,
    "ransom": Ransom,
    "outcome": Ending,
}

OBLIGATIONS = duty.parse(shipped.text("duties/obligations.toml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One incident of the list."""

    address: str
    id: str
    said: str
    state: str
    word: str
    since: str
    seen: str
    assigned: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentsPage:
    """All incidents that the station shows."""

    running: Annotated[tuple[Row, ...], "Those that are not closed, the gravest first."]
    closed: Annotated[tuple[Row, ...], "Those that are closed, the latest first."]
    known: Annotated[bool, "Whether the guard answers."]
    texts: Annotated[Mapping[str, str], "The words of incidents."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One finding, as it stands in the log."""

    id: str
    at: str
    rule: str
    title: str
    parties: str
    source: str
    count: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done, when, by whom, why."""

    at: str
    what: str
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A person's words: when, who, what."""

    at: str
    who: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An attached file."""

    address: str
    name: str
    size: str
    sha256: str
    said: Said
    erased: str
    """That its bytes are gone, by whom and why; empty: they are kept."""
    until: str
    """Until when they are kept, and what keeps them longer; empty: they are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One field of the qualification with its values."""

    name: str
    label: str
    values: tuple[tuple[str, str], ...]
    held: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedHere:
    """A question whether something applies here, with where it comes from and what was answered."""

    id: str
    text: str
    why: str
    confidence: str
    sources: tuple[str, ...]
    number: bool
    answers: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A duty to tell somebody, as far as people have answered."""

    id: str
    name: str
    applies: str
    word: str
    recipient: str
    law: str
    confidence: str
    clock: str
    fields: tuple[str, ...]
    sent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """One incident as whoever looks may see it."""

    id: str
    csrf: str
    said: Annotated[str, "The incident in one sentence."]
    word: Annotated[str, "Its state, in a word."]
    since: str
    became: Annotated[str, "Of which incident it was a part, is one, or from which it was taken."]
    facts: Annotated[tuple[tuple[str, str], ...], "Who, what, where, how sure."]
    story: Annotated[tuple[tuple[str, str], ...], "When, and what happened, in order."]
    details: Annotated[tuple[Detail, ...], "The findings, for those who check on things."]
    unkept: Annotated[str, "How many findings are in the journal only."]
    done: tuple[Done, ...]
    unknown: Annotated[tuple[str, ...], "What is still unknown, in sentences."]
    picture: Timeline | None
    qualified: Annotated[tuple[Said, ...], "What it was thought to be, the latest first."]
    choices: tuple[Choice, ...]
    assigned: str
    comments: tuple[Said, ...]
    files: tuple[Kept, ...]
    papers: Annotated[tuple[tuple[str, str], ...], "Papers to print, for those who check: address and name."]
    staff: tuple[tuple[str, str], ...]
    assignee: str
    others: Annotated[tuple[tuple[str, str], ...], "Incidents that may be part of it: id and sentence."]
    questions: Annotated[tuple[AskedHere, ...], "What only the institution can answer."]
    duties: tuple[Owed, ...]
    law_language: Annotated[str, "Language of the questions and duties."]
    may: frozenset[str]
    largest: str
    refusal: str
    advice: str
    texts: Annotated[Mapping[str, str], "The words of incidents."]


def incidents_page(status: Status | None, names: Names, words: Words) -> IncidentsPage:
    """The list."""
    shown = status.incidents if status else []
    now = status.now if status else Instant(0)
    running = sorted((i for i in shown if i.state is not IncidentState.CLOSED), key=_weight, reverse=True)
    closed = sorted((i for i in shown if i.state is IncidentState.CLOSED), key=lambda i: -i.last_seen)
    return IncidentsPage(
        running=tuple(_row(each, now, names, words) for each in running),
        closed=tuple(_row(each, now, names, words) for each in closed),
        known=status is not None,
        texts=words.under("case"),
    )


def _weight(incident: IncidentStatus) -> tuple[int, int, int]:
    """The graver, the greater."""
    kinds = [GRAVEST.index(Kind(kind)) for kind in incident.kinds if kind in set(Kind)]
    return (incident.level, -min(kinds, default=len(GRAVEST)), incident.last_seen)


def _row(incident: IncidentStatus, now: Instant, names: Names, words: Words) -> Row:
    return Row(
        address=f"{INCIDENTS}/{incident.id}",
        id=plain(incident.id),
        said=tell(incident.summary, names, words),
        state=incident.state.value,
        word=words.say(f"case.state-{incident.state.value}"),
        since=moment(incident.opened, now, words),
        seen=moment(incident.last_seen, now, words),
        assigned=plain(incident.assigned) if names.addresses else "",
    )


def _begun(sentence: str) -> str:
    """With its first letter as a sentence begins: some begin with *an unknown address*."""
    return sentence[:1].upper() + sentence[1:]


def tell(sentence: Sentence, names: Names, words: Words) -> str:
    """A sentence of the story with the names that people use."""
    told = dict(sentence.arguments)
    for key, otherwise in (
        ("asset", "machine"),
        ("assets", "machine"),
        ("actor", "address"),
        ("opening", "machine"),
    ):
        if told.get(key):
            told[key] = names.of_all(str(told[key]).split(", "), otherwise)
    for key in ("asset", "assets"):
        if key in told and not told[key]:
            told[key] = words.say("word.some-machine")
    if "by" in told:
        told["by"] = by(str(told["by"]), words)
    return words.tell(Sentence(sentence.key, told))


def incident_page(
    file: IncidentFile,
    status: Status | None,
    site: Site,
    words: Words,
    csrf: str,
    *,
    checking: bool,
    refusal: str = "",
    advice: str = "",
) -> IncidentPage:
    """The page of one incident; ``checking``: the reader may see technical detail."""
    incident, case, now = file.incident, file.case, file.now
    names = Names(site, words, addresses=checking)
    paper = words.language
    owed = _duties(file, now)
    return IncidentPage(
        id=incident.id,
        csrf=csrf,
        said=tell(incident.summary, names, words),
        word=words.say(f"case.state-{incident.state.value}"),
        since=words.say(
            "happening.since",
            since=moment(incident.opened, now, words),
            seen=moment(incident.last_seen, now, words),
        ),
        became=_became(case, words),
        facts=tuple(_facts(file, names, words, checking=checking)),
        story=tuple(
            (moment(at, now, words), _begun(tell(each, names, words))) for at, each in incident.story
        ),
        details=tuple(_details(case, now, words)),
        unkept=words.say("case.unkept", count=case.unkept) if case.unkept else "",
        done=tuple(_done(deed, now, names, words) for deed in case.deeds),
        unknown=tuple(_unknown(file, words, checking=checking)),
        picture=_picture(file, names, words),
        qualified=tuple(_qualified(case, now, words)),
        choices=tuple(_choice(name, kind, incident.qualification, words) for name, kind in _PARTS.items()),
        assigned=plain(file.staff.get(case.assignee, case.assignee)),
        comments=tuple(_said(each, whole(each.text), now, words) for each in case.comments),
        files=tuple(_kept(incident.id, each, site.files_kept_days, now, words) for each in case.files),
        papers=tuple(_papers(incident.id, words)) if checking else (),
        staff=tuple((person, plain(name)) for person, name in sorted(file.staff.items())),
        assignee=case.assignee,
        others=tuple(
            (each.id, tell(each.summary, names, words))
            for each in (status.incidents if status and "MergeIncidents" in file.may else ())
            if each.id != incident.id
        ),
        questions=tuple(_questions(owed, file.answers, now, words, paper)) if file.answers else (),
        duties=tuple(_owed(each, now, words, paper) for each in owed),
        law_language=paper.value,
        may=frozenset(file.may),
        largest=words.say("case.largest", count=MOST_FILE_BYTES // 1024),
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        texts=words.under("case"),
    )


def _picture(file: IncidentFile, names: Names, words: Words) -> Timeline | None:
    """Doors along time, from an hour before it began until it closed, or now."""
    incident = file.incident
    closed = incident.state is IncidentState.CLOSED
    ends = max([incident.last_seen, *(swing.at for swing in file.swings)]) if closed else file.now
    began = Instant(incident.opened - hours(1))
    told = [at for at, _ in incident.story]
    return timeline(file.swings, told, began, ends, file.now, names, words)


def _qualified(case: CaseFile, now: Instant, words: Words) -> Iterator[Said]:
    """What it was taken for, the latest first."""
    for each in reversed(case.qualified):
        yield _said(each, _qualification(each.said, each.note, words), now, words)


def _kept(incident: str, file: Attachment, days: int, now: Instant, words: Words) -> Kept:
    return Kept(
        address=f"{INCIDENTS}/{incident}/files/{file.sha256}",
        name=plain(file.name),
        size=words.say("case.bytes", count=file.size),
        sha256=file.sha256,
        said=_said(file, whole(file.note), now, words),
        erased=_erased(file.erased, now, words) if file.erased else "",
        until="" if file.erased else _until(file.at, days, words),
    )


def _papers(incident: str, words: Words) -> Iterator[tuple[str, str]]:
    for kind in INCIDENT_PAPERS:
        address = f"{INCIDENTS}/{incident}/papers/{kind}?lang={words.language.value}"
        yield address, words.say(f"paper.{kind}")


def _until(attached: Instant, days: int, words: Words) -> str:
    end = retention.ends(attached, days)
    return words.say("case.kept-until", day=day(end, words)) if end else words.say("case.kept")


def _erased(erased: Erasure, now: Instant, words: Words) -> str:
    if erased.by == MACHINE:
        return words.say("case.erased-by-itself", at=moment(erased.at, now, words), why=whole(erased.reason))
    return words.say(
        "case.erased", who=by(erased.by, words), at=moment(erased.at, now, words), why=whole(erased.reason)
    )


def _said(each: Qualified | Comment | Attachment, what: str, now: Instant, words: Words) -> Said:
    return Said(at=moment(each.at, now, words), who=by(each.by, words), what=what)


def whole(text: str) -> str:
    """A longer text of a person, made visible piece by piece so that none of it is cut off."""
    return "".join(plain(text[start : start + 100]) for start in range(0, len(text), 100))


def _became(case: CaseFile, words: Words) -> str:
    told = []
    if case.split_from:
        told.append(words.say("case.split-from", other=case.split_from))
    if case.split_off:
        told.append(words.say("case.split-off", other=", ".join(case.split_off)))
    if case.absorbed:
        told.append(words.say("case.absorbed", other=", ".join(case.absorbed)))
    return " ".join(told)


def _facts(file: IncidentFile, names: Names, words: Words, *, checking: bool) -> Iterator[tuple[str, str]]:
    """Who, what, where, how sure."""
    incident = file.incident
    author = words.say(f"case.author-{_known(incident.qualification.author, Author)}")
    actors = names.of_all(incident.actors[:5], "address") if checking and incident.actors else ""
    yield words.say("case.who"), f"{author} {f'({actors})' if actors else ''}".strip()
    if checking and incident.accounts:
        yield words.say("fact.accounts"), ", ".join(plain(each) for each in incident.accounts)
    yield words.say("case.what"), tell(incident.summary, names, words)
    yield (
        words.say("case.where"),
        names.of_all(incident.assets) if incident.assets else words.say("word.some-machine"),
    )
    judged = file.case.qualified
    sure = "person" if judged else "machine"
    at = moment(judged[-1].at, file.now, words) if judged else ""
    yield words.say("case.sure"), words.say(f"case.sure-{sure}", **({"at": at} if judged else {}))
    if checking:
        touched = incident.persons_touched
        told = (
            words.say("case.uncounted") if touched is None else words.say("fact.persons-seen", count=touched)
        )
        yield words.say("fact.persons"), told


def _unknown(file: IncidentFile, words: Words, *, checking: bool) -> Iterator[str]:
    """What nobody knows yet, sentence by sentence."""
    incident, said = file.incident, file.incident.qualification
    for name, kind in _PARTS.items():
        if _known(getattr(said, name), kind) == "unknown":
            yield words.say(f"case.unknown-{name}")
    if not {"intrusion", "guessing", "probe"} & set(incident.kinds):
        yield words.say("case.unknown-way-in")
    if checking and incident.persons_touched is None:
        yield words.say("case.unknown-persons")
    yield words.say("case.unknown-unseen")


def _known(value: str, kind: type[Author | Intent | Ransom | Ending]) -> str:
    """The value if it is one of those that are known today; older journals hold free text."""
    return value if value in {each.value for each in kind} else "unknown"


def _qualification(said: Qualification, note: str, words: Words) -> str:
    parts = []
    for name, kind in _PARTS.items():
        value = getattr(said, name)
        known = _known(value, kind)
        shown = plain(value) if known != value else words.say(f"case.{name}-{value}")
        parts.append(f"{words.say(f'case.{name}')} {shown}")
    return words.say("word.and-also").join(parts) + (f". {whole(note)}" if note else ".")


def _choice(
    name: str, kind: type[Author | Intent | Ransom | Ending], said: Qualification, words: Words
) -> Choice:
    return Choice(
        name=name,
        label=words.say(f"case.{name}"),
        values=tuple((each.value, words.say(f"case.{name}-{each.value}")) for each in kind),
        held=_known(getattr(said, name), kind),
    )


def _details(case: CaseFile, now: Instant, words: Words) -> Iterator[Detail]:
    for seen in case.seen:
        parties = (*seen.actors, *seen.assets, *seen.hosts, *seen.victims, *seen.accounts)
        yield Detail(
            id=seen.finding,
            at=moment(seen.at, now, words),
            rule=plain(seen.rule),
            title=plain(seen.title),
            parties=", ".join(plain(each) for each in dict.fromkeys(parties)),
            source=f"{plain(seen.source)}, {seen.record}",
            count=words.say("case.times", count=max(seen.count, seen.tally)),
        )


def _done(deed: Deed, now: Instant, names: Names, words: Words) -> Done:
    key = f"case.did-{deed.what}"
    target = names.of(deed.target, "address") if deed.target else ""
    if deed.what in ("merged", "split"):
        target = plain(deed.target)
    if deed.what == "answered":
        target = (
            plain(OBLIGATIONS.questions[deed.target].text[words.language.value])
            if deed.target in OBLIGATIONS.questions
            else ""
        )
    if deed.what == "told":
        target = (
            plain(OBLIGATIONS.duties[deed.target].name[words.language.value])
            if deed.target in OBLIGATIONS.duties
            else ""
        )
    return Done(
        at=moment(deed.at, now, words),
        what=words.say(key, target=target) if words.has(key) else plain(f"{deed.what} {target}"),
        who=by(deed.by, words),
        why=whole(deed.reason),
    )


# -- whom it may oblige to tell ----------------------------------------------------------------------------------


def _duties(file: IncidentFile, now: Instant) -> tuple[Duty, ...]:
    """The duties, for whoever may see them."""
    return owed_for(file.incident, file.answers, now) if file.answers is not None else ()


def owed_for(shown: IncidentStatus, answers: Answers, now: Instant) -> tuple[Duty, ...]:
    """The duties that an incident may raise, as answers stand."""
    incident = Incident(
        id=shown.id,
        opened=shown.opened,
        last_seen=shown.last_seen,
        state=shown.state,
        level=Level(shown.level),
        kinds=frozenset(),
        actors=frozenset(),
        accounts=frozenset(),
        assets=frozenset(),
        findings=shown.findings,
        persons_touched=shown.persons_touched,
    )
    return duties_for(incident, answers, now, OBLIGATIONS)


def _questions(
    owed: Sequence[Duty], answers: Answers, now: Instant, words: Words, paper: Language
) -> Iterator[AskedHere]:
    """Every question that is open or was answered, those that are open first."""
    pending = {question.id for each in owed for question in each.open_questions}
    answered = {answer.question for answer in answers.given}
    wanted = [q for q in OBLIGATIONS.questions.values() if q.id in pending | answered]
    for question in sorted(wanted, key=lambda q: q.id not in pending):
        given = [answer for answer in answers.given if answer.question == question.id]
        yield AskedHere(
            id=question.id,
            text=question.text[paper],
            why=question.why[paper],
            confidence=words.say(f"case.confidence-{question.confidence}"),
            sources=question.sources,
            number=question.number,
            answers=tuple(_answer(each, now, words) for each in reversed(given)),
        )


def _answer(answer: Answer, now: Instant, words: Words) -> Said:
    value = words.say(f"case.reply-{answer.value}") if isinstance(answer.value, str) else str(answer.value)
    since = f" {words.say('case.since', at=moment(answer.since, now, words))}" if answer.since else ""
    why = f" — {whole(answer.why)}" if answer.why else ""
    return Said(at=moment(answer.at, now, words), who=by(answer.by, words), what=f"{value}{since}{why}")


def _owed(each: Duty, now: Instant, words: Words, paper: Language) -> Owed:
    what = each.obligation
    by_default = each.applies is Applies.NO and not each.answers
    return Owed(
        id=what.id,
        name=what.name[paper],
        applies=each.applies.value,
        word=words.say(f"case.applies-{'by-default' if by_default else each.applies.value}"),
        recipient=" ".join(filter(None, (what.recipient[paper], what.channel))),
        law=what.law[paper],
        confidence=words.say(f"case.confidence-{what.confidence}"),
        clock=_clock(each, now, words),
        fields=what.fields[paper],
        sent=words.say(
            "case.sent-on",
            at=moment(each.sent.at, now, words),
            by=by(each.sent.by, words),
            proof=each.sent.proof,
        )
        if each.sent
        else "",
    )


def _clock(each: Duty, now: Instant, words: Words) -> str:
    """The clock, in words; there is none until a person has said that the duty applies."""
    if each.applies is not Applies.YES or each.started_at is None:
        return words.say("case.no-clock") if each.applies is not Applies.NO else ""
    if each.due_at is None:
        return words.say("case.clock-open", at=moment(each.started_at, now, words))
    at = moment(each.due_at, now, words)
    if each.due_at < now:
        return words.say("case.clock-over", at=at, late=length(now - each.due_at, words))
    return words.say("case.clock-runs", at=at, left=length(each.due_at - now, words))
