"""What people prove themselves by, in memory, written through to the store on a thread of its own.

The guard's loop never waits for this disk: signing in and pressing the red button work while it is full or stalled.
"""

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from rempart.accounts.credential import (
    Device,
    Kept,
    Link,
    Passkey,
    PasskeyLink,
    Password,
    RecoveryCode,
    Session,
    Totp,
    key_of,
)
from rempart.adapters.accounts import AccountStore, Key
from rempart.errors import RempartError

_log = logging.getLogger("rempart.guard")

_OfPerson = Password | Totp | Passkey | RecoveryCode | Device | Link | PasskeyLink | Session

_Kind = TypeVar("_Kind", bound=Kept)

MOST_SESSIONS = 20
"""Sessions of one person at once, programs' tokens apart; the oldest gives way."""


class Keychain:
    """Everything the store keeps. Reading is at once; ``store`` None: nothing outlives the process."""

    def __init__(self, store: AccountStore | None) -> None:
        self._store = store
        self._kept: dict[Key, Kept] = {key_of(kept): kept for kept in store.all()} if store else {}
        self._disk = ThreadPoolExecutor(1, "accounts")

    def find(self, kind: type[_Kind], key: str) -> _Kind | None:
        """The one of that kind and key."""
        found = self._kept.get((kind.__name__, key))
        return found if isinstance(found, kind) else None

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        """Every one of that kind."""
        return [kept for kept in self._kept.values() if isinstance(kept, kind)]

    def of(self, person: str) -> list[_OfPerson]:
        """Everything of one person."""
        return [kept for kept in self._kept.values() if isinstance(kept, _OfPerson) and kept.person == person]

    async def change(self, put: Iterable[Kept] = (), drop: Iterable[Kept] = ()) -> None:
        """Drop and put, on the disk first: for what must not be lost. Raises `RempartError`, having changed nothing."""
        put, keys = list(put), [key_of(kept) for kept in drop]
        if self._store:
            work = partial(self._store.change, put, keys)
            await asyncio.get_running_loop().run_in_executor(self._disk, work)
        self._apply(put, keys)

    def change_now(self, put: Iterable[Kept] = (), drop: Iterable[Kept] = ()) -> None:
        """Drop and put at once, and on the disk when it lets us: sessions, counters, what is used up or taken back."""
        put, keys = list(put), [key_of(kept) for kept in drop]
        self._apply(put, keys)
        if self._store:
            self._disk.submit(self._store.change, put, keys).add_done_callback(_complain)

    def _apply(self, put: list[Kept], keys: list[Key]) -> None:
        for key in keys:
            self._kept.pop(key, None)
        self._kept |= {key_of(kept): kept for kept in put}

    def close(self) -> None:
        """Let what is being written be written, and close the store."""
        self._disk.shutdown(wait=True)
        if self._store:
            self._store.close()


def _complain(written: "Future[None]") -> None:
    """Say what the disk did not take; it holds in memory until the next start."""
    match written.exception():
        case None:
            pass
        case RempartError() as fault:
            _log.error("%s", fault.diagnostics())
        case fault:
            _log.error("the store of accounts failed", exc_info=fault)
