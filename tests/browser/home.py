"""A home with a real guard, its journal and its console process, for browsers to visit."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

from rempart.accounts.authority import LOCAL
from rempart.accounts.credential import How, Passkey, Session
from rempart.accounts.person import Role as PersonRole
from rempart.accounts.secret import digest
from rempart.adapters.attachments import Attachments
from rempart.adapters.clock import SystemClock
from rempart.adapters.credentials import RelyingParty
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.socket import Listener, serve
from rempart.config import Places
from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.engine.inputs import AnyInput, Found, Ordered, Started
from rempart.engine.orders import AnyOrder, Contain, EnrolPerson
from rempart.engine.step import Terms
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import after, hours
from rempart.messages import FromConsole, OrderDone
from rempart.site.description import parse
from rempart.site.site import Site
from rempart.station.guard import Guard, Handled
from rempart.station.hearing import Hearing
from rempart.station.keychain import Keychain
from rempart.station.policy import read_policy

DESCRIPTION = Path(__file__).parents[1] / "console" / "tilleuls.toml"
CHROMIUM = Path("/usr/bin/chromium")

_PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""


def home(description: Path = DESCRIPTION) -> Site:
    """Les Tilleuls, which does not exist."""
    return parse(description.read_text(), description.name)


def finding(
    kind: Kind, *, actor: str = "203.0.113.66", asset: str = "10.0.1.12", account: str = ""
) -> Finding:
    """Something seen just now."""
    seen = [
        Observable(ObservableKind.ADDRESS, Role.ACTOR, actor),
        Observable(ObservableKind.ADDRESS, Role.VICTIM, asset),
        *([Observable(ObservableKind.ACCOUNT, Role.VICTIM, account)] if account else []),
    ]
    now = SystemClock().now()
    return Finding(
        id=f"{kind}-{now}",
        rule="00000000-0000-0000-0000-000000000000",
        title="Seen in a test",
        level=Level.HIGH,
        kind=kind,
        outcome=Outcome.ATTEMPT,
        time=now,
        source="portal.log",
        record=1,
        spoofable=False,
        observables=tuple(seen),
        count=40,
    )


@dataclass(slots=True)
class Home:
    """The guard runs in a thread with an enforcer that only remembers; the console is the real process."""

    folder: Path
    site: Site = field(default_factory=home)
    description: Path = DESCRIPTION
    """What the console's process reads."""
    keychain: Keychain = field(init=False, default_factory=lambda: Keychain(None))
    guard: Guard = field(init=False)
    loop: asyncio.AbstractEventLoop = field(init=False)
    port: int = field(init=False, default=0)
    console: "subprocess.Popen[bytes]" = field(init=False)
    _door: Listener | None = field(init=False, default=None)

    @property
    def places(self) -> Places:
        return Places(site=self.description, state=self.folder, run=self.folder, rules=())

    def link(self) -> str:
        """The one-time link that works now."""
        return (self.folder / "console" / "link").read_text().strip()

    def tell(self, happened: AnyInput) -> Handled:
        """Put an input before the guard and wait for what comes of it."""
        return self._call(self.guard.ask(happened)).result(_PATIENCE)

    def see(self, seen: Finding) -> None:
        self.tell(Found(SystemClock().now(), seen))

    def order(self, order: AnyOrder) -> Handled:
        return self.tell(Ordered(SystemClock().now(), order))

    def local(self, order: AnyOrder) -> OrderDone:
        """An order of the command line on the box."""
        obeyed = Hearing(self.guard).obey(order, LOCAL)
        done = asyncio.run_coroutine_threadsafe(obeyed, self.loop).result(_PATIENCE)
        assert isinstance(done, OrderDone), done
        return done

    def signed_in(self, person: str, *roles: PersonRole) -> str:
        """An account with a passkey and a session, kept as if they had signed in; the session's cookie."""
        self.local(EnrolPerson(by="root", person=person, name=person.title(), roles=list(roles)))
        now, secret = SystemClock().now(), f"session-of-{person}"
        session = Session(
            person=person,
            digest=digest(secret),
            how=How.PASSKEY,
            made=now,
            seen=now,
            ends=after(now, hours(12)),
            where="127.0.0.1",
        )
        passkey = Passkey(person=person, id=person, public_key="", sign_count=0, label="key ring", made=now)
        self.loop.call_soon_threadsafe(partial(self.keychain.change_now, [session, passkey]))
        return secret

    @property
    def origin(self) -> str:
        """Where the pages are by name: passkeys are of names, not of addresses."""
        return f"http://localhost:{self.port}"

    def contain(self) -> None:
        self.order(Contain(by="Direction", reason="précaution"))

    def silence(self) -> None:
        """The guard stops answering."""
        self._call(self._close()).result(_PATIENCE)

    def speak(self) -> None:
        """The guard answers again."""
        self._call(self._open()).result(_PATIENCE)

    # -- its life ------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        up = threading.Event()
        threading.Thread(target=asyncio.run, args=(self._live(up),), daemon=True).start()
        assert up.wait(_PATIENCE)
        command = [sys.executable, "-m", "rempart.station.console", "--port", str(self.port)]
        where = ("--site", str(self.description), "--run", str(self.folder))
        self.console = subprocess.Popen([*command, *where])
        self._wait_for_link()
        return self

    def _wait_for_link(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not (self.folder / "console" / "link").exists():
            assert time.monotonic() < deadline, "the console did not start"
            assert self.console.poll() is None, "the console ended"
            time.sleep(0.05)

    async def _live(self, up: threading.Event) -> None:
        self.loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        clock = SystemClock()
        with_keys = self.folder / "keys"
        journal = Journal.open(self.folder / "journal.db", with_keys, origin="rempart/t", now=clock.now())
        party = RelyingParty(origins=(self.origin,))
        self.guard = Guard(
            Terms(self.site, read_policy(None)),
            journal,
            MemoryEnforcer(),
            clock,
            keychain=self.keychain,
            party=party,
            attachments=Attachments(self.folder / "attachments"),
        )
        tasks = [asyncio.create_task(self.guard.run()), asyncio.create_task(self.guard.read_back())]
        await self.guard.ask(Started(clock.now()))
        await self._open()
        up.set()
        await self._stopped.wait()
        await self._close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.guard.close()
        journal.close()

    async def _open(self) -> None:
        self._door = await serve(
            self.places.console_socket,
            mode=0o600,
            allowed_uids={os.getuid()},
            incoming=FromConsole,
            handler=Hearing(self.guard).console,
        )

    async def _close(self) -> None:
        if self._door:
            await self._door.close()
            self._door = None

    def _call(self, work: object) -> "Future[Handled]":
        return asyncio.run_coroutine_threadsafe(work, self.loop)  # type: ignore[arg-type]  # any coroutine

    def stop(self) -> int:
        """End both; the console's exit code."""
        self.console.terminate()
        code = self.console.wait(_PATIENCE)
        self.loop.call_soon_threadsafe(self._stopped.set)
        return code

    _stopped: asyncio.Event = field(init=False)


@contextmanager
def running(description: Path = DESCRIPTION) -> Iterator[Home]:
    """A home for as long as the block lasts; in a short folder, since a socket's path is short."""
    with tempfile.TemporaryDirectory(prefix="rempart-") as folder:
        alive = Home(Path(folder), home(description), description).start()
        try:
            yield alive
        finally:
            alive.stop()
