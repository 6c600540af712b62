"""The wires: network namespaces, switches and cables, made for one run and removed without a trace.

Every machine is a network namespace on a switch; all switches stand in one namespace of their own, so that the
gateway is the only way from one to another. Nothing is made in the network of the machine that runs the demo.
"""

import ctypes
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar, TypeVar

from demo.addresses import INSIDE_SWITCHES, OUTSIDE_SWITCH, Host, Plan

_NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_OURS = re.compile(r"rempart-demo\.(\d+)\.")
_NOBODY = "nobody"

_TOP = Path(__file__).parent.parent
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

CABLES = "cables"
GATEWAY = "gateway"

Result = TypeVar("Result")
_libc = ctypes.CDLL(None, use_errno=True)


class WorldRefused(Exception):
    """The kernel does not let us make a namespace or a link; the message says which."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What could be left behind on the machine, as it stands: counted before and after a run."""

    namespaces: frozenset[str]
    processes: frozenset[int]
    links: frozenset[str]
    tables: frozenset[str]
    files: frozenset[str]

    def beyond(self, before: "Traces") -> dict[str, list[str]]:
        """What is there now and was not there before, by kind."""
        return {
            kind: sorted(str(trace) for trace in getattr(self, kind) - getattr(before, kind))
            for kind in ("namespaces", "processes", "links", "tables", "files")
        }


class World:
    """The machines of one plan, wired. Use it as a context manager: leaving it ends and removes everything."""

    _numbers = itertools.count(1)
    _started: ClassVar[set[int]] = set()
    """Pids of the programs of all worlds of this process: what is under us and not among them is an orphan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._prefix = f"rempart-demo.{os.getpid()}.{next(self._numbers)}."
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._outputs: list[IO[bytes]] = []
        self.folder = Path()
        self.before = Traces(*[frozenset()] * 5)

    def __enter__(self) -> "World":
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to us, so that none can be missed
        sweep()
        self.before = traces(self._prefix)
        try:
            self._build()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    # -- building ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=self._prefix))
        self.folder.chmod(0o755)
        _NAMESPACES.mkdir(parents=True, exist_ok=True)
        for name in (CABLES, GATEWAY, *(host.name for host in self.plan.hosts)):
            self._make_namespace(name)
        self._ip(CABLES, ["link set lo up", *self._switches()])
        self._ip(GATEWAY, ["link set lo up", *self._gateway()])
        for host in self.plan.hosts:
            self._ip(host.name, ["link set lo up", *self._machine(host)])
        for name in (GATEWAY, *(host.name for host in self.plan.hosts)):
            self.enter(name, _let_anybody_listen)
        self.enter(GATEWAY, _forward)

    def _make_namespace(self, name: str) -> None:
        path = self.path(name)
        path.touch()
        done = subprocess.run(
            ["unshare", f"--net={path}", "true"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise WorldRefused(
                f"no network namespace can be made here: {done.stderr.strip()}. "
                "In a container, start it with --privileged; elsewhere, run the demo as root."
            )

    def _switches(self) -> Iterator[str]:
        for switch in (*INSIDE_SWITCHES, OUTSIDE_SWITCH):
            yield f"link add br-{switch} type bridge forward_delay 0"
            yield f"link set br-{switch} up"
            yield from self._cable(switch, f"gw-{switch}", GATEWAY, switch)
        for host in self.plan.hosts:
            yield from self._cable(host.switch, host.name, host.name, "eth0")

    def _cable(self, switch: str, port: str, machine: str, interface: str) -> Iterator[str]:
        yield f"link add {port} type veth peer name {interface} netns {self.path(machine).name}"
        yield f"link set {port} master br-{switch} up"

    def _gateway(self) -> Iterator[str]:
        for switch, address in self.plan.gateway.items():
            yield f"address add {address}/{self.plan.networks[switch].prefixlen} dev {switch}"
            yield f"link set {switch} up"

    def _machine(self, host: Host) -> Iterator[str]:
        network = self.plan.networks[host.switch]
        yield f"link set eth0 address {host.mac}"
        for address in host.addresses:
            yield f"address add {address}/{network.prefixlen} dev eth0"
        yield "link set eth0 up"
        if host.switch == OUTSIDE_SWITCH:  # the internet knows the way to the hospital
            for switch in INSIDE_SWITCHES:
                yield f"route add {self.plan.networks[switch]} via {self.plan.uplink}"
        else:
            yield f"route add default via {self.plan.gateway[host.switch]}"

    def _ip(self, machine: str, lines: Sequence[str]) -> None:
        done = subprocess.run(
            [*self._inside(machine), "ip", "-batch", "-"],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise WorldRefused(f"wiring {machine}: {done.stderr.strip()}")

    # -- using ---------------------------------------------------------------------------------------------------

    def path(self, machine: str) -> Path:
        """The file that names the machine's network namespace."""
        return _NAMESPACES / f"{self._prefix}{machine}"

    def enter(self, machine: str, do: Callable[[], Result]) -> Result:
        """What ``do()`` gives when run inside the machine's network; sockets made there stay there."""
        return enter(self.path(machine), do)

    def run(self, machine: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command inside a machine until it ends."""
        return subprocess.run(
            [*self._inside(machine), *command],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=_TOP,
        )

    def start(
        self, machine: str, name: str, command: Sequence[str], *, unprivileged: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a program inside a machine; what it says goes to ``programs/<name>.log``. Ended by `stop`.

        As real root an ``unprivileged`` program runs as nobody. In a user namespace there is but one user.
        """
        output = (self._folder("programs") / f"{name}.log").open("ab")
        self._outputs.append(output)
        program = subprocess.Popen(
            [*self._inside(machine), *_as_nobody(unprivileged), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours to answer: programs end in order
            cwd=_TOP,
        )
        self._programs[name] = program
        self._started.add(program.pid)
        return program

    def said(self, name: str) -> str:
        """What a program has said so far."""
        return (self.folder / "programs" / f"{name}.log").read_text(errors="replace")

    def stop(self, name: str, *, patience: float = 5.0) -> None:
        """End one program by its pid, first asking."""
        program = self._programs.pop(name)
        _end([program.pid], patience, program.poll)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send one program a signal."""
        self._programs[name].send_signal(number)

    def wait(self, name: str, patience: float) -> int:
        """Wait for a program to end by itself; its exit code. Raises subprocess.TimeoutExpired."""
        code = self._programs[name].wait(patience)
        del self._programs[name]
        return code

    def dead(self) -> list[str]:
        """Names of programs that ended although nobody ended them."""
        return [name for name, program in self._programs.items() if program.poll() is not None]

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def _inside(self, machine: str) -> list[str]:
        return ["nsenter", f"--net={self.path(machine)}", "--"]

    # -- removing ------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """End every program, then remove namespaces (their links and rules go with them) and files.

        A second Ctrl-C does not stop it half-way.
        """
        with _undisturbed():
            self._remove()

    def _remove(self) -> None:
        for name in reversed(list(self._programs)):
            self.stop(name)
        for output in self._outputs:
            output.close()
        for pid in set(_children(os.getpid())) - self._started:
            _end([pid], 2.0, lambda pid=pid: _reap(pid))  # type: ignore[misc]  # mypy has no type for the default
        _remove_namespaces(self._prefix)
        if self.folder != Path():
            shutil.rmtree(self.folder)

    def leftovers(self) -> dict[str, list[str]]:
        """What this run left on the machine, by kind, read from the machine itself; five empty lists when nothing."""
        return traces(self._prefix).beyond(self.before)


def enter(namespace: Path, do: Callable[[], Result]) -> Result:
    """What ``do()`` gives when run in a network namespace. A thread of its own enters, for it cannot come back."""
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def inside() -> None:
        try:
            handle = os.open(namespace, os.O_RDONLY)
            try:
                if _libc.setns(handle, _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), f"entering {namespace}")
            finally:
                os.close(handle)
            outcome.append(do())
        except BaseException as error:  # handed to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def traces(prefix: str) -> Traces:
    """What the run of that prefix could leave behind, as it stands on this machine now."""
    return Traces(
        namespaces=frozenset(path.name for path in _NAMESPACES.glob(f"{prefix}*")),
        processes=frozenset(_ours(prefix)),
        links=frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        tables=frozenset(_tables()),
        files=frozenset(path.name for path in Path(tempfile.gettempdir()).glob(f"{prefix}*")),
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C and its like are not heard meanwhile. Elsewhere than in the main thread they are not heard anyway."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def sweep() -> None:
    """Remove what a run that was killed (SIGKILL) left, programs first: its name holds a pid that is no more."""
    for path in [*_NAMESPACES.glob("rempart-demo.*"), *Path(tempfile.gettempdir()).glob("rempart-demo.*")]:
        found = _OURS.match(path.name)
        if found is None or Path("/proc", found[1]).exists():
            continue
        if path.parent == _NAMESPACES:
            for pid in list(_standing_in(path.name)):
                os.kill(pid, signal.SIGKILL)
            _remove_namespaces(path.name)
        elif path.stat().st_uid == os.getuid():
            shutil.rmtree(path)


def real_root() -> bool:
    """Whether we are root of the whole machine, not only of a user namespace."""
    mapping = Path("/proc/self/uid_map").read_text().split()
    return os.getuid() == 0 and mapping == ["0", "0", "4294967295"]


def _as_nobody(wanted: bool) -> list[str]:  # noqa: FBT001  private
    if not (wanted and real_root()):
        return []
    return ["setpriv", f"--reuid={_NOBODY}", "--regid=nogroup", "--clear-groups", "--"]


def _let_anybody_listen() -> None:
    Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")


def _forward() -> None:
    """Let the gateway forward, and forget an ended connection after seconds, not minutes: that is when it is logged."""
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    Path("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait").write_text("2")


def _remove_namespaces(prefix: str) -> None:
    for path in _NAMESPACES.glob(f"{prefix}*"):
        subprocess.run(
            ["umount", "--quiet", path], capture_output=True, check=False
        )  # not mounted: only a file
        path.unlink()


def _tables() -> list[str]:
    """The nftables tables of this machine's own network; none where we may not even look (user namespace)."""
    if shutil.which("nft") is None:
        return []
    done = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def _ours(prefix: str) -> Iterator[int]:
    """Processes under us, and any process that still stands in a network namespace of the run."""
    yield from _descendants(os.getpid())
    yield from _standing_in(prefix)


def _standing_in(prefix: str) -> Iterator[int]:
    networks = {path.stat().st_ino for path in _NAMESPACES.glob(f"{prefix}*")}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inode = (process / "ns/net").stat().st_ino
        except OSError:  # ended meanwhile, or another user's
            continue
        if inode in networks:
            yield int(process.name)


def _descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def _children(pid: int) -> list[int]:
    found = []
    for task in Path("/proc", str(pid), "task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:  # the thread ended meanwhile
            continue
    return found


def _reap(pid: int) -> int | None:
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return 0 if ended else None


def _end(pids: Sequence[int], patience: float, ended: Callable[[], int | None]) -> None:
    for number, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        if ended() is not None:
            return
        for pid in pids:
            os.kill(pid, number)
        limit = time.monotonic() + wait
        while time.monotonic() < limit and ended() is None:
            time.sleep(0.005)
