"""Facts about duties: what was answered about them, and whom somebody told."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class QuestionAnswered(Fact, frozen=True, tag=True, kw_only=True):
    """A person answered a question that a duty hangs on. ``answer``: yes, no, unknown or a whole number."""

    incident: str
    question: str
    answer: str | int
    since: Instant | None
    why: str
    by: str


class DutyFulfilled(Fact, frozen=True, tag=True, kw_only=True):
    """A person told whom a duty names, then, with this proof."""

    incident: str
    duty: str
    on: Instant
    proof: str
    by: str


DutyFact = QuestionAnswered | DutyFulfilled
