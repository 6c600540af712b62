"""Keywords: rules without a field, whose words are looked for in every value of an event."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.predicates import NOTHING, Compiled, in_ascii, is_uncased, scan, texts_of
from rempart.detection.sieve import SIGNS, Sieve, available, trace


class Keywords:
    """Keywords are looked for in every value of an event, each value for itself."""

    def __init__(self, numbered: Sequence[tuple[int, Leaf]], compiled: Compiled | None = None) -> None:
        self._scan = scan(numbered, compiled)
        self._joins = all(leaf.kind is LeafKind.KEYWORD for _, leaf in numbered)
        """Whether what stands in one text stands in all of them joined; an expression may ask for an end."""
        self._uncased = frozenset(number for number, leaf in numbered if is_uncased(leaf))
        traces = [trace(leaf) for _, leaf in numbered]
        told = [text for text in traces if text is not None]
        self.may_stand_in: Callable[[bytes], object] = (
            Sieve(parts(told), compiled).found if available() and len(told) == len(traces) else bool
        )
        """Whether the JSON of an event (`rempart.events.event.Event.raw`) leaves it open that one of them does."""

    def true_of(self, values: Iterable[object]) -> frozenset[int]:
        """The numbers of the keywords that stand in at least one of the values."""
        texts = [text for value in values for text in texts_of(value)]
        found = self._found(texts)
        others = [other for text in texts if not text.isascii() and (other := in_ascii(text)) != text]
        return found | self._found(others) & self._uncased if others else found

    def _found(self, texts: Sequence[str]) -> frozenset[int]:
        # One pass over everything settles the many events that hold no keyword at all.
        if not texts or (self._joins and not self._scan.found("\n".join(texts))):
            return NOTHING
        return NOTHING.union(*map(self._scan.found, texts))


def parts(texts: Sequence[str]) -> list[str]:
    """A few texts, one of which stands in each text: a scan for few is quicker than one for many.

    Where they can be, they are without the signs of JSON, so that nothing can hide them.
    """
    left = {text: {*_parts(text)} for text in map(_bare, texts)}
    chosen: list[str] = []
    while left:
        shared = Counter(chain.from_iterable(left.values()))
        part, times = max(shared.items(), key=lambda found: found[::-1], default=("", 0))
        chosen.append(part if times > 1 else next(iter(left))[:_LONGEST])
        left = {text: its for text, its in left.items() if chosen[-1] not in text}
    return chosen


def _bare(text: str) -> str:
    """The longest stretch without signs of JSON; the text itself when it is nothing but signs."""
    lowered = text.lower()
    return max(SIGNS.split(lowered), key=len) or lowered


_PART = 5
"""Characters: shorter ones stand in too many events, longer ones are shared by too few keywords."""

_LONGEST = 7
"""Characters of what stands for one keyword alone: a scan looks for the ends first, and ``.dll`` stands everywhere."""


def _parts(text: str) -> Iterable[str]:
    """Its parts, but for those of letters alone, which stand everywhere."""
    found = (text[place : place + _PART] for place in range(len(text) - _PART + 1))
    return (part for part in found if not part.isalpha() and not SIGNS.search(part))
