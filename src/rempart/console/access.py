"""The one-time link that is written on the box: it shows the pages, for one browser session, without an account.

The link's token is exchanged once for a cookie; a new link is then made. Sessions live in memory only: a console
that restarts forgets them all.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from rempart.accounts.conversation import Visitor
from rempart.instants import Duration, Instant, after, hours

LASTS: Duration = hours(12)
"""A session ends after a shift, whatever happens."""

_MOST = 64
"""Sessions kept at once; the oldest gives way."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that may see the pages. Both values are secrets and do not show in logs."""

    key: str = field(repr=False)
    csrf: str = field(repr=False)
    ends: Instant
    visitor: Visitor | None = None
    """Who it is, as the guard says; None: somebody who came with the link."""

    @property
    def account(self) -> str:
        """The account's id; nothing for whoever came with the link."""
        return self.visitor.person if self.visitor else ""

    @property
    def secret(self) -> str:
        """What the guard knows the session by; nothing for whoever came with the link."""
        return self.key if self.visitor else ""


@dataclass(slots=True)
class Access:
    """The one link that still works, and the sessions that came of earlier ones."""

    publish: Callable[[str], None]
    """Told each new token, to write it where the operator finds it."""
    _token: str = field(init=False, repr=False, default="")
    _sessions: dict[str, Session] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._renew()

    def enter(self, token: str, now: Instant) -> Session | None:
        """The session that the link's token buys; None when it is not, or no longer, the right one."""
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        self._renew()
        session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32), after(now, LASTS))
        while len(self._sessions) >= _MOST:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session.key] = session
        return session

    def session(self, key: str, now: Instant) -> Session | None:
        """The session of a cookie, while it lasts."""
        session = self._sessions.get(key)
        if session and session.ends <= now:
            del self._sessions[key]
            return None
        return session

    def _renew(self) -> None:
        self._token = secrets.token_urlsafe(32)
        self.publish(self._token)


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in constant time."""
    return secrets.compare_digest(given.encode(), expected.encode())
