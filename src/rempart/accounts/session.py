"""How long a session lasts: two limits, one for silence and one for a shift."""

from dataclasses import replace

from rempart.accounts.credential import Session
from rempart.instants import Duration, Instant, after, hours, minutes

IDLE: Duration = hours(2)
"""A browser left alone is signed out after this long; nothing on a page that refreshes itself counts as use."""

LONGEST: Duration = hours(12)
"""A session ends after a shift, whatever happens."""

NOTED: Duration = minutes(1)
"""How often use is noted at most: each noting may become a write."""


def lives(session: Session, now: Instant) -> bool:
    """Whether it may still be used. A program's token has no idle limit."""
    return now < session.ends and (session.scopes is not None or now < after(session.seen, IDLE))


def used(session: Session, now: Instant) -> Session:
    """The session after it was used; the same one when that was noted a moment ago."""
    return session if now < after(session.seen, NOTED) else replace(session, seen=now)
