"""What happens inside the box at one start; which step it is stands on the kernel's command line.

Everything that is told goes to the second serial line as JSON, one object a line.
"""

import json
import os
import pwd
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rempart.adapters.socket import connect
from rempart.engine.orders import AnyOrder, Block, Contain, Reopen
from rempart.errors import StationUnreachable
from rempart.messages import OrderDone, Ordered, Status, StatusAsked, ToOperator
from rempart.site.opening import OpeningState

OPERATOR = Path("/run/rempart/guard/operator.sock")
JOURNAL = Path("/var/lib/rempart/guard/journal.db")
KEYS = JOURNAL.with_name("keys")
SITE = Path("/etc/rempart/site.toml")
BEFORE = Path("/run/nightly-before")
STICK = Path("/media/stick")
BACKUP = STICK / "nightly.backup"
LINE = Path("/dev/ttyS1")
TECHNICIAN = "Technician of the night"
STEADY = 12
"""Seconds that a process must have lived."""
PATIENCE = 300
"""Seconds until every process must."""
INTRUDER = "198.51.100.7"
"""Who is blocked for two days: a deadline that is still to come when the backup is restored."""
TRIAL = 86_400
"""Seconds of the trial that ends while the box is off: the shortest that may be given."""


def main() -> None:
    """The step."""
    subprocess.run(["stty", "-F", str(LINE), "raw", "-echo"], check=True)
    found = re.search(r"nightly\.step=(\w+)", Path("/proc/cmdline").read_text())
    assert found
    try:
        STEPS[found.group(1)]()
    except BaseException as fault:
        tell(what="failed", fault=repr(fault), said=said())
        raise


def tell(**what: object) -> None:
    """One line to whoever watches."""
    with LINE.open("w") as line:
        line.write(json.dumps(what) + "\n")


def said() -> list[str]:
    """The last that units of the box have complained of."""
    words = [
        "journalctl",
        "--boot",
        "--no-pager",
        "--output=short-monotonic",
        "--lines=150",
        "-u",
        "rempart-*",
    ]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout.splitlines()


# -- the steps -----------------------------------------------------------------------------------------------------


def install() -> None:
    """First start: all is open. Cut, one door on trial, a backup made; then switched off in order."""
    status = wait_for_status()
    answers = since_start()
    wait_until_steady()
    tell(
        what="started",
        answers_s=answers,
        took=took(),
        **about_the_box(),
        **about(status),
        passed=passed(),
        website=website(),
    )
    done = order(Contain(by=TECHNICIAN, reason="the night's test"))
    acknowledged = time.monotonic_ns()
    time.sleep(2)
    arrived = passed(since=acknowledged)
    tell(what="contained", ack_ms=ack_ms(done), passed=arrived, **about(ask()), website=website())
    order(
        Reopen(
            by=TECHNICIAN,
            opening="e-health",
            state=OpeningState.FILTERED,
            seconds=TRIAL,
            override=True,
            reason="the trial ends while the box is off",
        )
    )
    on_trial = time.monotonic_ns()
    time.sleep(1)
    tell(what="on trial", passed=passed(since=on_trial))
    order(Block(by=TECHNICIAN, target=INTRUDER, seconds=2 * TRIAL))
    with stick():
        tell(what="backed up", said=rempart("backup", "--keys", "--out", str(BACKUP)), keys=verdict()["keys"])


def restore() -> None:
    """The second box: empty, and made the first one from its backup, as the paper in the envelope says."""
    with stick():
        said = rempart("restore", str(BACKUP), "--by", TECHNICIAN)
    said += rempart("site", "check")
    units_wanted = " ".join(rempart("units")).split()
    subprocess.run(["systemctl", "enable", "--now", *units_wanted], check=True)
    status = wait_for_status()
    began = time.monotonic_ns()
    wait_until_steady()
    said += rempart("status")
    tell(
        what="restored",
        said=said,
        units=units(),
        passed=passed(since=began),
        **about(status),
        **signed(),
        website=website(),
    )


def replaced() -> None:
    """The second box, started again: what was decided on the first stands before a process of the station runs."""
    tell(
        what="back",
        left_s=left(BEFORE.read_text()),
        passed=passed(),
        **times(),
        **about(wait_for_status()),
        **signed(),
    )
    order(Block(by=TECHNICIAN, target="198.51.100.8"))
    tell(what="went on", **signed())


def reboot() -> None:
    """Started in order: what was closed never opened. Then one order after another until the power goes."""
    tell(what="back", passed=passed(), **times(), **about(wait_for_status()), verified=verified())
    for number in range(1, 60_000):
        answer = answered(Block(by=TECHNICIAN, target=f"198.18.{number // 250}.{number % 250 + 1}"))
        # Emulated, a proxy may be too slow to be read back; what was not acknowledged is not promised.
        tell(what="blocked" if isinstance(answer, OrderDone) else "not acknowledged", number=number)


def power() -> None:
    """Started after the power was cut: every order that was acknowledged stands. Then the journal is damaged."""
    status = wait_for_status()
    wait_until_steady()
    tell(
        what="back",
        passed=passed(),
        **times(),
        **about(status),
        verified=verified(),
        website=website(),
        units=units(),
        blocked=blocked_in_kernel(),
    )
    subprocess.run(["systemctl", "stop", "rempart-guard.service"], check=True)
    damage()


def damaged() -> None:
    """Started with a journal that does not tell what was decided: cut. Then site.toml goes too."""
    time.sleep(3)
    tell(what="back", passed=passed(), **times(), boot_exit=exit_code("rempart-boot"))
    SITE.write_text("this is no site\n")


def unreadable() -> None:
    """Started without knowing even the site: nothing crosses the box. Then most of the program goes."""
    time.sleep(3)
    tell(what="back", passed=passed(), **times(), boot_exit=exit_code("rempart-boot"))
    shutil.rmtree(next(Path("/opt/rempart").glob("**/rempart/station")))


def broken() -> None:
    """Started with a program that cannot run: nothing crosses the box."""
    time.sleep(3)
    tell(what="back", passed=passed(), **times(), boot_exit=exit_code("rempart-boot"))


STEPS = {
    step.__name__: step for step in (install, restore, replaced, reboot, power, damaged, unreadable, broken)
}


# -- the station ---------------------------------------------------------------------------------------------------


def order(order: AnyOrder) -> OrderDone:
    """Give an order as root on the box; it must be acknowledged."""
    answer = answered(order)
    assert isinstance(answer, OrderDone), answer
    return answer


def answered(order: AnyOrder) -> object:
    """What the guard says of an order."""
    with connect(OPERATOR, incoming=ToOperator) as guard:
        guard.send(Ordered(order=order))
        return guard.receive(seconds=60)


def ask() -> Status:
    """The status, asked for now."""
    with connect(OPERATOR, incoming=ToOperator) as guard:
        guard.send(StatusAsked())
        answer = guard.receive(seconds=30)
    assert isinstance(answer, Status), answer
    return answer


def wait_for_status() -> Status:
    """The first status that was read back from the kernel."""
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            status = ask()
        except StationUnreachable:
            status = None
        if status and status.enforcement_verified is not None:
            return status
        if time.monotonic() > limit:
            raise SystemExit(f"the guard did not read back: {status}")
        time.sleep(0.1)


def wait_until_steady() -> None:
    """Until every unit of the station has been active for a while; after the patience, as it is."""
    limit = time.monotonic() + PATIENCE
    while not all(state == "active" for state in steadily().values()) and time.monotonic() < limit:
        time.sleep(2)


def steadily() -> dict[str, str]:
    """How each unit is; one that was started again a moment ago is not active yet."""
    now = time.monotonic() * 1_000_000
    young = {
        unit for unit in enabled() if now - shown(unit, "ActiveEnterTimestampMonotonic") < STEADY * 1_000_000
    }
    return {unit: "young" if unit in young else state for unit, state in units().items()}


def website() -> dict[str, object]:
    """What a visitor outside gets."""
    words = ["ip", "netns", "exec", "outside", "/usr/bin/python3", "/opt/nightly/visit.py"]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    answer: dict[str, object] = json.loads(told)
    return answer


def about(status: Status) -> dict[str, object]:
    """Posture and doors."""
    return {"posture": status.posture, "doors": {each.id: each.state for each in status.openings}}


def ack_ms(done: OrderDone) -> float:
    """From the order's arrival to the kernel's acknowledgement."""
    assert done.enforced is not None
    return (done.enforced - done.received) / 1000


def verified() -> bool:
    """Whether the journal holds together, as anybody may check."""
    return bool(verdict()["verified"])


def verdict() -> dict[str, Any]:
    """What anybody finds who verifies the journal."""
    told: dict[str, Any] = json.loads("\n".join(rempart("verify", "--json", str(JOURNAL), check=False)))
    return told


def signed() -> dict[str, object]:
    """The journal's verdict beside the ids of the keys that lie here to sign with."""
    found = verdict()
    here = sorted(key.stem for key in KEYS.glob("*.key"))
    return {name: found[name] for name in ("verified", "entries", "keys")} | {"signs_with": here}


def rempart(*words: str, check: bool = True) -> list[str]:
    """What the command line answers, line by line. Raises CalledProcessError when it refuses, unless not ``check``."""
    run = ["/opt/rempart/.venv/bin/python", "-m", "rempart", *words]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    if check and done.returncode:
        raise SystemExit(
            f"rempart {' '.join(words)}: exit code {done.returncode}: {done.stderr or done.stdout}"
        )
    return done.stdout.splitlines()


@contextmanager
def stick() -> Iterator[None]:
    """The stick, put in and taken out."""
    STICK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "/dev/vdb", str(STICK)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(STICK)], check=True)


def damage() -> None:
    """Overwrite the middle of the journal, as a dying disk might."""
    size = JOURNAL.stat().st_size
    for beside in JOURNAL.parent.glob("journal.db-*"):
        beside.unlink()
    with JOURNAL.open("r+b") as file:
        for at in range(4096, size, 4096):
            file.seek(at)
            file.write(os.urandom(64))


# -- the box -------------------------------------------------------------------------------------------------------


def passed(since: int = 0) -> dict[str, int]:
    """How many datagrams of each stream that were sent after ``since`` (ns) have arrived."""
    counts: Counter[str] = Counter(
        dict.fromkeys(("telephone", "e-health", "browsing", "inside", "inward"), 0)
    )
    for notes in Path("/run/nightly").iterdir():
        for line in notes.read_text().split("\n")[:-1]:
            sent, _, stream = line.partition(" ")
            counts[stream] += int(sent) > since
    return dict(counts)


def times() -> dict[str, float]:
    """Milliseconds after the kernel's start."""
    return {
        "rules_loaded_ms": shown("rempart-boot", "ExecMainExitTimestampMonotonic") / 1000,
        "first_link_ms": shown("nightly-network", "ExecMainStartTimestampMonotonic") / 1000,
        "guard_started_ms": shown("rempart-guard", "ExecMainStartTimestampMonotonic") / 1000,
    }


def since_start() -> float:
    """Seconds since the kernel's start."""
    return round(time.clock_gettime(time.CLOCK_BOOTTIME), 1)


def took() -> dict[str, dict[str, float]]:
    """Of each unit: seconds until what it starts with has ended (0: nothing to wait for), and of the processor."""
    every = [unit for unit in enabled() if unit.endswith(".service")]
    return {
        unit: {
            "start": max(
                0,
                shown(unit, "ExecMainExitTimestampMonotonic")
                - shown(unit, "ExecMainStartTimestampMonotonic"),
            )
            / 1e6,
            "processor": shown(unit, "CPUUsageNSec") / 1e9,
        }
        for unit in every
    }


def about_the_box() -> dict[str, object]:
    """Versions, how the units are, and whose their processes are."""
    version = subprocess.run(["systemctl", "--version"], check=True, capture_output=True, text=True).stdout
    return {
        "kernel": os.uname().release,
        "systemd": version.split("\n")[0],
        "memory_mb": memory_mb(),
        "units": units(),
        "users": {
            unit: runs_as(unit) for unit in enabled() if unit.endswith(".service") and shown(unit, "MainPID")
        },
        "failed": failed(),
    }


def enabled() -> list[str]:
    """The units of the station that are started at boot, without their suffix; the timer's is its service's name."""
    words = ["systemctl", "list-unit-files", "--state=enabled", "--no-legend", "--plain", "rempart-*"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return sorted(line.split()[0] for line in listed.splitlines())


def units() -> dict[str, str]:
    """Each of them, and how it is."""
    return {unit: show(unit, "ActiveState") for unit in enabled()}


def failed() -> list[str]:
    """Every unit of the box that has failed, whoever's it is."""
    words = ["systemctl", "list-units", "--state=failed", "--no-legend", "--plain"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return sorted(line.split()[0] for line in listed.splitlines())


def runs_as(unit: str) -> str:
    """The user of its process and its effective capabilities, as the kernel says."""
    status = Path(f"/proc/{shown(unit, 'MainPID')}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return f"{pwd.getpwuid(int(lines['Uid'].split()[1])).pw_name} {int(lines['CapEff'], 16):x}"


def memory_mb() -> int:
    """Mebibytes that are in use."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    used = int(lines["MemTotal"].split()[0]) - int(lines["MemAvailable"].split()[0])
    return used // 1024


def shown(unit: str, what: str) -> int:
    """A number that systemd knows of a unit."""
    return int(show(unit, what))


def exit_code(unit: str) -> int:
    """How a unit's program ended."""
    return shown(unit, "ExecMainStatus")


def show(unit: str, what: str) -> str:
    """What systemd knows of a unit."""
    words = ["systemctl", "show", "--value", f"--property={what}", unit if "." in unit else f"{unit}.service"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def left(held: str) -> dict[str, float]:
    """Seconds that the block and the trial have left in a table as nft lists it; none where there is no deadline."""
    trials = re.search(r"map trial \{.*?\n\t\}", held, re.DOTALL)
    asked = {"block": (held, re.escape(INTRUDER)), "trial": (trials[0] if trials else "", "0x0*2")}
    found = {
        name: re.search(rf"\b{element} timeout \S+ expires ([0-9a-z]+)", text)
        for name, (text, element) in asked.items()
    }
    return {name: lasting(each[1]) for name, each in found.items() if each}


def lasting(spelled: str) -> float:
    """Seconds of a time as nft writes it: 1d23h59m58s12ms."""
    each = {"d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
    return sum(int(number) * each[unit] for number, unit in re.findall(r"(\d+)(ms|[dhms])", spelled))


def blocked_in_kernel() -> list[str]:
    """The addresses that are blocked, as the kernel itself lists them: a status names no more than some hundreds."""
    listed = subprocess.run(
        ["nft", "list", "table", "inet", "rempart"], check=True, capture_output=True, text=True
    )
    return sorted(set(re.findall(r"198\.18\.\d+\.\d+", listed.stdout)))


if __name__ == "__main__":
    main()
