"""Starts a box six times, one of them after its power was cut, and a second one that is made from the first one's
backup, and says what held: ``scripts/nightly-boot``.

Exit codes: 0 all held, 1 something did not (named), 7 a program is missing.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nightly.box.steps import TRIAL
from nightly.image import TOP, Image, make, units_of
from nightly.machine import Machine, Stuck, Told
from rempart.station.parts import Part

RESULT = TOP / "docs" / "boot.md"
_PROGRAMS = ("qemu-system-x86_64", "mmdebstrap", "mkfs.ext4", "systemd-sysusers")
_START = 1800
"""Seconds a start may take, also without hardware virtualisation."""
_CLOSED = 503
_ADMIN, _BIND = 1 << 12, 1 << 10
"""CAP_NET_ADMIN and CAP_NET_BIND_SERVICE (linux/capability.h)."""
WHOSE = {
    Part.GUARD: ("rempart-guard", _ADMIN),
    Part.FILTER: ("rempart-filter", 0),
    Part.PROXY: ("haproxy", _BIND),
    Part.PACKETS: ("ulog", _ADMIN),
    Part.WATCH: ("rempart-watch", 0),
    Part.CONSOLE: ("rempart-console", 0),
    Part.PROBER: ("rempart-probe", 0),
    Part.GROUP: ("rempart-group", 0),
    Part.STAFF: ("rempart-staff", 0),
    Part.TELLER: ("rempart-teller", 0),
    Part.UNBOUND: ("unbound", 0),
    Part.RESOLVER: ("rempart-resolver", _BIND),
    Part.GATE: ("haproxy", 0),
}
"""Whose each process is, and the capabilities that are in force in it."""


class Night:
    """What each start told, and what did not hold."""

    def __init__(self, image: Image, folder: Path, accel: str) -> None:
        self._image, self._folder, self._accel = image, folder, accel
        self._ahead = timedelta()
        self.figures: dict[str, object] = {}
        self.faults: list[str] = []

    def pass_(self, cut_after: int) -> None:
        """All eight starts. ``cut_after``: after how many acknowledged orders the power goes."""
        key = self._install()
        self._replace(key)
        self._ahead = timedelta(seconds=TRIAL, minutes=1)
        acknowledged = self._reboot(cut_after)
        self._power(acknowledged)
        self._closed("damaged", "journal damaged", ("telephone", "inside"))
        self._closed("unreadable", "site.toml unreadable", ())
        self._closed("broken", "program broken", ())

    def _install(self) -> str:
        """The verifier key of the box that its backup was made of."""
        started, contained, trial, backed_up = self._whole("install", 4)
        self.figures |= {key: started[key] for key in ("kernel", "systemd", "memory_mb")}
        self.figures["first start: s until the guard has read back"] = started["answers_s"]
        self.figures["first start: s to load, s of the processor"] = {
            unit.removeprefix("rempart-").removesuffix(".service"): took
            for unit, took in started["took"].items()
        }
        self._units("open", started["units"])
        self._hold(not started["failed"], f"failed: {started['failed']}")
        self._users(started["users"])
        self.figures["ack_ms"] = contained["ack_ms"]
        self._website("open", started["website"], 200)
        self._website("contained", contained["website"], 503)
        self._flow("open", started["passed"], ("telephone", "e-health", "browsing", "inside"))
        self._flow("contained", contained["passed"], ("telephone", "inside"))
        self._flow("on trial", trial["passed"], ("telephone", "inside", "e-health"))
        (key,) = backed_up["keys"]
        return str(key)

    def _replace(self, dead: str) -> None:
        """A second box from the backup. ``dead``: the key that the first one, should it come back, still has."""
        now, begun = "restored to a second box", datetime.now(UTC)
        (restored,) = self._whole("restore", 1, spare=True)
        self._units(now, restored["units"])
        self._stands(now, restored)
        self._website(now, restored["website"], 503)
        self._signs(now, restored, dead)
        when = "the second box, started again"
        back, went_on = self._whole("replaced", 2, spare=True)
        self._stands(when, back)
        self._before_links(when, back)
        self._deadlines(when, back["left_s"], datetime.now(UTC) - begun)
        self._signs(when, went_on, dead)
        longer = went_on["entries"] > back["entries"] > restored["entries"]
        self._hold(longer and back["keys"] == restored["keys"], f"{when}: the journal is {went_on}")

    def _stands(self, when: str, told: Told) -> None:
        """What was decided on the first box: all is cut, e-health is on trial."""
        self._flow(when, told["passed"], ("telephone", "inside", "e-health"))
        cut = told["posture"] in ("contained", "reopening") and told["doors"]["e-health"] == "filtered"
        self._hold(cut, f"{when}: the posture is {told['posture']}, the doors are {told['doors']}")

    def _signs(self, when: str, told: Told, dead: str) -> None:
        """The journal holds together, goes on under a second key, and only that one is there to sign with."""
        self.figures[f"{when}: the journal"] = {"entries": told["entries"], "keys": len(told["keys"])}
        first, *later = told["keys"]
        held = told["verified"] and first == dead and len(later) == len(told["signs_with"]) == 1
        held = held and told["signs_with"][0] in later[0]
        self._hold(held, f"{when}: the journal and its keys are {told}")

    def _deadlines(self, when: str, left: dict[str, float], since: timedelta) -> None:
        """The kernel counted towards the instants that were decided, before the station ran."""
        self.figures[f"{when}: s left of what ends, before the station ran"] = left
        # A block's end is put off to staffed hours, over a long week-end at most; a trial's is not.
        for name, whole, later in (("trial", TRIAL, 0), ("block", 2 * TRIAL, 5 * TRIAL)):
            soonest = whole - since.total_seconds() - _START
            self._hold(soonest < left.get(name, 0) < whole + later, f"{when}: {left} s are left")

    def _reboot(self, cut_after: int) -> list[int]:
        machine = self._machine("reboot")
        back = machine.wait_for(lambda told: len(told) > 0, _START)[0]
        self._back("after a reboot", back)
        machine.wait_for(lambda told: len(told) > cut_after, _START)
        numbers = [told["number"] for told in machine.cut_power() if told["what"] == "blocked"]
        self.figures["orders_acknowledged_before_the_power_cut"] = len(numbers)
        return numbers

    def _power(self, acknowledged: list[int]) -> None:
        (back,) = self._whole("power", 1)
        self._back("after a power cut", back)
        wanted = {f"198.18.{number // 250}.{number % 250 + 1}" for number in acknowledged}
        self._website("after a power cut", back["website"], 503)
        self._units("after a power cut", back["units"])
        missing = wanted - set(back["blocked"])
        self.figures["acknowledged_orders_lost"] = len(missing)
        self._hold(not missing, f"{len(missing)} acknowledged orders are lost: {sorted(missing)[:5]}")

    def _units(self, when: str, units: dict[str, str]) -> None:
        wanted = set(units_of(TOP / "nightly/box/site.toml"))
        idle = {unit: state for unit, state in units.items() if state != "active"}
        self.figures[f"{when}: units that are active"] = f"{len(units) - len(idle)} of {len(wanted)}"
        self._hold(
            not idle and units.keys() == wanted, f"{when}: not active: {idle or wanted - units.keys()}"
        )

    def _users(self, users: dict[str, str]) -> None:
        """Each process runs as the user that `rempart run` would give it, with the same powers."""
        told = {
            unit.removeprefix("rempart-").removesuffix(".service"): whose for unit, whose in users.items()
        }
        self.figures["users, and capabilities in hexadecimal"] = told
        wanted = {str(part): f"{user} {powers:x}" for part, (user, powers) in WHOSE.items()}
        self._hold(told == wanted, f"processes run as {told}, not as {wanted}")

    def _website(self, when: str, answer: dict[str, object], status: int) -> None:
        """What a visitor gets: the house's own page, or the page of a house in maintenance with its number."""
        self.figures[f"{when}: the website"] = answer
        held = answer["status"] == status
        if status == _CLOSED:
            held = held and bool(answer["again"]) and bool(answer["phone"])
        self._hold(held, f"{when}: the website answered {answer}")

    def _closed(self, step: str, when: str, wanted: tuple[str, ...]) -> None:
        """A start that cannot know what was decided: only what is wanted arrives, and the boot says that it failed."""
        (back,) = self._whole(step, 1)
        self._flow(when, back["passed"], wanted)
        self._before_links(when, back)
        self._hold(back["boot_exit"] != 0, f"{when}: it was not noticed")

    def _back(self, when: str, back: Told) -> None:
        self._flow(when, back["passed"], ("telephone", "inside"))
        self._before_links(when, back)
        self._hold(back["posture"] in ("contained", "reopening"), f"{when}: the posture is {back['posture']}")
        self._hold(
            back["doors"]["e-health"] == "closed",
            f"{when}: the trial that ended meanwhile is {back['doors']}",
        )
        self._hold(back["verified"], f"{when}: the journal does not hold together")

    def _before_links(self, when: str, back: Told) -> None:
        loaded, link = back["rules_loaded_ms"], back["first_link_ms"]
        self.figures[f"{when}: ms from the kernel's start"] = {"rules": loaded, "first link": link}
        self._hold(0 < loaded <= link, f"{when}: rules at {loaded} ms, the first link at {link} ms")

    def _flow(self, when: str, passed: dict[str, int], wanted: tuple[str, ...]) -> None:
        """Exactly the wanted streams arrive."""
        self.figures[f"{when}: datagrams that arrived"] = passed
        for stream, count in passed.items():
            if (count > 0) != (stream in wanted):
                self.faults.append(f"{when}: {count} datagrams of {stream} arrived")

    def _hold(self, held: bool, otherwise: str) -> None:  # noqa: FBT001  the sentence beside it says what it means
        if not held:
            self.faults.append(otherwise)

    def _machine(self, step: str, *, spare: bool = False) -> Machine:
        """One start, of the second box if ``spare``; its own clock has gone on while it was off."""
        disk = self._image.spare if spare else self._image.disk
        clock = datetime.now(UTC) + self._ahead
        return Machine(self._image, disk, step, self._folder, self._accel, clock)

    def _whole(self, step: str, lines: int, *, spare: bool = False) -> list[Told]:
        told = self._machine(step, spare=spare).wait_until_off(_START)
        if len(told) != lines:
            raise Stuck(f"{step}: told {len(told)} things of {lines}: {told}")
        return told


def written(night: Night, accel: str, seconds: float) -> Iterator[str]:
    """docs/boot.md, line by line."""
    yield "# Boot and power cut"
    yield ""
    yield "`scripts/nightly-boot` makes the disk of a box from Debian 12's packages and this tree, starts it in a"
    yield "virtual machine under systemd and Debian's own kernel, and switches it off in order or cuts its power."
    yield "Five streams of datagrams run through the box from the moment it has links. This is what the last night saw."
    yield ""
    verdict = "all held" if not night.faults else f"{len(night.faults)} things did not hold"
    how = "software emulation" if accel == "tcg" else "hardware virtualisation"
    yield f"**{datetime.now(UTC):%Y-%m-%d}: {verdict}**, in {seconds:.0f} s with {how}."
    yield ""
    yield from (f"- {fault}" for fault in night.faults)
    if night.faults:
        yield ""
    yield "| what | seen |"
    yield "|---|---|"
    for name, value in night.figures.items():
        yield f"| {name.replace('_', ' ')} | {_cell(value)} |"
    yield ""
    yield "Starts: open, then cut, one door on trial, a backup made, switched off in order; a second box made from that"
    yield "backup, switched off and started again; the first one's clock set on by the day that the trial"
    yield "lasts, started again, one order after another until the power goes; started again, then the journal"
    yield "overwritten in the middle; started again, then site.toml made unreadable; started again, then the program"
    yield "broken; started again. `inward` is a stream that no opening allows."
    yield ""
    yield "Not shown here: a disk that loses what it said it had written, and real hardware."


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(each)}" for name, each in value.items())
    return f"{value:.0f}" if isinstance(value, float) and value >= 10 else str(value)


def main() -> int:
    """The night."""
    parser = argparse.ArgumentParser(prog="scripts/nightly-boot", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the disk and the consoles there")
    parser.add_argument(
        "--out", type=Path, default=RESULT, metavar="FILE", help="where the result goes (%(default)s)"
    )
    parser.add_argument(
        "--accel",
        choices=("tcg", "kvm"),
        default="tcg",
        help="kvm is faster where the machine lets it (%(default)s)",
    )
    arguments = parser.parse_args()
    if missing := [name for name in _PROGRAMS if not shutil.which(name)]:
        print(
            f"missing: {', '.join(missing)}. As root: apt-get install qemu-system-x86 mmdebstrap e2fsprogs systemd",
            file=sys.stderr,
        )
        return 7
    with tempfile.TemporaryDirectory(prefix="rempart-nightly.") as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        print("making the disk (a few minutes)", file=sys.stderr)
        night = Night(make(folder), folder, arguments.accel)
        try:
            night.pass_(cut_after=random.randint(200, 600))
        except Stuck as stuck:
            night.faults.append(str(stuck).partition("\n")[0])
            print(stuck, file=sys.stderr)
        seconds = time.monotonic() - began
    arguments.out.write_text("\n".join(written(night, arguments.accel, seconds)) + "\n")
    if arguments.json:
        print(json.dumps(night.figures | {"faults": night.faults}, indent=1))
    for fault in night.faults:
        print(fault, file=sys.stderr)
    return 1 if night.faults else 0


if __name__ == "__main__":
    sys.exit(main())
