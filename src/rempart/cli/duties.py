"""``rempart duties``: whom an incident may oblige the institution to tell, and how much time is left."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rempart.adapters import shipped
from rempart.adapters.clock import SystemClock
from rempart.adapters.site_file import read_text
from rempart.cli import _incident, _operator
from rempart.cli._terminal import harmless
from rempart.duties import answers as given
from rempart.duties import duty, words
from rempart.duties.answers import Answers
from rempart.duties.duty import Applies, Duty, Obligations, duties_for
from rempart.duties.words import Words
from rempart.errors import ExitCode
from rempart.instants import Instant, rfc3339
from rempart.site.belgian_time import belgian
from rempart.site.language import Language

_DESCRIPTION = """\
Lists the duties an incident may raise, each with its clock and whether it applies here. Nothing is asserted that a
named person did not answer: see docs/operating/papers.md for the answers file. Not legal advice.

exit codes: 0 shown, 1 a clock is overdue, 2 no such incident, or a file cannot be used"""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart duties``."""
    parser = verbs.add_parser(
        "duties",
        help="whom an incident may oblige you to tell, and by when",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("incident", metavar="INCIDENT", nargs="?", help="its id (default: the latest)")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="what the institution answered (TOML)")
    _operator.add_language(parser)
    parser.add_argument(
        "--at",
        type=_operator.moment,
        metavar="TIME",
        help="as of this moment: 2026-11-26T03:12 (default: now)",
    )
    parser.add_argument("--json", action="store_true", help="everything as JSON, with sources and confidence")
    _incident.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Reckon and show."""
    obligations = duty.parse(shipped.text("duties/obligations.toml"))
    answers = _answers(arguments.answers, obligations)
    incident = _incident.account_of(arguments).incident
    now = arguments.at if arguments.at is not None else SystemClock().now()
    duties = duties_for(incident, answers, now, obligations)
    if arguments.json:
        json.dump([plain(each) for each in duties], sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        spoken = words.parse(shipped.text("duties/words.toml"), "duties/words.toml")
        language = Language(arguments.lang)
        print(spoken.say("duties.title", language, incident=incident.id))
        print(spoken.say("duties.notice", language))
        for each in duties:
            print("\n" + "\n".join(harmless(line, 400) for line in told(each, spoken, language)))
        for line in asked(duties, spoken, language):
            print(harmless(line, 400))
    overdue = any(each.clock is duty.ClockState.OVERDUE and each.applies is Applies.YES for each in duties)
    return ExitCode.FOUND if overdue else ExitCode.OK


def told(each: Duty, spoken: Words, language: Language) -> Iterator[str]:
    """One duty in lines."""

    def say(key: str, **arguments: Any) -> str:
        return spoken.say(f"duties.{key}", language, **arguments)

    def line(key: str, text: str) -> str:
        return f"    {say(key)} : {text}" if language is Language.FRENCH else f"    {say(key)}: {text}"

    what = each.obligation
    mark = "" if what.confidence == "S" else f" ({say('confirm')})"
    yield f"{what.name[language]}{mark} [{say(each.applies.value)}; {say(each.clock.value)}]"
    if each.applies is Applies.NO:
        yield from _answered(each, spoken, language)
        return
    yield line("recipient", " ".join(filter(None, (what.recipient[language], what.channel))))
    if each.started_at is not None:
        yield line("started", belgian(each.started_at))
        yield line("due", say("no-limit") if each.due_at is None else belgian(each.due_at))
    elif each.cautious_due_at is not None:
        yield line("cautious", belgian(each.cautious_due_at))
    if what.law[language]:
        yield line("law", what.law[language])
    yield line("fields", " ; ".join(what.fields[language]))
    if each.open_questions:
        yield line("ask", ", ".join(question.id for question in each.open_questions))
    yield from _answered(each, spoken, language)
    if each.sent is not None:
        yield line("proof", f"{belgian(each.sent.at)}, {each.sent.by} {each.sent.proof}")


def asked(duties: Iterable[Duty], spoken: Words, language: Language) -> Iterator[str]:
    """Every open question once, and what the station can say to help answering."""
    questions = {question.id: question for each in duties for question in each.open_questions}
    if not questions:
        return
    yield ""
    yield spoken.say("duties.questions", language)
    for question in questions.values():
        yield f"    {question.id:<28} {question.text[language]}"
    for hint in dict.fromkeys(spoken.tell(hint, language) for each in duties for hint in each.hints):
        yield f"    > {hint}"


def _answered(each: Duty, spoken: Words, language: Language) -> Iterator[str]:
    for answer in each.answers:
        said = spoken.say("duties.answered", language, answer=answer.value, by=answer.by, at=answer.at)
        yield f"    {said} [{answer.question}]"


def plain(each: Duty) -> dict[str, Any]:
    """One duty for programs: ids, RFC 3339 moments, sources."""
    what = each.obligation
    return {
        "id": what.id,
        "name": dict(what.name),
        "recipient": dict(what.recipient),
        "channel": what.channel,
        "law": dict(what.law),
        "confidence": what.confidence,
        "sources": list(what.sources),
        "fields": {language: list(fields) for language, fields in what.fields.items()},
        "applies": each.applies.value,
        "clock": each.clock.value,
        "starts": what.starts,
        "started_at": _or_none(each.started_at),
        "due_at": _or_none(each.due_at),
        "cautious_due_at": _or_none(each.cautious_due_at),
        "open_questions": [question.id for question in each.open_questions],
        "answers": [
            {"question": a.question, "answer": a.value, "by": a.by, "at": rfc3339(a.at), "why": a.why}
            for a in each.answers
        ],
        "sent": None
        if each.sent is None
        else {"at": rfc3339(each.sent.at), "by": each.sent.by, "proof": each.sent.proof},
    }


def _or_none(instant: Instant | None) -> str | None:
    return None if instant is None else rfc3339(instant)


def _answers(path: Path | None, obligations: Obligations) -> Answers:
    if path is None:
        return Answers()
    return given.parse(read_text(path), str(path), questions=obligations.questions, duties=obligations.duties)
