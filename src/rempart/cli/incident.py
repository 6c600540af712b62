"""Work on an incident's case: who looks after it, what is said of it, files, what belongs together, legal questions."""

import argparse
import hashlib
from pathlib import Path
from typing import TypeAlias

from rempart.care.reply import Reply
from rempart.cli import _operator
from rempart.duties.catalogue import DutyId, QuestionId
from rempart.engine import orders
from rempart.errors import InputRefused
from rempart.incidents.casefile import MOST_FILE_BYTES

_QUESTIONS = [each.value for each in QuestionId]
_DUTIES = [each.value for each in DutyId]

_Deeds: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_DESCRIPTION = """\
Everything is sealed in the journal; what was said earlier stays visible. What the incident is thought to be is said
by `rempart qualify`, whom it may oblige you to tell by `rempart duties`.

exit codes: 0 done, 2 a file cannot be used, 4 no station answers, 5 refused"""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart incident``."""
    parser = verbs.add_parser(
        "incident",
        help="assign, comment, attach, merge, split; answer what a legal duty hangs on",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    deeds = parser.add_subparsers(metavar="DEED", required=True)
    _register_talk(deeds)
    _register_files(deeds)
    _register_extent(deeds)
    _register_law(deeds)


def _register_talk(deeds: _Deeds) -> None:
    assign = _deed(deeds, "assign", "say who looks after it")
    assign.add_argument("--to", default="", metavar="PERSON", help="who; without: nobody any more")
    assign.set_defaults(
        order=lambda a: orders.AssignIncident(by=a.by, reason=a.reason, incident=a.incident, person=a.to)
    )
    comment = _deed(deeds, "comment", "write something down")
    comment.add_argument("text", metavar="TEXT", help="what, in quotes")
    comment.set_defaults(
        order=lambda a: orders.CommentIncident(by=a.by, reason=a.reason, incident=a.incident, text=a.text)
    )


def _register_files(deeds: _Deeds) -> None:
    attach = _deed(deeds, "attach", f"keep a file of at most {MOST_FILE_BYTES // 1024} KiB with it")
    attach.add_argument("file", type=Path, metavar="FILE", help="its path")
    attach.set_defaults(run=_attach)
    erase = _deed(
        deeds,
        "erase",
        "erase an attached file for good, wherever it is attached; its hash, your name and --reason stay sealed",
    )
    erase.add_argument(
        "sha256", metavar="SHA-256", help="its hash, as `rempart incident attach` and the page show it"
    )
    erase.set_defaults(
        order=lambda a: orders.EraseFile(by=a.by, reason=a.reason, incident=a.incident, sha256=a.sha256)
    )


def _register_extent(deeds: _Deeds) -> None:
    merge = _deed(deeds, "merge", "say that another incident is part of it")
    merge.add_argument("merged", metavar="OTHER", help="id of the one that becomes part of it")
    merge.set_defaults(
        order=lambda a: orders.MergeIncidents(by=a.by, reason=a.reason, into=a.incident, merged=a.merged)
    )
    split = _deed(
        deeds, "split", "say that some findings are no part of it: they become an incident of their own"
    )
    split.add_argument(
        "findings", nargs="+", metavar="FINDING", help="ids of findings, as the incident's page shows them"
    )
    split.set_defaults(
        order=lambda a: orders.SplitIncident(
            by=a.by, reason=a.reason, incident=a.incident, findings=a.findings
        )
    )


def _register_law(deeds: _Deeds) -> None:
    answer = _deed(deeds, "answer", "answer a question that a duty hangs on; --reason says why")
    answer.add_argument(
        "question", choices=_QUESTIONS, metavar="QUESTION", help=f"one of: {', '.join(_QUESTIONS)}"
    )
    answer.add_argument("answer", metavar="ANSWER", help="yes, no, unknown, or a number")
    answer.add_argument(
        "--since", type=_operator.moment, metavar="TIME", help="when it became known (default: now)"
    )
    answer.set_defaults(order=_answer)
    sent = _deed(deeds, "sent", "write down that you told whom a duty names; Rempart sends nothing")
    sent.add_argument("duty", choices=_DUTIES, metavar="DUTY", help=f"one of: {', '.join(_DUTIES)}")
    sent.add_argument("--at", type=_operator.moment, required=True, metavar="TIME", help="when it was sent")
    sent.add_argument("--proof", required=True, metavar="TEXT", help="how it can be shown: a code, a receipt")
    sent.set_defaults(
        order=lambda a: orders.NoteSending(
            by=a.by, reason=a.reason, incident=a.incident, duty=DutyId(a.duty), on=a.at, proof=a.proof
        )
    )


def _deed(deeds: _Deeds, name: str, what: str) -> argparse.ArgumentParser:
    parser = deeds.add_parser(name, help=what)
    _operator.add_incident(parser)
    _operator.add_person(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    return _operator.give(arguments, arguments.order(arguments))


def _attach(arguments: argparse.Namespace) -> int:
    _operator.require_name(arguments)
    content = _content(arguments.file)
    order = orders.AttachFile(
        by=arguments.by,
        reason=arguments.reason,
        incident=arguments.incident,
        name=arguments.file.name[-120:],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return _operator.give(arguments, order, content=content)


def _content(file: Path) -> bytes:
    """The bytes of a file that is not too long. Raises `InputRefused`."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_FILE_BYTES + 1)
    except OSError as fault:
        raise InputRefused(
            f"cannot be read: {fault.strerror}", where=str(file), now="Give a file."
        ) from fault
    if not 0 < len(content) <= MOST_FILE_BYTES:
        raise InputRefused(
            "it is empty" if not content else f"it is longer than {MOST_FILE_BYTES // 1024} KiB",
            where=str(file),
            now="Put large evidence into a bag: rempart export.",
        )
    return content


def _answer(arguments: argparse.Namespace) -> orders.AnswerQuestion:
    question, said = QuestionId(arguments.question), arguments.answer
    common = {"by": arguments.by, "reason": arguments.reason, "incident": arguments.incident}
    if said in list(Reply):
        return orders.AnswerQuestion(**common, question=question, reply=Reply(said), since=arguments.since)
    if said.isascii() and said.isdigit() and len(said) < 16:
        return orders.AnswerQuestion(**common, question=question, number=int(said), since=arguments.since)
    raise InputRefused(f"{said!r} is no answer", now="Write yes, no, unknown or a whole number.")
