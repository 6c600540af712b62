"""Say what an incident is thought to be; earlier words are kept in the journal."""

import argparse

from rempart.cli import _operator
from rempart.engine.orders import QualifyIncident

_WORDS = ("author", "intent", "ransom", "outcome")


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart qualify``."""
    parser = verbs.add_parser(
        "qualify",
        help="say what an incident is thought to be (author, intent, ransom, outcome)",
        description='"unknown" is a valid answer and the default. exit codes: 0 done, 4 no station answers, 5 refused.',
    )
    parser.add_argument("incident", help="id of the incident, as `rempart status` shows it")
    for word in _WORDS:
        parser.add_argument(f"--{word}", default="unknown", metavar="TEXT")
    _operator.add_person(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order."""
    _operator.require_name(arguments)
    words = {word: getattr(arguments, word) for word in _WORDS}
    order = QualifyIncident(by=arguments.by, reason=arguments.reason, incident=arguments.incident, **words)
    return _operator.give(arguments, order)
