"""Starts guard, watch, teller, console, proxy, its filter and the packet log, each with as little power as it needs.

On a box systemd units do this; here one process does, for the demo and for trying things out. A process that dies is
started again after a pause that grows; the kernel keeps its verdicts meanwhile.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from rempart.config import Places
from rempart.containment.render import haproxy, modsecurity
from rempart.errors import EnforcementFailed, ExitCode, InputRefused, PrivilegeMissing, RempartError
from rempart.site.site import Site
from rempart.station import running
from rempart.station.logs import bound, written
from rempart.station.parts import Part, parts
from rempart.station.prepare import prepare
from rempart.station.users import User, Users, command

_log = logging.getLogger("rempart")

_READY_WITHIN = 60.0
_STOP_WITHIN = 5.0
_HTTPS = 443
_PAUSES = (0.1, 0.2, 0.5, 1.0)


@dataclass(slots=True)
class Program:
    """One process and how to start it again."""

    name: str
    arguments: list[str]
    output: Path | None = None
    """Where its standard output goes; None: to ours."""
    sockets: Path | None = None
    """Folder of its sockets: when it was killed they are still there, and it could not listen again."""
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    restart_at: float = 0.0

    def start(self) -> None:
        """Start it, or start it again."""
        for left in self.sockets.glob("*.sock") if self.sockets else ():
            left.unlink(missing_ok=True)
        out = self.output.open("ab") if self.output else None
        try:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=out)
        finally:
            if out:
                out.close()
        _log.info("%s started (%d)", self.name, self.process.pid)

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """All processes of a station, started in the order in which they need one another."""

    places: Places
    site: Site
    users: Users
    console_port: int
    operators: tuple[int, ...] = ()
    console_name: str = ""
    """The host name of the pages, for which there is a certificate; empty: loopback, without TLS."""
    console_address: str = "127.0.0.1"
    renew: "Callable[[], Supervisor] | None" = None
    """Makes the station of the description as it is then. Raises RempartError when that cannot be used."""
    programs: list[Program] = field(default_factory=list)
    stopping: bool = False
    heir: "Supervisor | None" = None
    """The station of a changed description, which is to go on when this one has ended."""
    _renewing: bool = False

    def run(self) -> int:
        """Start everything and look after it until SIGTERM or SIGINT; SIGHUP has a changed description taken."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: setattr(self, "stopping", True))
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "_renewing", True))
        if self.users.shared:
            _log.warning("processes are not isolated from one another: %s", self.users.shared)
        self._prepare()
        with running.alone(self.places.run):
            return self._live()

    def _live(self) -> int:
        # All are looked for before the first starts: the guard loads the kernel's table, and it stays.
        guard, *others = (self.program(part) for part in parts(self.site))
        try:
            self._begin(guard)
            self._await(guard, self.places.operator_socket.exists)
            for program in others:
                self._begin(program)
            self._look_after()
        finally:
            self._end()
        return 0

    # -- folders -------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        for folder, owner, mode in self.folders():
            _folder(folder, owner, mode)
        for log, writer in self.logs():
            self._log_file(log, writer)
        prepare(self.places, self.site)

    def folders(self) -> tuple[tuple[Path, User, int], ...]:
        """Every folder with its owner and mode, each open to exactly who needs it.

        What root or the guard writes lies in a folder that is its own: elsewhere somebody taken over could put a link
        or a pipe in its place (CWE-59).
        """
        users, places = self.users, self.places
        root = User(users.guard.name and "root", os.geteuid(), os.getegid())
        return (
            (places.state, root, 0o711),
            (places.run, root, 0o711),
            (places.journal.parent, users.guard, 0o700),
            (places.events.parent, users.watch, 0o700),
            (places.spool.parent, users.teller, 0o700),
            (places.operator_socket.parent, users.guard, 0o711),
            (places.proxy_config.parent, users.guard, 0o750),
            (places.gate_config.parent, users.guard, 0o750),
            (places.proxy_socket.parent, users.guard, 0o770),
            # The guard writes what the filter reads; the proxy, in the guard's group, reaches the filter's sockets.
            (places.filter_config.parent, replace(users.guard, gid=users.web_filter.gid), 0o750),
            (places.filter_work, replace(users.web_filter, gid=users.guard.gid), 0o750),
            (places.packets_log.parent, root, 0o755),
            (places.challenges, root, 0o755),
            (places.unbound_config.parent, root, 0o755),
            (places.inquiry_socket.parent, users.watch, 0o711),
            (places.run / "console", users.console, 0o700),
            # The console leaves there what anybody may read; the staff page's process reads it.
            (places.staff_notice.parent, users.console, 0o711),
        )

    def logs(self) -> tuple[tuple[Path, User], ...]:
        """The logs that others write and only watch reads, with their writers."""
        users, places = self.users, self.places
        return (
            (places.proxy_log, users.proxy),
            (places.packets_log, users.packets),
            (places.packets_diary, users.packets),
        )

    def _log_file(self, path: Path, writer: User) -> None:
        """A log that its writer appends to and only watch reads."""
        path.touch(mode=0o640)
        path.chmod(0o640)
        if writer.name:
            os.chown(path, writer.uid, self.users.watch.gid)

    # -- programs ------------------------------------------------------------------------------------------------

    def program(self, part: Part) -> Program:
        """How that part is started. Raises PrivilegeMissing when its program is not installed."""
        making = {
            Part.GUARD: self._guard,
            Part.FILTER: self._filter,
            Part.PROXY: self._proxy,
            Part.PACKETS: self._packets,
            Part.WATCH: self._watch,
            Part.CONSOLE: self._console,
            Part.PROBER: self._prober,
            Part.GROUP: self._group_door,
            Part.STAFF: self._staff,
            Part.TELLER: self._teller,
            Part.UNBOUND: self._unbound,
            Part.RESOLVER: self._resolver,
            Part.GATE: self._gate,
        }
        return making[part]()

    def _python(self, module: str, user: User, capabilities: tuple[str, ...], *arguments: str) -> list[str]:
        return command(user, capabilities, [sys.executable, "-m", module, *arguments])

    def _place_arguments(self) -> list[str]:
        return [
            "--site",
            str(self.places.site),
            "--state",
            str(self.places.state),
            "--run",
            str(self.places.run),
        ]

    def _guard(self) -> Program:
        arguments = [
            *self._place_arguments(),
            "--watch-uid",
            str(self.users.watch.uid),
            "--prober-uid",
            str(self.users.prober.uid),
            "--teller-uid",
            str(self.users.teller.uid),
            "--group-uid",
            str(self.users.group_door.uid),
            "--console-uid",
            str(self.users.console.uid),
            *self._party(),
            "--resolver-uid",
            str(self.users.resolver.uid),
        ]
        for uid in (0, *self.operators):
            arguments += ["--operator-uid", str(uid)]
        if self.places.policy:
            arguments += ["--policy", str(self.places.policy)]
        start = self._python("rempart.station.guard", self.users.guard, ("net_admin",), *arguments)
        # A cut must not wait for whatever else the box is busy with; only root may ask for that.
        first = ["nice", "-n", "-15"] if self.users.guard.name else []
        return Program("guard", [*first, *start])

    def _watch(self) -> Program:
        arguments = [*self._place_arguments(), "--console-uid", str(self.users.console.uid)]
        for rules in self.places.rules:
            arguments += ["--rules", str(rules)]
        return Program("watch", self._python("rempart.station.watch", self.users.watch, (), *arguments))

    def _prober(self) -> Program:
        start = self._python("rempart.station.prober", self.users.prober, (), *self._place_arguments())
        return Program("prober", start)

    def _group_door(self) -> Program:
        start = self._python(
            "rempart.station.group_door", self.users.group_door, (), *self._place_arguments()
        )
        return Program("group", start)

    def _staff(self) -> Program:
        start = self._python("rempart.station.staff_page", self.users.staff, (), *self._place_arguments())
        return Program("staff", start)

    def _teller(self) -> Program:
        program = [sys.executable, "-m", "rempart.station.teller", *self._place_arguments()]
        # The modem's device belongs to this group on Debian.
        return Program("teller", command(self.users.teller, (), program, groups=("dialout",)))

    def _console(self) -> Program:
        arguments = [
            "--site",
            str(self.places.site),
            "--run",
            str(self.places.run),
            "--port",
            str(self.console_port),
        ]
        if self.console_name:
            arguments += ["--name", self.console_name, "--certificate", str(self.places.certificate)]
            arguments += ["--host", self.console_address]
        return Program("console", self._python("rempart.station.console", self.users.console, (), *arguments))

    def _party(self) -> list[str]:
        """What passkeys are made for, and where the pages may be: the guard believes nobody else about it."""
        if not self.console_name:
            return [
                "--console-name",
                "localhost",
                "--console-origin",
                f"http://localhost:{self.console_port}",
            ]
        port = "" if self.console_port == _HTTPS else f":{self.console_port}"
        origin = f"https://{self.console_name}{port}"
        return ["--console-name", self.console_name, "--console-origin", origin]

    def _proxy(self) -> Program:
        return Program(
            "haproxy",
            command(
                self.users.proxy,
                ("net_bind_service",),
                ["env", haproxy.ZONE, _program("haproxy"), "-db", "-f", str(self.places.proxy_config)],
            ),
            output=self.places.proxy_log,
        )

    def _filter(self) -> Program:
        program, work = _program("nginx"), self.places.filter_work
        if not Path(modsecurity.MODULE).exists() or not Path(modsecurity.CORE_RULES).is_dir():
            raise PrivilegeMissing(
                "the web filter is not installed",
                now="As root: apt-get install libnginx-mod-http-modsecurity modsecurity-crs",
            )
        arguments = [program, "-p", f"{work}/", "-e", "stderr", "-c", str(self.places.filter_config)]
        return Program("filter", command(self.users.web_filter, (), arguments), sockets=work)

    def _gate(self) -> Program:
        arguments = [_program("haproxy"), "-db", "-f", str(self.places.gate_config)]
        return Program("gate", command(self.users.proxy, (), arguments))

    def _packets(self) -> Program:
        arguments = [_program("ulogd"), "-c", str(self.places.packets_config)]
        return Program("ulogd", command(self.users.packets, ("net_admin",), arguments))

    def _unbound(self) -> Program:
        arguments = [_program("unbound"), "-d", "-p", "-c", str(self.places.unbound_config)]
        return Program("unbound", command(self.users.unbound, (), arguments))

    def _resolver(self) -> Program:
        start = self._python(
            "rempart.station.resolver", self.users.resolver, ("net_bind_service",), *self._place_arguments()
        )
        # Lifelines are found by name while the box analyses an attack; what one machine may ask is bounded.
        first = ["nice", "-n", "-10"] if self.users.resolver.name else []
        return Program("resolver", [*first, *start])

    # -- living --------------------------------------------------------------------------------------------------

    def _begin(self, program: Program) -> None:
        self.programs.append(program)
        program.start()

    def _await(self, program: Program, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + _READY_WITHIN
        while not ready():
            if not program.running or time.monotonic() > until:
                raise _NotUp(program)
            time.sleep(0.02)

    def _look_after(self) -> None:
        while not self.stopping:
            if self._renewing:
                self._make_heir()
            for program in self.programs:
                self._revive(program)
            for log in written(self.places):
                bound(log)
            time.sleep(0.05)

    def _make_heir(self) -> None:
        """Have the station of the description as it is now ready to go on; one that cannot be used changes nothing."""
        self._renewing = False
        if self.renew is None:
            return
        try:
            heir = self.renew()
            for part in parts(heir.site):
                heir.program(part)
        except RempartError as fault:
            _log.error("the description in force stays: %s", fault.diagnostics())
            return
        _log.info("starting again, with the description as it is now")
        self.heir, self.stopping = heir, True

    def _revive(self, program: Program) -> None:
        if program.running:
            return
        now = time.monotonic()
        if program.restart_at == 0.0:
            pause = _PAUSES[min(program.deaths, len(_PAUSES) - 1)]
            code = program.process.returncode if program.process else None
            _log.warning("%s ended (%s), starting it again in %.1f s", program.name, code, pause)
            program.deaths += 1
            program.restart_at = now + pause
        elif now >= program.restart_at:
            program.restart_at = 0.0
            program.start()

    def _end(self) -> None:
        """End every process, the last started first; the kernel's table stays: ending is not reopening."""
        for program in reversed(self.programs):
            if program.process and program.running:
                program.process.terminate()
        until = time.monotonic() + _STOP_WITHIN
        for program in reversed(self.programs):
            if program.process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.process.wait(max(0.05, until - time.monotonic()))
                if program.running:
                    program.process.kill()
                    program.process.wait()


def _folder(path: Path, owner: User, mode: int) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if owner.name:
            os.chown(path, owner.uid, owner.gid)
    except OSError as fault:
        raise InputRefused(
            f"this folder cannot be made ready: {fault.strerror}",
            where=str(path),
            now="Name other folders with --state and --run, or start as a user who may write there.",
        ) from fault


class _NotUp(EnforcementFailed):
    """A process that the others need did not come up; its exit code is ours, since its reason is."""

    def __init__(self, program: Program) -> None:
        super().__init__(
            f"{program.name} did not come up", now="Its reason stands above; nothing else was started."
        )
        code = program.process.returncode if program.process else None
        if code in {known.value for known in ExitCode} - {ExitCode.OK}:
            self.exit_code = ExitCode(code)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        raise PrivilegeMissing(f"{name} is not installed", now=f"As root: apt-get install {name}")
    return found
