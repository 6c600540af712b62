"""A glance at lines of JSON: of most Windows events it tells, without making events of them, that no rule matches.

Like a sieve it only ever says "certainly none"; the other lines are read whole. Lines of one kind are looked at one
after another, so that what that kind's rules need stays in the processor's caches.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from rempart.detection.match import Matcher
from rempart.errors import DecodeError
from rempart.events.decode import decoded, windows
from rempart.events.event import Event
from rempart.events.skim import Skim, Unskimmable, hint

_OFTEN = 64
"""Lines of a kind before it is worth getting ready to skim them, which takes as long as a hundred lines."""
_TRIED = 256
"""Lines of a kind after which it is left, when most of them had to be read whole all the same."""
_KINDS = 4_096
"""Kinds that are told apart; when more come, all are forgotten."""


@dataclass(slots=True)
class _Kind:
    """Lines that are skimmed alike."""

    like: Event
    skim: Skim
    looked_at: int = 0
    worth: int = 0


class Glance:
    """Looks at lines before they are decoded. It belongs to a matcher, and like it to one thread."""

    def __init__(
        self,
        matcher: Matcher,
        *,
        telling: Collection[str] = (),
        passed: Callable[[Event], bool] = lambda _: True,
    ) -> None:
        """What else than rules looks at events: ``telling``, fields in which it may find something; ``passed``, whether
        it finds nothing in any event of the same EventID.
        """
        self._matcher = matcher
        self._telling = telling
        self._passed = passed
        self._kinds: dict[bytes, _Kind | None] = {}
        self._seen: Counter[bytes] = Counter()

    def worth(self, lines: Sequence[bytes]) -> list[int]:
        """The places of the lines that must be read whole: some rule may match them, or they cannot be read at all.

        All others are Windows events that `windows.decode` reads and `Matcher.matches` finds nothing in, without any of
        the telling fields.
        """
        alike: defaultdict[bytes, list[int]] = defaultdict(list)
        for place, line in enumerate(lines):
            alike[hint(line)].append(place)
        worth: list[int] = []
        for said, places in alike.items():
            kind = self._kind(said, lines[places[0]], len(places))
            worth += places if kind is None else self._among(kind, said, places, lines)
        worth.sort()
        return worth

    def _kind(self, said: bytes, line: bytes, lines: int) -> _Kind | None:
        """How lines that say this are skimmed; None when they are read whole."""
        if said not in self._kinds:
            if len(self._seen) >= _KINDS:
                self._seen.clear()
                self._kinds.clear()
            self._seen[said] += lines
            if self._seen[said] < _OFTEN:
                return None
            self._kinds[said] = self._ready(line)
        return self._kinds[said]

    def _ready(self, line: bytes) -> _Kind | None:
        gate = self._matcher.gate
        try:
            like = decoded(windows.decode, line, "", 0)
            names = gate(like).skimmed if like is not None else None
            if like is None or names is None or not self._passed(like):
                return None
            return _Kind(like, Skim(line, names, lambda event: gate(event) is gate(like), self._telling))
        except (DecodeError, Unskimmable):
            return None

    def _among(self, kind: _Kind, said: bytes, places: Sequence[int], lines: Sequence[bytes]) -> list[int]:
        """The places of those lines that must be read whole."""
        these = [lines[place] for place in places]
        silent = self._matcher.gate(kind.like).silent(zip(kind.skim.values(these), these, strict=True))
        worth = [place for place, nothing in zip(places, silent, strict=True) if not nothing]
        kind.looked_at += len(these)
        kind.worth += len(worth)
        if kind.looked_at > _TRIED and 2 * kind.worth > kind.looked_at:
            self._kinds[said] = None
        return worth
