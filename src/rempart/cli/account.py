"""Accounts: make, list, disable and enable them, give roles, one-time links and the sealed envelope's code."""

import argparse
import re

from rempart.accounts.conversation import People
from rempart.accounts.person import PERSON_ID, Role
from rempart.cli import _operator
from rempart.cli._terminal import harmless
from rempart.engine import orders
from rempart.errors import ExitCode
from rempart.instants import Instant, rfc3339
from rempart.messages import OrderDone

_WHO = "as `rempart account list` shows it"
_WIDEST = 60
"""Characters of a name in a list."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart account`` with its steps."""
    parser = verbs.add_parser(
        "account",
        help="who may sign in to the console: add, list, roles, link, disable, enable, sign-out, envelope",
        description="Orders of the box itself: whoever checks on the technician (approver, privacy-officer) is made "
        "here only. exit codes: 0 done, 4 no station answers, 5 refused (the reason is said).",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")

    add = steps.add_parser("add", help="make an account; prints the one-time link for its person")
    add.add_argument("person", type=_person, metavar="ID", help="as the journal names them: anne.dupont")
    add.add_argument("--name", required=True, dest="full_name", metavar="NAME", help="first and last name")
    _roles(add)

    roles = steps.add_parser("roles", help="give these roles instead of the present ones")
    roles.add_argument("person", type=_person, metavar="ID", help=_WHO)
    _roles(roles)

    for step, words in (
        (
            "link",
            "a new one-time link, for whoever lost what they sign in with; using it replaces everything",
        ),
        ("disable", "nobody may use the account; its sessions end"),
        ("enable", "the account may be used again"),
        ("sign-out", "end every session of the account"),
    ):
        one = steps.add_parser(step, help=words)
        one.add_argument("person", type=_person, metavar="ID", help=_WHO)
        _operator.add_person(one)

    envelope = steps.add_parser(
        "envelope",
        help="a new code for the sealed envelope",
        description="Print it, seal it, note who holds it. It signs in once, when nobody else can, and its use is "
        "sealed. The earlier code no longer works.",
    )
    _operator.add_person(envelope)

    listed = steps.add_parser("list", help="accounts and who is signed in")
    _operator.add_station(listed)
    parser.set_defaults(run=run)


def _person(text: str) -> str:
    """An account's id as argparse reads it."""
    if not re.fullmatch(PERSON_ID, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no id of an account: write 2 to 40 of a-z, 0-9, . and -, like anne.dupont"
        )
    return text


def _roles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        type=Role,
        choices=list(Role),
        action="append",
        required=True,
        dest="roles",
        metavar="ROLE",
        help=f"{', '.join(Role)}; may be repeated",
    )
    _operator.add_person(parser)


def run(arguments: argparse.Namespace) -> int:
    """Give the order of the chosen step, or list."""
    if arguments.step == "list":
        print(_listed(_operator.ask_people(arguments)))
        return ExitCode.OK
    _operator.require_name(arguments)
    by, reason = arguments.by, arguments.reason
    match arguments.step:
        case "add":
            order = orders.EnrolPerson(
                by=by,
                reason=reason,
                person=arguments.person,
                name=arguments.full_name,
                roles=arguments.roles,
            )
            return _operator.give(arguments, order, _link)
        case "roles":
            given = orders.SetRoles(by=by, reason=reason, person=arguments.person, roles=arguments.roles)
            return _operator.give(arguments, given)
        case "link":
            return _operator.give(
                arguments, orders.IssueLink(by=by, reason=reason, person=arguments.person), _link
            )
        case "disable":
            return _operator.give(
                arguments, orders.DisablePerson(by=by, reason=reason, person=arguments.person)
            )
        case "enable":
            return _operator.give(
                arguments, orders.EnablePerson(by=by, reason=reason, person=arguments.person)
            )
        case "sign-out":
            return _operator.give(
                arguments, orders.EndSessions(by=by, reason=reason, person=arguments.person)
            )
        case _:
            return _operator.give(arguments, orders.SealEnvelope(by=by, reason=reason), _code)


def _link(done: OrderDone) -> str:
    return f"Give this link to its person and to nobody else. It works once, for 48 hours:\n{link(done)}"


def link(done: OrderDone) -> str:
    """The one-time link as a browser opens it."""
    return f"{done.console}/link?secret={done.handed}"


def _code(done: OrderDone) -> str:
    return f"Print this, put it in an envelope, seal it. It signs in once:\n{done.handed}"


def _listed(found: People) -> str:
    lines = [
        f"{person.id:<24}{harmless(person.name, _WIDEST):<28}{'' if person.enabled else 'disabled, '}"
        f"{', '.join(person.roles)}"
        f"{'' if person.ready else '; has not used the link yet'}"
        f"{f'; {len(person.passkeys)} passkeys' if person.passkeys else ''}"
        for person in found.people
    ]
    sessions = [
        f"  {each.id}  {each.person:<24}{each.how}  from {harmless(each.where, _WIDEST) or 'a program'}, "
        f"last used {_second(each.seen)}"
        for each in found.sessions
    ]
    envelope = f"since {_second(found.envelope)}" if found.envelope else "none: rempart account envelope"
    return "\n".join(
        [
            *(lines or ["nobody has an account"]),
            "signed in:",
            *(sessions or ["  nobody"]),
            f"envelope: {envelope}",
        ]
    )


def _second(instant: Instant) -> str:
    return f"{rfc3339(instant)[:19]}Z"
