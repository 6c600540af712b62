"""What the institution answered: who said what, when and why. Answers are added, never overwritten.

A TOML file that a person keeps::

    [[answers]]
    question = "personal-data-breach"
    answer = "yes"                       # yes, no, unknown, or a number
    since = 2026-11-22T09:30:00+01:00    # when it became known: the clock starts here
    by = "M. Dupont, director"
    at = 2026-11-22T10:05:00+01:00       # when it was answered
    why = "files opened from a ward PC"

    [[sent]]
    duty = "gdpr-authority"
    at = 2026-11-22T18:00:00+01:00
    by = "M. Dupont, director"
    proof = "code in the portal's e-mail"

The last answer to a question counts; the earlier ones stay where they are.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rempart.errors import InputRefused, Problem
from rempart.instants import Instant, from_datetime

YES, NO, UNKNOWN = "yes", "no", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. ``value`` is yes, no, unknown or a number; ``since`` is when it became known."""

    question: str
    value: str | float
    by: str
    at: Instant
    since: Instant | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A duty that somebody fulfilled, with the proof."""

    duty: str
    at: Instant
    by: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything answered and sent so far, oldest first."""

    given: tuple[Answer, ...] = ()
    sent: tuple[Sent, ...] = ()

    def latest(self, question: str) -> Answer | None:
        """The answer that counts, or None when nobody was asked."""
        return next((a for a in reversed(self.given) if a.question == question), None)

    def number(self, question: str) -> float | None:
        """The number answered, or None."""
        answer = self.latest(question)
        return answer.value if answer and not isinstance(answer.value, str) else None

    def sending(self, duty: str) -> Sent | None:
        """When and how that duty was last fulfilled."""
        return next((s for s in reversed(self.sent) if s.duty == duty), None)


def parse(text: str, where: str, *, questions: Iterable[str], duties: Iterable[str]) -> Answers:
    """The answers of a TOML text. Raises InputRefused with every mistake at once."""
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(f"not TOML: {error}", where=where, now="Mend that line.") from None
    problems: list[Problem] = [
        Problem(f"unknown section {name!r}", where, "Only [[answers]] and [[sent]] are read.")
        for name in whole.keys() - {"answers", "sent"}
    ]
    given = tuple(
        Answer(
            question=row.one_of("question", questions),
            value=row.value("answer"),
            by=row.text("by"),
            at=row.moment("at"),
            since=row.moment("since") if "since" in row.fields else None,
            why=row.text("why", needed=False),
        )
        for row in _rows(whole, "answers", where, problems)
    )
    sent = tuple(
        Sent(
            duty=row.one_of("duty", duties),
            at=row.moment("at"),
            by=row.text("by"),
            proof=row.text("proof", needed=False),
        )
        for row in _rows(whole, "sent", where, problems)
    )
    if problems:
        raise InputRefused("the answers have mistakes", where=where, problems=tuple(problems))
    return Answers(given, sent)


def _rows(whole: Mapping[str, Any], name: str, where: str, problems: list[Problem]) -> Iterable["_Row"]:
    rows = whole.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.append(Problem(f"{name} is not a list of tables", where, f"Write [[{name}]] before each."))
        return
    for number, fields in enumerate(rows, 1):
        yield _Row(fields, f"{where}: {name} no. {number}", problems)


@dataclass(frozen=True, slots=True)
class _Row:
    """One table being read; what is wrong with it is added to ``problems`` and reading goes on."""

    fields: Mapping[str, Any]
    where: str
    problems: list[Problem]

    def text(self, name: str, *, needed: bool = True) -> str:
        match self.fields.get(name):
            case str(text) if text.strip() or not needed:
                return text
            case None if not needed:
                return ""
        self._wrong(f"{name} is missing or no text", f'Write {name} = "…".')
        return ""

    def one_of(self, name: str, known: Iterable[str]) -> str:
        text = self.text(name)
        if text and text not in known:
            self._wrong(f"{name} {text!r} is not known", f"Known: {', '.join(known)}.")
        return text

    def value(self, name: str) -> str | float:
        match self.fields.get(name):
            case ("yes" | "no" | "unknown") as word:
                return str(word)
            case (int() | float()) as number if not isinstance(number, bool) and number >= 0:
                return number
        self._wrong(f"{name} is not an answer", 'Write "yes", "no", "unknown" or a number.')
        return UNKNOWN

    def moment(self, name: str) -> Instant:
        match self.fields.get(name):
            case datetime() as moment if moment.tzinfo is not None:
                return from_datetime(moment)
        self._wrong(
            f"{name} is not a moment with its offset", f"Write {name} = 2026-11-22T09:30:00+01:00, no quotes."
        )
        return Instant(0)

    def _wrong(self, what: str, mend: str) -> None:
        self.problems.append(Problem(what, self.where, mend))
