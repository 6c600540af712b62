"""Say what an incident is thought to be; earlier words are kept in the journal."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import QualifyIncident
from rempart.incidents.qualification import Author, Ending, Intent, Ransom

_WORDS = {"author": Author, "intent": Intent, "ransom": Ransom, "outcome": Ending}


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart qualify``."""
    parser = verbs.add_parser(
        "qualify",
        help="say what an incident is thought to be (author, intent, ransom, outcome)",
        description='"unknown" is a valid answer and the default; --reason adds a short text. '
        "exit codes: 0 done, 4 no station answers, 5 refused.",
    )
    _operator.add_incident(parser)
    for word, known in _WORDS.items():
        parser.add_argument(
            f"--{word}",
            default="unknown",
            choices=[each.value for each in known],
            help="what is thought of it (%(default)s)",
        )
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    order = QualifyIncident(
        by=arguments.by,
        reason=arguments.reason,
        incident=arguments.incident,
        author=Author(arguments.author),
        intent=Intent(arguments.intent),
        ransom=Ransom(arguments.ransom),
        outcome=Ending(arguments.outcome),
    )
    return _operator.give(arguments, order)
