"""Duties: whom an incident may oblige the institution to tell, and how much time is left.

Rempart prepares and reckons; it never says that a law applies unless a named person answered so. What is not
answered is still to be asked, and a clock whose start nobody gave has not started: it is then also reckoned, as a
precaution, from the first sign of the incident. The duties themselves are data (``obligations.toml``).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rempart.duties.answers import NO, YES, Answer, Answers, Sent
from rempart.incidents.incident import Incident, Sentence
from rempart.instants import Instant, after, hours
from rempart.site.belgian_time import months_later
from rempart.site.language import Language

NIS2_FTE = 50
"""Size line of NIS2 (Recommendation 2003/361): full-time equivalents."""
NIS2_EUROS = 10_000_000
"""Size line of NIS2: euros of turnover, or of balance sheet, above which a body is medium."""

_SOON = 4
"""A clock is due soon in the last quarter of its time."""


class Applies(StrEnum):
    """Whether a duty holds here."""

    YES = "applies"
    NO = "not-here"
    ASK = "to-ask"


class ClockState(StrEnum):
    """How a duty's clock stands."""

    NOT_STARTED = "not-started"
    ON_REQUEST = "on-request"
    RUNNING = "running"
    DUE_SOON = "due-soon"
    OVERDUE = "overdue"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something only the institution can answer, and why it is asked."""

    id: str
    number: bool
    text: Mapping[str, str]
    """Language to words."""
    why: Mapping[str, str]
    """Language to what hangs on the answer, and how far it is sure."""
    confidence: str
    sources: tuple[str, ...]
    default: str | None = None
    """The answer while nobody gave one, for what is off unless wished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One obligation as the law, or prudence, has it."""

    id: str
    needs: tuple[str, ...]
    starts: str
    """What starts the clock: ``question:<id>``, ``sent:<id>`` or ``incident``."""
    limit_hours: int | None
    limit_months: int | None
    limit_question: str | None
    on_request: bool
    law: Mapping[str, str]
    confidence: str
    """S seen in a published source, G general knowledge to be confirmed, I our inference."""
    sources: tuple[str, ...]
    channel: str
    name: Mapping[str, str]
    recipient: Mapping[str, str]
    fields: Mapping[str, tuple[str, ...]]
    """Language to what must be said."""


@dataclass(frozen=True, slots=True)
class Obligations:
    """All obligations and the questions they hang on, by id."""

    questions: Mapping[str, Question]
    duties: Mapping[str, Obligation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One obligation seen from one incident at one moment."""

    obligation: Obligation
    applies: Applies
    clock: ClockState
    started_at: Instant | None
    due_at: Instant | None
    """None: the clock has not started, or the law gives no number."""
    cautious_due_at: Instant | None
    """While the clock has not started: when it would be due, counted from the first sign seen."""
    open_questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    """The answers this rests on, with who gave them and when."""
    sent: Sent | None
    hints: tuple[Sentence, ...] = ()


def duties_for(
    incident: Incident, answers: Answers, now: Instant, obligations: Obligations
) -> tuple[Duty, ...]:
    """The duties the incident may raise, in the order of the data, as they stand ``now``."""
    return tuple(_duty(each, incident, answers, now, obligations) for each in obligations.duties.values())


def _duty(
    obligation: Obligation, incident: Incident, answers: Answers, now: Instant, whole: Obligations
) -> Duty:
    applies = _applies(obligation, answers, whole)
    sent = answers.sending(obligation.id)
    started = _started(obligation, incident, answers) if applies is not Applies.NO else None
    due = _due(obligation, started, answers)
    cautious = None
    if started is None and applies is not Applies.NO and obligation.starts.startswith("question:"):
        cautious = _due(obligation, incident.opened, answers)
    return Duty(
        obligation=obligation,
        applies=applies,
        clock=_clock(obligation, started, due, sent, now),
        started_at=started,
        due_at=due,
        cautious_due_at=cautious,
        open_questions=_open_questions(obligation, answers, whole) if applies is not Applies.NO else (),
        answers=tuple(a for need in obligation.needs if (a := answers.latest(need))),
        sent=sent,
        hints=_hints(obligation, incident, answers) if applies is Applies.ASK else (),
    )


def _applies(obligation: Obligation, answers: Answers, whole: Obligations) -> Applies:
    said = [_said(need, answers, whole) for need in obligation.needs]
    if NO in said:
        return Applies.NO
    return Applies.YES if all(word == YES for word in said) else Applies.ASK


def _said(question: str, answers: Answers, whole: Obligations) -> str | float | None:
    answer = answers.latest(question)
    return answer.value if answer else whole.questions[question].default


def _open_questions(obligation: Obligation, answers: Answers, whole: Obligations) -> tuple[Question, ...]:
    """The questions without a yes or a no; towards NIS2 also the figures that the scope test asks for."""
    wanted = [need for need in obligation.needs if _said(need, answers, whole) not in (YES, NO)]
    if "nis2-scope" in wanted:
        figures = (
            name for name in whole.questions if whole.questions[name].number and name != "insurance-hours"
        )
        wanted += [name for name in figures if answers.latest(name) is None]
        wanted += [name for name in ("care-given", "independent-it") if answers.latest(name) is None]
    limit = obligation.limit_question
    if limit is not None and answers.number(limit) is None:
        wanted.append(limit)
    return tuple(whole.questions[name] for name in wanted)


def _started(obligation: Obligation, incident: Incident, answers: Answers) -> Instant | None:
    kind, _, name = obligation.starts.partition(":")
    if kind == "incident":
        return incident.opened
    if kind == "sent":
        sending = answers.sending(name)
        return sending.at if sending else None
    answer = answers.latest(name)
    if answer is None or answer.value != YES:
        return None
    return answer.since if answer.since is not None else answer.at


def _due(obligation: Obligation, started: Instant | None, answers: Answers) -> Instant | None:
    if started is None:
        return None
    if obligation.limit_months is not None:
        return months_later(started, obligation.limit_months)
    limit = obligation.limit_hours
    if obligation.limit_question is not None:
        number = answers.number(obligation.limit_question)
        return None if number is None else after(started, hours(number))
    return None if limit is None else after(started, hours(limit))


def _clock(
    obligation: Obligation, started: Instant | None, due: Instant | None, sent: Sent | None, now: Instant
) -> ClockState:
    if sent is not None and (started is None or sent.at >= started):
        return ClockState.SENT
    if started is None:
        return ClockState.ON_REQUEST if obligation.on_request else ClockState.NOT_STARTED
    if due is None:
        return ClockState.RUNNING
    if now > due:
        return ClockState.OVERDUE
    return ClockState.DUE_SOON if (due - now) * _SOON <= due - started else ClockState.RUNNING


def _hints(obligation: Obligation, incident: Incident, answers: Answers) -> tuple[Sentence, ...]:
    hints: list[Sentence] = []
    if "nis2-scope" in obligation.needs and answers.latest("nis2-scope") is None:
        hints.append(_scope_hint(answers))
    unsaid = answers.latest("personal-data-breach") is None
    if "personal-data-breach" in obligation.needs and unsaid and incident.persons_touched:
        hints.append(Sentence("hint.persons", {"persons": incident.persons_touched}))
    return tuple(hints)


def _scope_hint(answers: Answers) -> Sentence:
    """Where the figures lie towards the size line; never whether the law applies."""
    fte, turnover, balance = (answers.number(name) for name in ("fte", "turnover-eur", "balance-eur"))
    figures = {"fte": fte, "turnover": turnover, "balance": balance}
    if (fte or 0) >= NIS2_FTE or max(turnover or 0, balance or 0) > NIS2_EUROS:
        return Sentence("hint.scope-above", figures)
    if fte is None or turnover is None or balance is None:
        return Sentence("hint.scope-missing")
    return Sentence("hint.scope-below", figures)


# -- from data ---------------------------------------------------------------------------------------------------


def parse(text: str) -> Obligations:
    """The obligations of a TOML text shipped with Rempart. Raises KeyError where the data contradict themselves."""
    whole = tomllib.loads(text)
    questions = {row["id"]: _question(row) for row in whole["questions"]}
    duties = {row["id"]: _obligation(row) for row in whole["duties"]}
    for obligation in duties.values():
        for need in obligation.needs:
            questions[need]
        kind, _, name = obligation.starts.partition(":")
        known = {"incident": {""}, "question": questions.keys(), "sent": duties.keys()}
        if name not in known[kind]:
            raise KeyError(obligation.starts)
    return Obligations(questions, duties)


def _spoken(row: Mapping[str, Any]) -> dict[str, Any]:
    """The words in every language. KeyError names the one that is missing."""
    return {language.value: row[language.value] for language in Language}


def _question(row: Mapping[str, Any]) -> Question:
    return Question(
        id=row["id"],
        number=row["kind"] == "number",
        text=_spoken(row),
        why=_spoken(row["why"]),
        confidence=row["confidence"],
        sources=tuple(row["sources"]),
        default=row.get("default"),
    )


def _obligation(row: Mapping[str, Any]) -> Obligation:
    return Obligation(
        id=row["id"],
        needs=tuple(row["needs"]),
        starts=row["starts"],
        limit_hours=row.get("limit_hours"),
        limit_months=row.get("limit_months"),
        limit_question=row.get("limit_question"),
        on_request=row.get("on_request", False),
        law=_spoken(row["law"]),
        confidence=row["confidence"],
        sources=tuple(row["sources"]),
        channel=row["channel"],
        name=_spoken(row["name"]),
        recipient=_spoken(row["recipient"]),
        fields={language: tuple(fields) for language, fields in _spoken(row["fields"]).items()},
    )
