"""``rempart setup``: the first hour on a new box, step by step; every step can be left, resumed and changed."""

import argparse
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rempart.adapters import shipped
from rempart.adapters.site_file import read_text
from rempart.cli._terminal import harmless
from rempart.cli.run import port
from rempart.config import RUN, SITE, STATE, Places
from rempart.console.setup import undone, why
from rempart.console.words import Words, chosen, words
from rempart.errors import ExitCode, InputRefused, Problem, RempartError
from rempart.first_hour.answers import DESCRIBING, Step, next_step, reachable, step_after, to_do
from rempart.first_hour.form import Fault, Unfit
from rempart.first_hour.questions import MORE, Field, FieldKind
from rempart.site.language import Language
from rempart.station import first_run
from rempart.station.installer import Installer, Told

_DESCRIPTION = """\
Asks what only the house knows, writes site.toml, starts the station, makes the first account and sends a harmless
test attack that must come back as a finding. Leave at any time: answers are kept in DIR/first-hour.json, for this
user alone, and the same command goes on. A site.toml that was there is kept beside the new one.

With --browser the same steps are a page: open the one-time link that is shown. On loopback it is for a browser on the
box or an ssh tunnel; on an address inside it speaks TLS with a certificate whose fingerprint is shown. It ends when
you say so, or after two hours without a request.

With --answers nothing is asked: FILE has one table a step ([language], [institution], [network], [devices],
[lifelines], [openings], [outside], [people], [source]) with the fields that `--show` prints; a field that is not given
keeps what it has. An empty [start], [test] or [papers] has that done too.

exit codes: 0 all steps are done (with --answers: all that FILE asks for), 2 an answer or a file cannot be used,
3 left with steps to do, 4 the station does not answer or tells of nothing, 5 it refused the account,
6 it does not come up, 7 a program is missing."""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart setup``."""
    parser = verbs.add_parser(
        "setup",
        help="the first hour: from a new box to one that watches",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--site", type=Path, default=SITE, metavar="FILE", help="site.toml to write (%(default)s)"
    )
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="what is kept (%(default)s)")
    parser.add_argument(
        "--run", dest="run_dir", type=Path, default=RUN, metavar="DIR", help="sockets (%(default)s)"
    )
    parser.add_argument("--rules", type=Path, action="append", metavar="DIR", help="rules for the station")
    parser.add_argument("--port", type=port, default=8420, help="of the station's console (%(default)s)")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="answers in TOML; nothing is asked")
    parser.add_argument(
        "--step", type=Step, choices=list(Step), metavar="STEP", help=f"begin at: {', '.join(Step)}"
    )
    parser.add_argument(
        "--browser",
        nargs="?",
        const="127.0.0.1",
        metavar="ADDRESS",
        help="ask in a browser instead: on loopback, or on this address of the box inside",
    )
    parser.add_argument(
        "--browser-port", type=port, default=first_run.PORT, metavar="PORT", help="of that page (%(default)s)"
    )
    parser.add_argument("--show", action="store_true", help="print the fields of the steps, and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, or take the file's answers."""
    places = Places(
        site=arguments.site.absolute(),
        state=arguments.state.absolute(),
        run=arguments.run_dir.absolute(),
        rules=tuple(path.absolute() for path in arguments.rules or (shipped.rules(),)),
    )
    operator = os.environ.get("SSH_CLIENT", "").partition(" ")[0]
    installer = Installer(places, port=arguments.port, operator=operator)
    if arguments.show:
        return _show(installer)
    if arguments.answers:
        return _from_file(installer, arguments.answers)
    if arguments.browser:

        def show(word: str, value: str) -> None:
            spoken = _spoken(installer)
            print(spoken.labelled(spoken.say(f"setup.{word}"), value), flush=True)

        return first_run.run(installer, arguments.browser, arguments.browser_port, show)
    return _Dialogue(installer).hold(arguments.step)


# -- from a file -------------------------------------------------------------------------------------------------


def _from_file(installer: Installer, file: Path) -> int:
    given = _tables(file)
    for step in Step:
        if step not in given:
            continue
        if step in DESCRIBING:
            _answer(installer, step, given[step], file)
        else:
            for told in installer.do(step):
                _say(installer, told)
    if all(step in DESCRIBING for step in given) and all(map(installer.answers.done, DESCRIBING)):
        installer.write()
        _say(installer, Told("written", str(installer.places.site)))
    for step in to_do(installer.answers):
        spoken = _spoken(installer)
        print(spoken.labelled(spoken.say("setup.open"), spoken.say(f"setup.step.{step}")))
    return ExitCode.OK


def _tables(file: Path) -> dict[Step, dict[str, str]]:
    try:
        read = tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as fault:
        now = "Mend that line; `rempart setup --show` prints the tables and their fields."
        raise InputRefused(f"this is not TOML: {fault}", where=str(file), now=now) from fault
    unknown = [name for name, table in read.items() if name not in set(Step) or not isinstance(table, dict)]
    if unknown:
        raise InputRefused(
            f"no step is called {', '.join(unknown)}", where=str(file), now=f"Steps are: {', '.join(Step)}."
        )
    return {Step(name): {key: _text(value) for key, value in table.items()} for name, table in read.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _answer(installer: Installer, step: Step, given: Mapping[str, str], file: Path) -> None:
    if not reachable(installer.answers, step):
        raise InputRefused(
            "a step before it is not answered",
            where=f"{file}: {step}",
            now="Put the earlier steps into the file too, in the order of --show.",
        )
    asked = {field.id: field for field in installer.fields(step)}
    if unknown := sorted(given.keys() - asked.keys()):
        raise InputRefused(
            f"this step asks for no {', '.join(unknown)}",
            where=f"{file}: {step}",
            now=f"Its fields are: {', '.join(asked)}.",
        )
    values = {name: field.value for name, field in asked.items()} | dict(given)
    try:
        installer.answer(step, values)
    except Unfit as unfit:
        spoken = words(Language.ENGLISH)
        raise InputRefused(
            "answers that cannot be taken",
            where=str(file),
            now="Nothing of this step was changed.",
            problems=tuple(
                Problem(_fault(fault, asked, spoken), f"{step} {fault.field}".strip(), "Correct it.")
                for fault in unfit.faults
            ),
        ) from unfit


def _show(installer: Installer) -> int:
    for step in DESCRIBING:
        if reachable(installer.answers, step):
            print(f"[{step}]")
            for field in installer.fields(step):
                print(f"{harmless(field.id)} = {harmless(field.value)}")
    return ExitCode.OK


# -- by hand -----------------------------------------------------------------------------------------------------


class _Left(Exception):
    """Whoever installs stops here."""


class _Dialogue:
    """One step after the other on a terminal."""

    def __init__(self, installer: Installer) -> None:
        self.installer = installer

    def hold(self, begin: Step | None) -> int:
        """Until all is done or somebody leaves."""
        step = begin or next_step(self.installer.answers)
        print(f"{_spoken(self.installer).say('setup.title')}\n{_spoken(self.installer).say('setup.resume')}")
        try:
            while step is not None:
                step = self._make(step)
            if any(to_do(self.installer.answers)):  # the last one was passed over
                raise _Left
        except (_Left, EOFError):
            print(f"\n{_spoken(self.installer).say('setup.left')}")
            return ExitCode.PARTIAL
        print(_spoken(self.installer).say("setup.finished"))
        return ExitCode.OK

    def _make(self, step: Step) -> Step | None:
        """Make one step; the step that comes next."""
        spoken = _spoken(self.installer)
        number = list(Step).index(step) + 1
        print(f"\n{number}/{len(Step)}  {spoken.say(f'setup.step.{step}')}")
        print(spoken.say(f"setup.lead.{step}"))
        if not reachable(self.installer.answers, step):
            print(spoken.say("setup.waits"))
            return next_step(self.installer.answers)
        return self._asked(step) if step in DESCRIBING else self._done(step)

    def _asked(self, step: Step) -> Step | None:
        asked = {field.id: field for field in self.installer.fields(step)}
        values = {name: field.value for name, field in asked.items()}
        while True:
            spoken = _spoken(self.installer)
            _print_fields(asked, values, spoken)
            said = _input(f"{spoken.say('setup.ask')}: ")
            if said == "b":
                return _before(step)
            if said.isdecimal() and 1 <= int(said) <= len(asked):
                field = [*asked.values()][int(said) - 1]
                values[field.id] = _typed(field, spoken)
            elif not said:
                try:
                    self.installer.answer(step, values)
                except Unfit as unfit:
                    print(spoken.say("setup.wrong"))
                    for fault in unfit.faults:
                        print(f"  ! {_fault(fault, asked, spoken)}")
                    continue
                except RempartError as error:
                    _say_undone(error, spoken)
                    continue
                return step_after(self.installer.answers, step)

    def _done(self, step: Step) -> Step | None:
        spoken = _spoken(self.installer)
        said = _input(f"{spoken.say('setup.do')}: ")
        if said == "b":
            return _before(step)
        if not said:
            try:
                for told in self.installer.do(step):
                    _say(self.installer, told)
            except RempartError as error:
                _say_undone(error, spoken)
                return step
        following = step_after(self.installer.answers, step)
        round_again = following is not None and list(Step).index(following) < list(Step).index(step)
        return None if said and round_again else following  # what is passed over twice is left


def _before(step: Step) -> Step:
    return list(Step)[max(0, list(Step).index(step) - 1)]


def _input(prompt: str) -> str:
    said = input(prompt).strip()
    if said == "q":
        raise _Left
    return said


def _print_fields(asked: Mapping[str, Field], values: Mapping[str, str], spoken: Words) -> None:
    group = ""
    for number, (name, field) in enumerate(asked.items(), start=1):
        if field.group != group:
            group = field.group
            print(f"  {spoken.say('setup.another') if group == MORE else harmless(group)}")
        label = spoken.say(f"setup.field.{field.word}")
        print(f"  {number:>3}  {spoken.labelled(label, _value(field, values[name], spoken))}")


def _value(field: Field, value: str, spoken: Words) -> str:
    if field.kind is FieldKind.MARK:
        return spoken.say("setup.yes" if value not in ("", "no") else "setup.no")
    choice = next((each for each in field.choices if each.value == value), None)
    if field.kind is FieldKind.CHOICE and choice:
        return choice.text or spoken.say(f"setup.{choice.word}")
    return harmless(value) or "…"


def _typed(field: Field, spoken: Words) -> str:
    """A new value. A mark turns over; choices are shown with numbers."""
    if field.kind is FieldKind.MARK:
        return "no" if field.value not in ("", "no") else "yes"
    for number, choice in enumerate(field.choices, start=1):
        print(f"      {number}  {harmless(choice.text) or spoken.say(f'setup.{choice.word}')}")
    said = _input(f"{spoken.say('setup.field.' + field.word)}, {spoken.say('setup.value')}: ")
    if field.choices and said.isdecimal() and 1 <= int(said) <= len(field.choices):
        return field.choices[int(said) - 1].value
    return said


# -- words -------------------------------------------------------------------------------------------------------


def _spoken(installer: Installer) -> Words:
    if installer.answers.language:
        return words(installer.answers.language)
    wanted = os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    return words(chosen(wanted[:2], "", (Language.ENGLISH,)))


def _fault(fault: Fault, asked: Mapping[str, Field], spoken: Words) -> str:
    field = asked.get(fault.field)
    said = why(fault, spoken)
    if field is None:
        return said
    group = f"{harmless(field.group)}, " if field.group else ""
    return spoken.labelled(f"{group}{spoken.say(f'setup.field.{field.word}')}", said)


def _say_undone(fault: RempartError, spoken: Words) -> None:
    for line in filter(None, undone(fault, spoken)):
        print(harmless(line, 2000))


def _say(installer: Installer, told: Told) -> None:
    if not told.word:
        print(told.value)
        return
    print(_spoken(installer).say(f"setup.{told.word}", value=told.value))
    sys.stdout.flush()
