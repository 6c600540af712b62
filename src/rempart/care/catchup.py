"""Paper to catch up on: what was noted by hand while an opening was closed, until somebody has entered it.

What is on the paper never comes here, only that there is some, where, and which opening waits for it.
"""

from dataclasses import dataclass

from rempart.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperKept:
    """A pile of paper. ``entered`` None: still to be typed in."""

    id: str
    opening: str
    what: str
    """Where it lies and of what kind: "medication sheets, second floor"."""
    by: str
    at: Instant
    entered: Instant | None = None
    entered_by: str = ""
