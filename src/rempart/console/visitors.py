"""Whose session a cookie is: the guard knows, and is asked again every few seconds.

The console keeps no account and no session of its own; the form token of a session follows from its secret, so that a
console that restarts signs nobody out.
"""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from rempart.accounts.conversation import SessionAsked, Visitor
from rempart.accounts.pace import Buckets, Pace, place
from rempart.console.access import Access, Session
from rempart.console.feed import Feed
from rempart.errors import StationUnreachable
from rempart.instants import Duration, Instant, after, seconds
from rempart.ports import Clock

FRESH: Duration = seconds(5)
"""How long the guard's word on a session is taken: a session that was ended is seen for so long at most."""

_MOST = 512
"""Sessions remembered at once; the one asked for longest ago is forgotten first."""

_STRANGE = Pace(40, seconds(0.5))
"""How fast one address may come with cookies that nobody has: each costs the guard a question."""

_OWN = Pace(4, seconds(20))
"""What each address has for itself, however much the others ask: enough to sign in."""

_OWN_OF_ALL = Pace(60, seconds(1 / 15))
"""How fast what they have for themselves may be used by all: a network of 254 addresses asks slower in the long run."""

_SHARED = Pace(100, seconds(0.05))
"""How fast all of them together may ask for more than that."""

_AT_ONCE = 4
"""Questions about sessions at once: a change wakes every live page, and an order must find the guard's door free."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the next page of a session is to say: why an order was not carried out, and what to do about it."""

    refusal: str
    advice: str


@dataclass(frozen=True, slots=True)
class _Vouched:
    """A session, when the guard last vouched for it, and when it was last told of its use."""

    session: Session
    asked: Instant
    used: Instant

    def fresh(self, now: Instant, *, looking: bool) -> bool:
        """Whether the guard need not be asked, or told of its use, again."""
        return now < after(self.asked if looking else self.used, FRESH)


@dataclass(slots=True)
class Visitors:
    """The sessions that the guard vouched for a moment ago, and those of the one-time link."""

    feed: Feed
    access: Access
    clock: Clock
    _known: dict[str, _Vouched] = field(default_factory=dict, repr=False)
    _notes: dict[str, Note] = field(default_factory=dict, repr=False)
    _strange: Buckets = field(default_factory=Buckets, repr=False)
    _all: Buckets = field(default_factory=Buckets, repr=False)
    _asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE), repr=False)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    async def session(self, key: str, where: str, *, looking: bool = False) -> Session | None:
        """The session of a cookie that came from that address. While the guard is silent, its last word stands.

        ``looking``: a page asks by itself, which is no use of the session and lets it end when it is left alone.
        """
        now = self.clock.now()
        if not key or len(key) > 128:
            return None
        if linked := self.access.session(key, now):
            return linked
        if (known := self._known.get(key)) and known.fresh(now, looking=looking):
            return known.session
        if known is None and not self.may_ask(where):
            return None
        async with self._asking:
            known, now = self._known.get(key), self.clock.now()
            if known and known.fresh(
                now, looking=looking
            ):  # another page of the same session asked meanwhile
                return known.session
            return await self._asked(key, known, now, looking=looking)

    async def _asked(
        self, key: str, known: _Vouched | None, now: Instant, *, looking: bool
    ) -> Session | None:
        try:
            said = await self.feed.ask(SessionAsked(session=key, looking=looking))
        except StationUnreachable:
            return known.session if known and now < known.session.ends else None
        self._known.pop(key, None)
        if not isinstance(said, Visitor):
            return None
        return self._remember(key, said, known.used if known and looking else now)

    def knows(self, key: str) -> bool:
        """Whether the guard has vouched for this session, as far as is remembered."""
        return key in self._known

    def welcome(self, key: str, visitor: Visitor) -> Session:
        """Remember a session that the guard has just opened."""
        return self._remember(key, visitor, self.clock.now())

    def _remember(self, key: str, visitor: Visitor, used: Instant) -> Session:
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        token = hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()
        session = Session(key, token, visitor.ends, visitor)
        self._known[key] = _Vouched(session, self.clock.now(), used)
        return session

    def forget(self, key: str) -> None:
        """Ask again the next time."""
        self._known.pop(key, None)

    def note(self, key: str, note: Note) -> None:
        """Let the next page of a session say something, once."""
        while len(self._notes) >= _MOST:
            del self._notes[next(iter(self._notes))]
        self._notes[key] = note

    def noted(self, key: str) -> Note | None:
        """What the page that is now made for this session is to say."""
        return self._notes.pop(key, None)

    def may_ask(self, where: str) -> bool:
        """Whether a stranger at this address may cost the guard one more question now.

        All strangers together get less than the guard takes from the console, so that an order never waits for them;
        and whoever asks from a thousand addresses leaves those who ask now and then what they need to sign in.
        """
        now, here = self.clock.now(), place(where)
        self._strange, wait = self._strange.take(here, _STRANGE, now)
        if wait:
            return False
        self._strange, wait = self._strange.take(f"own {here}", _OWN, now)
        return (not wait and self._of_all("own", _OWN_OF_ALL, now)) or self._of_all("shared", _SHARED, now)

    def _of_all(self, bucket: str, pace: Pace, now: Instant) -> bool:
        self._all, wait = self._all.take(bucket, pace, now)
        return wait == 0
