"""Live pages: what is shown is made once for all who see the same, and told to each of them."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rempart.console.audience import NO_TASKS, Audience, Tasked
from rempart.console.duty import DutyPage
from rempart.console.feed import Feed
from rempart.console.words import Words
from rempart.instants import Duration, Instant, after, seconds
from rempart.messages import Status
from rempart.ports import Clock
from rempart.site.site import Language

MOST = 256
"""Live pages at once."""

MOST_EACH = 6
"""Live pages of one session at once: browsers keep no more streams to one host open (HTML Standard, 9.2)."""

_FRESH: Duration = seconds(1)
"""How long what was made is told while the guard says nothing new: it tells the age of the proof in seconds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The duty page of one language and audience, as it is now."""

    status: Status | None
    made: Instant
    digest: str
    proof: str
    """The proof, its mood and the clock, as JSON."""
    html: str


Draw = Callable[[Words, Audience, Tasked], tuple[DutyPage, str, str]]
"""Makes the duty page, its digest and its HTML without anything of whoever looks."""


@dataclass(slots=True)
class Live:
    """What is shown to whom, and how many look."""

    feed: Feed
    clock: Clock
    draw: Draw
    _shown: dict[tuple[Language, Audience, Tasked], Shown] = field(default_factory=dict)
    _looking: Counter[str] = field(default_factory=Counter, repr=False)

    def shown(self, spoken: Words, audience: Audience, tasked: Tasked = NO_TASKS) -> Shown:
        """What such a person, with these tasks, sees now in this language."""
        key, now = (spoken.language, audience, tasked), self.clock.now()
        last = self._shown.get(key)
        if last and last.status is self.feed.status and now < after(last.made, _FRESH):
            return last
        page, digest, html = self.draw(spoken, audience, tasked)
        proof = json.dumps({"text": page.proof.text, "mood": page.proof.mood, "clock": page.clock})
        self._shown[key] = fresh = Shown(self.feed.status, now, digest, proof, html)
        return fresh

    def room(self, session: str) -> bool:
        """Whether one more page of this session may look on."""
        return self._looking.total() < MOST and self._looking[session] < MOST_EACH

    def looking(self, session: str) -> int:
        """How many pages and streams of this session look on."""
        return self._looking[session]

    def come(self, session: str) -> None:
        """One more page of this session looks on."""
        self._looking[session] += 1

    def gone(self, session: str) -> None:
        """One page of this session looks no more."""
        self._looking[session] -= 1
        self._looking += Counter()  # without those at nought
