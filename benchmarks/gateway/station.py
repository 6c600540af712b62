"""The station in the house of namespaces that the lab's tests use, its site, its rules and its probes."""

import array
import contextlib
import math
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.conftest import SITE, House

from rempart.adapters.socket import Client, connect
from rempart.engine import orders
from rempart.errors import StationUnreachable
from rempart.instants import as_datetime
from rempart.messages import OrderDone, Ordered, OrderRejected, Status, StatusAsked
from rempart.site.opening import OpeningState

TOP = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("probe.py")

EVERYWHERE = """
[[openings]]
id = "video"
mark = 7
name = "Vidéo"
direction = "in"
zones = ["servers"]
hosts = ["*"]
services = ["udp/4500"]
care = 5
lifeline = false
fallback = { text = "téléphone", phone = "04 000 00 70" }

[[contacts]]
role = "technician"
name = "Alex"
phone = "04 000 00 11"

[[logs]]
path = "@LOG@"
decoder = "nginx"
"""
"""An opening to which anybody may send datagrams, and a log that the bench writes."""

RULE = """\
title: {title}
id: 00000000-0000-4000-8000-{number:012}
status: test
level: medium
logsource: {{category: webserver}}
detection:
  asked: {{cs-uri-stem|contains: {asked}}}
  condition: asked
rempart: {{kind: probe, actors: [c-ip], victims: [cs-host]}}
"""
RULES = 100

POLICY = """\
[budget]
measures_per_hour = 100000
measures_per_prefix = 100000

[[rules]]
kind = "probe"
level = "medium"
action = "block"
how = "automatic"
seconds = 3600
"""

CALLER = "Bench"


@dataclass(slots=True)
class Probes:
    """Senders and one receiver of stamped datagrams."""

    house: House
    folder: Path
    senders: list[tuple[Path, "subprocess.Popen[str]"]] = field(default_factory=list)
    receivers: list[tuple[Path, "subprocess.Popen[str]"]] = field(default_factory=list)

    def receive(self, name: str, *doors: str) -> None:
        """Begin to receive on a machine."""
        path = self.folder / f"seen-{name}-{len(self.receivers)}"
        process = self.house.start(
            name, sys.executable, str(PROBE), "receive", str(path), *doors, stdout=subprocess.PIPE
        )
        assert process.stdout
        process.stdout.readline()
        self.receivers.append((path, process))

    def send(self, name: str, rate: float, own: str, address: str, port: int) -> None:
        """Begin to send from a machine."""
        path = self.folder / f"sent-{name}-{len(self.senders)}"
        words = (sys.executable, str(PROBE), "send", str(path), str(rate), own, address, str(port))
        self.senders.append((path, self.house.start(name, *words)))

    def finish(self) -> tuple[list["array.array[int]"], list[list[tuple[int, int, int]]]]:
        """When each sender sent, and what each receiver saw: socket, sent, arrived (ns)."""
        sent = [self._ended(path, process) for path, process in self.senders]
        self.senders.clear()
        time.sleep(0.3)
        seen = []
        for path, process in self.receivers:
            numbers = self._ended(path, process)
            seen.append(list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)))
        self.receivers.clear()
        return sent, seen

    def _ended(self, path: Path, process: "subprocess.Popen[str]") -> "array.array[int]":
        process.terminate()
        process.wait(30)
        self.house.end([process])
        numbers = array.array("q")
        numbers.frombytes(path.read_bytes())
        return numbers


@dataclass(frozen=True, slots=True)
class Station:
    """A running `rempart run` on the gateway, and the log that it follows."""

    house: House
    folder: Path
    run: Path
    process: "subprocess.Popen[str]"

    @property
    def log(self) -> Path:
        """The web server's log."""
        return self.folder / "logs" / "care.log"

    def talk(self) -> Client:
        """A conversation with the guard."""
        return connect(self.run / "guard" / "operator.sock")

    def order(self, client: Client, order: orders.AnyOrder) -> OrderDone:
        """Give an order that must be carried out."""
        client.send(Ordered(order=order))
        answer = client.receive(seconds=30)
        if not isinstance(answer, OrderDone):
            raise RuntimeError(f"{order}: {answer}")
        return answer

    def status(self, client: Client) -> Status:
        """How things are."""
        client.send(StatusAsked())
        answer = client.receive(seconds=30)
        if isinstance(answer, OrderRejected | OrderDone):
            raise RuntimeError(f"no status: {answer}")
        assert isinstance(answer, Status)
        return answer

    def reopen(self, client: Client) -> None:
        """Every opening open again, and the site normal."""
        for opening in self.status(client).openings:
            if opening.state is not OpeningState.OPEN:
                self.order(
                    client,
                    orders.Reopen(
                        by=CALLER,
                        opening=opening.id,
                        state=OpeningState.OPEN,
                        seconds=600,
                        override=True,
                        reason="measured",
                    ),
                )
                self.order(client, orders.ConfirmTrial(by=CALLER, opening=opening.id))

    def pid_of(self, name: str) -> int:
        """The process of the station with that word in its command line."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in map(int, children):
            if name in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                return pid
        raise LookupError(name)


@contextlib.contextmanager
def station(house: House, state: Path | None = None) -> Iterator[Station]:
    """The station, watching over the house until the block ends; ``state``: its folder, when on another disk.

    The run folder lies in memory, as on a box.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rempart-bench-") as name,
        tempfile.TemporaryDirectory(prefix="rempart-bench-", dir="/dev/shm") as memory,
    ):
        folder = Path(name)
        for needed in (folder, Path(memory)):
            needed.chmod(0o755)
        for part in ("logs", "rules"):
            (folder / part).mkdir()
        (folder / "logs" / "care.log").touch()
        site = SITE + EVERYWHERE.replace("@LOG@", str(folder / "logs" / "care.log"))
        (folder / "site.toml").write_text(site)
        (folder / "policy.toml").write_text(POLICY)
        for number in range(RULES):
            text = RULE.format(title=f"Rule {number}", number=number, asked=f"/hole-{number}/")
            (folder / "rules" / f"{number}.yml").write_text(text)
        words = [sys.executable, "-m", "rempart", "run", "--port", "8499"]
        for option, place in (
            ("site", folder / "site.toml"),
            ("state", state or folder / "state"),
            ("run", Path(memory) / "run"),
            ("rules", folder / "rules"),
            ("policy", folder / "policy.toml"),
        ):
            words += [f"--{option}", str(place)]
        with (folder / "station.log").open("wb") as said:
            process = house.start("gw", *words, stderr=said)
        running = Station(house, folder, Path(memory) / "run", process)
        try:
            _await(running)
            yield running
        except BaseException:
            sys.stderr.write((folder / "station.log").read_text()[-4000:])
            raise
        finally:
            process.terminate()
            process.wait(30)
            house.clear()


def _await(running: Station) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(StationUnreachable), running.talk() as client:
            status = running.status(client)
            if status.enforcement_verified is not None and not status.enforcement_fault:
                time.sleep(1.5)  # watch has read its rules and found the guard
                return
        time.sleep(0.1)
    raise TimeoutError("the station did not come up")


# -- lines -------------------------------------------------------------------------------------------------------


def line(client: str, path: str) -> bytes:
    """One line of the web server's log, of the present second."""
    moment = as_datetime(time.time_ns() // 1000).isoformat(timespec="seconds")  # type: ignore[arg-type]
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    return f'{client} - - [{moment}] "GET {path} HTTP/1.1" 200 5120 "-" "{agent}" "care.example"\n'.encode()


@contextlib.contextmanager
def load(log: Path, rate: int) -> Iterator[Callable[[], float]]:
    """So many ordinary lines a second, until the block ends; tells how many a second were really written."""
    stop, written, began = threading.Event(), [0], time.monotonic()
    ordinary = [line(f"10.2.{n % 7}.{n % 250}", f"/dossier/{n}/page") for n in range(500)]

    def write() -> None:
        with log.open("ab", buffering=0) as file:
            while not stop.wait(0.002):
                if (due := int((time.monotonic() - began) * rate)) > written[0]:
                    file.write(b"".join(ordinary[n % 500] for n in range(written[0], due)))
                    written[0] = due

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield lambda: written[0] / (time.monotonic() - began)
    finally:
        stop.set()
        thread.join()


def percentile(values: Iterable[float], percent: float) -> float | None:
    """The value that so many percent of the values do not exceed; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 3)
