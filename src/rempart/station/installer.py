"""The installer: answers the steps of the first hour, writes site.toml, starts the station and sees it work.

Whoever installs is root on the box; terminal, browser and a file of answers are three ways to one installer.
"""

import os
import secrets
import signal
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rempart.accounts.person import Role
from rempart.adapters import answered, paper, shipped, surroundings
from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import connect
from rempart.adapters.systemd import Systemd
from rempart.care import envelope
from rempart.config import RUN, SITE, STATE, Places
from rempart.console.papers import CARE
from rempart.duties import notice, words
from rempart.duties.document import Paper
from rempart.engine import orders
from rempart.errors import DecodeError, InputRefused, RempartError, StationUnreachable, phrased
from rempart.events.decode import DECODERS, decoded
from rempart.first_hour import attack, flaws, form, questions
from rempart.first_hour.answers import DESCRIBING, Answers, Step, to_do
from rempart.first_hour.described import Book, site_toml
from rempart.first_hour.surroundings import Surroundings
from rempart.messages import OrderDone, Ordered, OrderRejected, Status, StatusAsked, ToOperator
from rempart.ports import Clock
from rempart.site import template
from rempart.site.description import parse
from rempart.site.flaw import Flaw
from rempart.site.language import Language
from rempart.site.site import Site
from rempart.station import running
from rempart.station.parts import Part, units, unneeded

_UP_WITHIN = 90.0
_SEEN_WITHIN = 60.0
"""Seconds for the test attack: a watch that has just started may still be reading its rules."""
_TAIL = 64 << 10
"""Bytes at the end of a log that are looked at."""


def book() -> Book:
    """The templates and the catalogue, as they ship."""
    return Book(
        {name: tomllib.loads(shipped.text(f"site/templates/{name}.toml")) for name in template.NAMES},
        tomllib.loads(shipped.text("site/openings.toml")),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """The last line of the source that its decoder reads."""

    number: int
    """How many lines from the end, from 1."""
    text: str
    """Hostile text; it is shown to whoever installs and kept nowhere."""


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, for a person: words of key ``setup.<word>`` with a value; without a word the value alone."""

    word: str
    value: str = ""


@dataclass(slots=True)
class Installer:
    """One installation under way. Every answer is kept before it is believed to be given."""

    places: Places
    port: int = 8420
    """Of the console, when the station is started from here."""
    operator: str = ""
    clock: Clock = field(default_factory=SystemClock)
    book: Book = field(default_factory=book)
    systemd: Systemd = field(default_factory=Systemd)
    on_a_box: tuple[Path, Path, Path] = (SITE, STATE, RUN)
    """Where the units of a box look for the description, what is kept, and the sockets."""
    answers: Answers = field(init=False)
    around: Surroundings = field(init=False)
    link: str = ""
    """The first account's one-time link, while this process lives; it is kept nowhere."""

    def __post_init__(self) -> None:
        self.answers = answered.read(self.file)
        self.look()

    @property
    def file(self) -> Path:
        """Where the answers are kept."""
        return self.places.state / "first-hour.json"

    def look(self) -> None:
        """Look around anew: a cable may have been plugged in meanwhile."""
        self.around = surroundings.look(self.operator)

    # -- answers -------------------------------------------------------------------------------------------------

    def fields(self, step: Step) -> tuple[questions.Field, ...]:
        """What a step asks."""
        return questions.fields(step, self.answers, self.around, self.book)

    def answer(self, step: Step, values: Mapping[str, str]) -> None:
        """Take the answers of a step, and keep them. Raises `form.Unfit`, and then nothing has changed."""
        taken = form.read(step, self.answers, values, self.around, self.book)
        if taken != self.answers:  # site.toml says something else until it is written again
            taken = msgspec.structs.replace(taken, proof=msgspec.structs.replace(taken.proof, written=None))
        if taken.began is None:
            taken = msgspec.structs.replace(taken, began=self.clock.now())
        self._keep(taken)

    def _keep(self, answers: Answers) -> None:
        answered.write(self.file, answers)
        self.answers = answers

    def _proved(self, **what: int) -> None:
        proof = msgspec.structs.replace(self.answers.proof, **what)
        self._keep(msgspec.structs.replace(self.answers, proof=proof))

    # -- deeds ---------------------------------------------------------------------------------------------------

    def do(self, step: Step) -> Iterator[Told]:
        """Make a step that is done rather than answered, telling what happens as it happens.

        Raises RempartError where it cannot go on; what was done before stays done.
        """
        match step:
            case Step.START:
                earlier = self.write()
                yield Told("written", str(self.places.site))
                if earlier:
                    yield Told("earlier", str(earlier))
                yield Told(self.start())
                link = self.account()
                yield Told("link")
                yield Told("", link)
            case Step.TEST:
                line = self.heard()
                yield Told("heard", line.text) if line else Told("unheard")
                yield Told("seen", f"{self.attack():.1f}")
            case Step.PAPERS:
                for made in self.papers():
                    yield Told("printed", str(made))
            case _:
                raise ValueError(f"{step} is answered, not done")

    # -- site.toml -----------------------------------------------------------------------------------------------

    def described(self) -> Site:
        """The site as the answers describe it. Raises InputRefused naming the steps that are missing."""
        missing = [step for step in to_do(self.answers) if step in DESCRIBING]
        if missing:
            raise phrased(InputRefused, "deed-steps", steps=missing)
        return parse(site_toml(self.answers, self.book), "site.toml")

    def write(self) -> Path | None:
        """Write site.toml; the one that was there is kept, and its new name given back."""
        self.described()
        now = self.clock.now()
        earlier = answered.put_site(self.places.site, site_toml(self.answers, self.book), now)
        self._proved(written=now)
        return earlier

    def blanks(self) -> tuple[Flaw, ...]:
        """What is still blank in it."""
        return flaws.blank(self.described())

    # -- the station ---------------------------------------------------------------------------------------------

    def status(self) -> Status | None:
        """How the station is; None when none answers."""
        try:
            with connect(self.places.operator_socket, incoming=ToOperator) as client:
                client.send(StatusAsked())
                answer = client.receive(seconds=10)
        except StationUnreachable:
            return None
        return answer if isinstance(answer, Status) else None

    def start(self) -> str:
        """Have a station run on what was written; the word that says how it came to. It stays when we end.

        One that `rempart run` started earlier takes the changed description, and so do the units of a box, which are
        what starts the station there. One that was started in another way does not.
        Raises RempartError with the reason when it does not come up.
        """
        runs = self.status() is not None
        if runs and self.places.site.stat().st_mtime_ns <= self._began():
            return "current"
        process = running.process(self.places.run)
        if runs and process:
            self._renew(process)
            return "renewed"
        if process is None and self._has_units():
            self._start_units()
            return "renewed" if runs else "started"
        if runs:
            return "runs"
        self._launch()
        return "started"

    def _has_units(self) -> bool:
        """Whether systemd manages this box and its units are for these very folders."""
        here = (self.places.site, self.places.state, self.places.run)
        return here == self.on_a_box and self.systemd.knows(f"rempart-{Part.GUARD}.service")

    def _start_units(self) -> None:
        site, before = self.described(), self._began()
        self.systemd.take_up(units(site), unneeded(site))
        self._await_since(before, log="`journalctl --unit=rempart-guard`")

    def _began(self) -> int:
        """When the guard that runs opened its door, in nanoseconds of the file system's clock; 0: none has."""
        try:
            return self.places.operator_socket.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _renew(self, process: int) -> None:
        """Have the station that `rempart run` started as this process start again with site.toml as it is."""
        before = self._began()
        try:
            os.kill(process, signal.SIGHUP)
        except OSError as fault:
            raise phrased(RempartError, "deed-signal", detail=fault.strerror or "") from fault
        self._await_since(before, log=str(self._log))

    def _await_since(self, before: int, *, log: str) -> None:
        """Wait until a guard answers that opened its door at another moment than ``before``."""
        until = time.monotonic() + _UP_WITHIN
        while self._began() in (0, before) or self.status() is None:
            if time.monotonic() > until:
                raise phrased(RempartError, "deed-not-up", log=log)
            time.sleep(0.1)

    @property
    def _log(self) -> Path:
        return self.places.state / "setup-run.log"

    def _launch(self) -> None:
        """Start `rempart run` in a session of its own, and wait until it answers."""
        log = self._log
        with os.fdopen(
            os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "wb"
        ) as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "rempart", "run", *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        until = time.monotonic() + _UP_WITHIN
        while self.status() is None:
            if process.poll() is not None or time.monotonic() > until:
                raise phrased(RempartError, "deed-fell", detail=_end_of(log), log=str(log))
            time.sleep(0.1)

    def _arguments(self) -> list[str]:
        arguments = ["--site", str(self.places.site), "--state", str(self.places.state)]
        arguments += ["--run", str(self.places.run), "--port", str(self.port)]
        for folder in self.places.rules:
            arguments += ["--rules", str(folder)]
        return arguments

    def account(self) -> str:
        """Make the first account, or a new link for it when it is there; the one-time link is given back.

        Raises InputRefused with the station's reason.
        """
        people = self.answers.people
        if people is None:
            raise phrased(InputRefused, "deed-nobody")
        roles = [Role.TECHNICIAN]
        first = orders.EnrolPerson(
            by="rempart setup", reason="first hour", person=people.account, name=people.full_name, roles=roles
        )
        answer = self._order(first)
        if isinstance(answer, OrderRejected):
            again = orders.IssueLink(by="rempart setup", reason="first hour", person=people.account)
            answer = self._order(again)
        if isinstance(answer, OrderRejected):
            refused = InputRefused(answer.what, where="account", now=answer.now)
            refused.said = answer.said
            raise refused
        self._proved(account=self.clock.now())
        self.link = f"{answer.console}/link?secret={answer.handed}"
        return self.link

    def _order(self, order: orders.AnyOrder) -> OrderDone | OrderRejected:
        with connect(self.places.operator_socket, incoming=ToOperator) as client:
            client.send(Ordered(order=order))
            answer = client.receive(seconds=30)
        if not isinstance(answer, OrderDone | OrderRejected):
            raise phrased(StationUnreachable, "deed-silent", where=type(answer).__name__)
        return answer

    # -- papers --------------------------------------------------------------------------------------------------

    @property
    def printed(self) -> Path:
        """The folder of the papers."""
        return self.places.state / "papers"

    def papers(self) -> Iterator[Path]:
        """Make the notices in four languages as PDF, and in the house's own the draft assessment and what belongs into
        the envelope beside the box.
        """
        site, now = self.described(), self.clock.now()
        spoken = words.parse(shipped.text("duties/notices.toml"), "duties/notices.toml", tuple(Language))
        own = self.answers.language or Language.ENGLISH
        wanted = [("staff", notice.staff, each) for each in Language]
        wanted += [("residents", notice.residents, each) for each in Language]
        wanted.append(("impact-assessment", notice.impact, own))
        for name, of, language in wanted:
            yield self._print(f"{name}.{language}", of(site, spoken, language, now))
        beside_the_box = {"bypass": envelope.bypass} if site.enforces else {"by-hand": envelope.by_hand}
        for name, make in {**beside_the_box, "replacing": envelope.replacing}.items():
            yield self._print(f"{name}.{own}", make(site, now, CARE, own))
        self._proved(papers=now)

    def _print(self, name: str, made: Paper) -> Path:
        file = self.printed / f"{name}.pdf"
        self.printed.mkdir(mode=0o755, exist_ok=True)
        answered.put(file, paper.pdf(made), 0o644)
        return file

    # -- proofs --------------------------------------------------------------------------------------------------

    def heard(self) -> Line | None:
        """The last line of the first source that its decoder reads; None when there is none yet."""
        source = self.answers.source
        if source is None:
            return None
        decode = DECODERS[source.decoder]
        for number, line in enumerate(reversed(_last_lines(Path(source.path))), start=1):
            try:
                decoded(decode, line, source.path, 1)
            except DecodeError:
                continue
            self._proved(line=self.clock.now())
            return Line(number, line.decode("utf-8", "replace"))
        return None

    def attack(self, waiting: Callable[[float], None] = time.sleep) -> float:
        """Write the test attack into the first source, and wait until the station tells of it. Seconds it took.

        Raises InputRefused when the log cannot be written, StationUnreachable when nothing is told in time.
        """
        source = self.answers.source
        if source is None:
            raise phrased(InputRefused, "deed-no-source")
        if self.status() is None:
            raise phrased(StationUnreachable, "deed-not-running")
        code = secrets.token_hex(4)
        began = time.monotonic()
        _append(Path(source.path), attack.line(source.decoder, code, self.clock.now()))
        while not self._told(attack.host(code)):
            if time.monotonic() - began > _SEEN_WITHIN:
                raise phrased(
                    StationUnreachable, "deed-no-finding", path=source.path, seconds=int(_SEEN_WITHIN)
                )
            waiting(0.05)
        taken = time.monotonic() - began
        self._proved(attack=self.clock.now())
        return taken

    def _told(self, host: str) -> bool:
        status = self.status()
        return status is not None and any(host in incident.assets for incident in status.incidents)


def _last_lines(path: Path) -> list[bytes]:
    """The last whole lines of a log, the oldest first; none when it cannot be read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as log:
            if not stat.S_ISREG(os.fstat(log.fileno()).st_mode):
                return []
            end = log.seek(0, os.SEEK_END)
            log.seek(max(0, end - _TAIL))
            read = log.read(_TAIL)
    except OSError:
        return []
    lines = read.split(b"\n")
    return [line for line in lines[(1 if end > _TAIL else 0) : -1] if line]


def _append(path: Path, line: bytes) -> None:
    """One line at the end of a plain file that is there already: nothing is made, no link and no pipe followed."""
    try:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK), "ab", buffering=0
        ) as log:
            if not stat.S_ISREG(os.fstat(log.fileno()).st_mode):
                raise phrased(InputRefused, "deed-no-log", path=str(path))
            log.write(line)
    except OSError as fault:
        raise phrased(
            InputRefused, "deed-unwritable-log", path=str(path), detail=fault.strerror or ""
        ) from fault


def _end_of(log: Path) -> str:
    lines = _last_lines(log)
    return lines[-1].decode("utf-8", "replace")[:300] if lines else "it said nothing"
