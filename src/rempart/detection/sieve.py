"""A sieve: one look at an event's JSON that tells, of most events, that none of many leaves can be true of it.

For a leaf to be true a text must stand in a value, and so, escaped, in the JSON (`trace`). All traces are looked for in
one pass. A sieve only ever says "certainly none"; what it catches is looked at closely. It needs Hyperscan.
"""

import re
from collections.abc import Iterable, Iterator
from math import inf

from rempart.detection import predicates
from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.predicates import Compiled, HyperscanScan

_FROM_THE_BEGINNING = frozenset({LeafKind.EXACT, LeafKind.STARTSWITH, LeafKind.WILDCARD})
_TO_THE_END = frozenset({LeafKind.EXACT, LeafKind.ENDSWITH, LeafKind.WILDCARD})
_WITH_WILDCARDS = frozenset({LeafKind.WILDCARD, LeafKind.KEYWORD})
_TEXTS = _FROM_THE_BEGINNING | _TO_THE_END | {LeafKind.CONTAINS, LeafKind.KEYWORD}
_SHORTEST = 3
"""Characters of a trace; what is shorter stands everywhere."""

_LENGTH_TELLS = 1e-3
"""Among traces that were not seen at all, the longer one is the rarer."""

# A value can be read otherwise than its text stands in the JSON. Such events are caught, whatever they hold: ASCII
# written as \\u00XX or \\/, and the two letters that Unicode's rules take for k and s.
_ESCAPES = ("\\u00", "\\/", "\\u017f", "\\u212a", "\u017f", "\u212a")
# A list of lists or an object is JSON of its own for the rules: there the signs of JSON stand otherwise. And JSON that
# is written so widely that these would not be found.
_NESTED = (
    *('":{', '": {', "[{", "[ {", ",{", ", {", "[[", "[ [", ",[", ", ["),
    *('" :', '":  ', "[  ", ",  ", "\t", "\n", "\r"),
)
SIGNS = re.compile(r'["\\,\[\]{}]|^:(?!:)')
"""What makes of a trace one that nested JSON could hide."""
CAUGHT = 1 << 30
"""The number of all of these."""

# What numbers and truth values are for a rule need not stand so in the JSON: 1e3 is read as 1000, true has no quotes.
_OF_NUMBERS = re.compile(r"[-+.0-9e]*")
_OF_TRUTH = "true false"


class Sieve:
    """Looks for the traces of many leaves at once."""

    def __init__(self, traces: Iterable[str], compiled: Compiled | None = None) -> None:
        """``traces``: see `trace`; they are numbered in their order. Needs Hyperscan: see `available`."""
        numbered = [(number, Leaf("", LeafKind.CONTAINS, text)) for number, text in enumerate(traces)]
        nested = _NESTED if any(SIGNS.search(leaf.value) for _, leaf in numbered) else ()
        caught = [
            (CAUGHT, Leaf("", LeafKind.CONTAINS, text, cased=not text.isascii()))
            for text in (*_ESCAPES, *nested)
        ]
        self.found = HyperscanScan([*numbered, *caught], compiled).found_in
        """The numbers of those that stand in an event's JSON, and `CAUGHT` when that may tell too little."""


def available() -> bool:
    """Whether this machine can sieve."""
    return predicates.hyperscan is not None


class Commonness:
    """How common traces are among the events of one kind, by the JSON of some of them."""

    def __init__(self, sample: Iterable[bytes]) -> None:
        self._sample = [raw.lower() for raw in sample]
        self._shares: dict[str, float] = {}

    def of(self, leaf: Leaf) -> float:
        """The share of events that have the leaf's trace; infinite where it has none."""
        text = trace(leaf)
        if text is None:
            return inf
        if text not in self._shares:
            looked_for = text.lower().encode()
            share = sum(looked_for in raw for raw in self._sample) / len(self._sample)
            self._shares[text] = share + _LENGTH_TELLS / len(text)
        return self._shares[text]


def trace(leaf: Leaf) -> str | None:
    """What stands, in small or capital letters, in the JSON of every event of which the leaf is true; None when nothing
    need stand there, or next to nothing.

    It is the longest piece of printable ASCII without blanks: a list's elements are joined by blanks for the rules, and
    stand apart in the JSON.
    """
    if leaf.kind not in _TEXTS:
        return None
    return max(filter(_telling, _pieces(leaf)), key=len, default=None)


_PIECE = re.compile(r"[!-~]+")
_WILD = re.compile(r"\\(.)|([*?])|([^\\*?]+)", re.DOTALL)


def _pieces(leaf: Leaf) -> Iterator[str]:
    """The pieces of its text as JSON writes them, with a quotation mark where the value begins or ends."""
    text = leaf.value
    if leaf.kind in _WITH_WILDCARDS:
        text = "".join(" " if wild else escaped or plain for escaped, wild, plain in _WILD.findall(text))
    for found in _PIECE.finditer(text):
        begins = leaf.kind in _FROM_THE_BEGINNING and found.start() == 0
        ends = leaf.kind in _TO_THE_END and found.end() == len(text)
        escaped = found[0].replace("\\", "\\\\").replace('"', '\\"')
        yield '"' * begins + escaped + '"' * ends


def _telling(piece: str) -> bool:
    bare = piece.strip('"').lower()
    return len(bare) >= _SHORTEST and bare not in _OF_TRUTH and not _OF_NUMBERS.fullmatch(bare)
