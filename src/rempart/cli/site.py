"""``rempart site``: writes a description of a site from a template, and checks one."""

import argparse
import textwrap
import tomllib
from importlib import resources
from pathlib import Path

from rempart.adapters.site_file import read_site
from rempart.config import SITE
from rempart.errors import ExitCode, InputRefused, Problem
from rempart.site import soundness, template
from rempart.site.description import parse
from rempart.site.site import Language, Site

_NEW = """\
Writes a commented site.toml that `rempart site check` accepts, and says what is still to be filled in.

exit codes: 0 written, 2 the name or the file cannot be used (an existing file is never overwritten)"""

_CHECK = """\
Reads a site.toml and lists every mistake at once, with its line and how to mend it. Then judges the site it
describes: a fallback that a cut would stop as well, or a site without a safeguard, is refused.

exit codes: 0 it can be used (advice and blanks may remain), 1 the site it describes is refused, 2 it cannot be read"""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its two actions."""
    verb = verbs.add_parser("site", help="describe a site, and check the description")
    actions = verb.add_subparsers(dest="action", metavar="ACTION", required=True)
    _register_new(actions)
    check = actions.add_parser(
        "check",
        help="check a site.toml",
        description=_CHECK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument(
        "file", metavar="FILE", type=Path, nargs="?", default=SITE, help="site.toml (%(default)s)"
    )
    check.set_defaults(run=_check)


def _register_new(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    new = actions.add_parser(
        "new",
        help="write a site.toml from a template",
        description=_NEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new.add_argument("--template", required=True, choices=template.NAMES, help="the kind of institution")
    new.add_argument("--name", required=True, help="the institution's name")
    new.add_argument(
        "--language",
        type=Language,
        choices=list(Language),
        default=Language.FRENCH,
        help="language of the names in it (default: fr)",
    )
    new.add_argument("--out", type=Path, metavar="FILE", help="where to write it (default: standard output)")
    new.set_defaults(run=_new)


def _new(arguments: argparse.Namespace) -> int:
    text = template.written(
        template=arguments.template,
        about=_packaged(f"templates/{arguments.template}.toml"),
        catalogue=_packaged("openings.toml"),
        name=arguments.name,
        language=arguments.language,
    )
    site = parse(text, "--name")
    if arguments.out is None:
        print(text, end="")
        return ExitCode.OK
    _write(arguments.out, text)
    print(f"{arguments.out}: written, {len(site.zones)} zones and {len(site.openings)} openings.")
    _tell("Still to be filled in", soundness.blanks(site))
    return ExitCode.OK


def _packaged(name: str) -> template.Table:
    return tomllib.loads(resources.files("rempart.site").joinpath(name).read_text(encoding="utf-8"))


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise InputRefused("the file is there already", where=str(file), now="Choose another name.") from None
    except OSError as error:
        raise InputRefused(
            f"it cannot be written: {error.strerror}", where=str(file), now="Name another file with --out."
        ) from error


def _check(arguments: argparse.Namespace) -> int:
    site = read_site(arguments.file)
    refused = soundness.check(site)
    _tell("Refused", refused)
    _tell("To be considered", soundness.advise(site))
    _tell("Still to be filled in", soundness.blanks(site))
    print()
    print(_verdict(arguments.file, site, refused=bool(refused)))
    return ExitCode.FOUND if refused else ExitCode.OK


def _tell(title: str, problems: tuple[Problem, ...]) -> None:
    """The same problem in many places is told once, with the places, so that a fresh template reads as a short list."""
    if not problems:
        return
    print(f"\n{title}:")
    for what, mend in dict.fromkeys((problem.what, problem.mend) for problem in problems):
        places = [problem.where for problem in problems if (problem.what, problem.mend) == (what, mend)]
        print(f"- {what}. {mend}")
        print(
            textwrap.fill(
                " · ".join(places),
                width=100,
                initial_indent="    ",
                subsequent_indent="    ",
                break_on_hyphens=False,
            )
        )


def _verdict(file: Path, site: Site, *, refused: bool) -> str:
    lifelines = sum(1 for _ in site.lifelines())
    what = f"{len(site.zones)} zones, {len(site.openings)} openings, {lifelines} of them lifelines"
    return f"{file}: {what}. {'It cannot be used yet.' if refused else 'It can be used.'}"
