"""``python -m demo``: plays the whole story and says what was measured. `scripts/demo` prepares the machine for it."""

import argparse
import secrets
import shutil
import sys
from pathlib import Path

from rich.console import Console

from demo.addresses import plan
from demo.doorway import free_port
from demo.narrator import Narrator
from demo.report import Report
from demo.station import StationFailed
from demo.story import Story, ending_on_signals
from demo.world import World, WorldRefused, real_root

_DESCRIPTION = """\
A small hospital in network namespaces is attacked, for real; Rempart sees it, cuts it off, and reopens it step by step.

exit codes: 0 all went as it must, 1 something did not (said, and in the report), 7 a privilege is missing,
130 interrupted; nothing is left behind in any case"""


def main() -> int:
    """Build, play, remove, count what is left, report."""
    arguments = _arguments()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(1_000_000)
    console = Console(stderr=arguments.headless)
    narrator = Narrator(console, watched=not arguments.headless and sys.stdin.isatty())
    report = Report(seed=seed, root=real_root())
    console.print(f"seed {seed}: scripts/demo --seed {seed} plays this again")
    ending_on_signals()
    world = World(plan(seed))
    failure = ""
    try:
        with world:
            Story(world, report, narrator, free_port()).play(_papers(arguments.report, world))
    except KeyboardInterrupt:
        left = world.leftovers()
        console.print(f"interrupted: {sum(map(len, left.values()))} things left behind")
        return 130
    except WorldRefused as refused:
        console.print(f"demo: {refused}")
        return 7
    except StationFailed as fault:
        failure = str(fault)
    report.leftover_names = world.leftovers()
    report.leftovers = sum(map(len, report.leftover_names.values()))
    report.seconds = round(narrator.seconds, 1)
    return _conclude(console, arguments.report, report, failure)


def _conclude(console: Console, path: Path | None, report: Report, failure: str) -> int:
    if path:
        report.write(path)
        console.print(f"report: {path}")
    wrong = [failure] if failure else list(report.shortfalls())
    for line in wrong:
        console.print(f"NOT as it must be: {line}", style="bold red", markup=False, soft_wrap=True)
    if not wrong:
        console.print(f"all as it must be, in {report.seconds} s; {report.leftovers} things left behind")
    return 1 if wrong else 0


def _papers(report: Path | None, world: World) -> Path:
    """Where complaint and evidence go: beside the report, or away with the world when there is none."""
    folder = (report.with_suffix(".papers") if report else world.folder / "papers").absolute()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--headless", action="store_true", help="nobody watches: plain lines to standard error"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was measured as JSON")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="addresses, ports, records, timing (default: random)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
