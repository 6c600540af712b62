"""Facts about care: rehearsals, what wards and probes say, trouble, paper to catch up on."""

from rempart.care.rehearsal import Becomes, Question
from rempart.care.reply import Reply
from rempart.care.trouble import Ail
from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class RehearsalBegun(Fact, frozen=True, tag=True, kw_only=True):
    """The site is cut to try it out, until then; the kernel undoes it by itself."""

    until: Instant
    by: str
    reason: str


class RehearsalEnded(Fact, frozen=True, tag=True, kw_only=True):
    """The rehearsed cut is undone: by its time, or ``early`` by a person or because the site was contained."""

    by: str
    early: bool


class WardTicked(Fact, frozen=True, tag=True, kw_only=True):
    """A ward said whether one thing worked during the rehearsal."""

    ward: str
    question: Question
    reply: Reply
    note: str
    by: str


class SiteCorrected(Fact, frozen=True, tag=True, kw_only=True):
    """A rehearsal showed that site.toml was wrong about an opening; a technician writes the change."""

    opening: str
    becomes: Becomes
    by: str
    reason: str


class CareAttested(Fact, frozen=True, tag=True, kw_only=True):
    """A ward said whether care goes on there."""

    ward: str
    reply: Reply
    note: str
    by: str


class TroubleReported(Fact, frozen=True, tag=True, kw_only=True):
    """Staff reported that a service is slow, down or wrong."""

    trouble: str
    service: str
    ail: Ail
    ward: str
    note: str
    by: str


class TroubleSettled(Fact, frozen=True, tag=True, kw_only=True):
    """A trouble has its remedy."""

    trouble: str
    remedy: str
    by: str


class OutsideTicked(Fact, frozen=True, tag=True, kw_only=True):
    """An action outside the wall was done, or could not be."""

    item: str
    action: str
    reply: Reply
    proof: str
    by: str


class PaperKept(Fact, frozen=True, tag=True, kw_only=True):
    """Something was noted on paper while an opening was closed, and must be entered afterwards."""

    paper: str
    opening: str
    what: str
    by: str


class PaperEntered(Fact, frozen=True, tag=True, kw_only=True):
    """A pile of paper was entered."""

    paper: str
    by: str


class ProbeTurned(Fact, frozen=True, tag=True, kw_only=True):
    """A probe began, or ceased, to get an answer. ``asked``: when the question was put; None in journals that tell only
    when the answer was heard.
    """

    probe: str
    answered: bool
    detail: str
    asked: Instant | None = None


class PackChanged(Fact, frozen=True, tag=True, kw_only=True):
    """The downtime pack is another file than before. ``sha256`` empty: it is gone."""

    sha256: str
    written: Instant


CareFact = (
    RehearsalBegun
    | RehearsalEnded
    | WardTicked
    | SiteCorrected
    | CareAttested
    | TroubleReported
    | TroubleSettled
    | OutsideTicked
    | PaperKept
    | PaperEntered
    | ProbeTurned
    | PackChanged
)
