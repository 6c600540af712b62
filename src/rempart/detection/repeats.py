"""What the repeats of a regular expression add to it when they are written out: that decides how long it compiles.

``(a|b.){3}`` has three places and adds six. An open end (``a{5,}``, ``a*``) is a loop and counts as often as it must be
there. It judges nothing else: whether an expression is one is for `re` to say.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

LONGEST = 2_000
"""Characters of one expression, and of one text, with wildcards or not. Loops cost by the square: ``.*é`` over all of
that compiles for 0.7 seconds. SigmaHQ's longest has 231."""

MOST_WILD = 100
"""Wildcards in one text."""

MOST_TEXT = 10_000
"""Characters of all expressions of one rule."""

MOST_ADDED = 500
"""Places that the repeats of all expressions of one rule may add: for ``(.{1,98}é){5}`` Hyperscan takes two seconds,
for twice as many places five. SigmaHQ's rules add 255 at most, Rempart's own 288."""

MOST_ADDED_IN_SET = 10_000
"""Places that the repeats of all expressions of a set may add. Each costs up to 5 ms; SigmaHQ's rules add 2,600."""

MOST_TEXT_IN_SET = 60_000
"""Characters of all expressions of a set; each costs up to 0.4 ms. SigmaHQ's come to 5,100."""

MOST_WILD_TEXT_IN_SET = 200_000
"""Characters of all texts with wildcards in a set; each costs up to 0.3 ms. SigmaHQ's come to 19,400."""

_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<begin>\((?:\?(?:P<\w+>|[a-zA-Z-]*:|<?[=!>]|>)?)?)|(?P<end>\))|(?P<or>\|)"
    r"|\{(?P<least>\d*),?(?P<most>\d*)\}|(?P<loop>[*+?])|.",
    re.DOTALL,
)
_LARGEST = 1 << 40


def too_large(expressions: Iterable[str]) -> str | None:
    """Why one rule's expressions would compile for too long; None when they would not."""
    each = sorted(set(expressions), key=len)
    if each and len(each[-1]) > LONGEST:
        return f"the regular expression has {len(each[-1])} characters, more than {LONGEST}"
    if (together := sum(map(len, each))) > MOST_TEXT:
        return f"the regular expressions have {together} characters together, more than {MOST_TEXT}"
    if (places := sum(map(added, each))) > MOST_ADDED:
        return f"the repeats of the regular expression add {places} places, more than {MOST_ADDED}"
    return None


@dataclass(slots=True)
class Allowance:
    """What the expressions and texts with wildcards of a whole set may still cost. Each counts once, however many rules
    ask for it.
    """

    places: int = MOST_ADDED_IN_SET
    characters: int = MOST_TEXT_IN_SET
    wild: int = MOST_WILD_TEXT_IN_SET
    _counted: set[str] = field(default_factory=set)

    def take(self, expressions: Iterable[str], wild: Iterable[str]) -> str | None:
        """Take what one rule's cost; why that is too much, and then nothing is taken."""
        new, other = set(expressions) - self._counted, set(wild) - self._counted
        left = Allowance(
            self.places - sum(map(added, new)),
            self.characters - sum(map(len, new)),
            self.wild - sum(map(len, other)),
        )
        for rest, most, what in (
            (left.places, MOST_ADDED_IN_SET, "places that the repeats of regular expressions add"),
            (left.characters, MOST_TEXT_IN_SET, "characters of regular expressions"),
            (left.wild, MOST_WILD_TEXT_IN_SET, "characters of texts with wildcards"),
        ):
            if rest < 0:
                return f"with this rule the set has more than {most:,} {what}"
        self.places, self.characters, self.wild = left.places, left.characters, left.wild
        self._counted |= new | other
        return None


def added(expression: str) -> int:
    """How many places the repeats add. One place repeated (``.{1000,}``, a question of length) takes a quarter of the
    time, and counts so.
    """
    around: list[int] = []
    whole = last = written = repeats = 0
    for token in _TOKEN.finditer(expression):
        if token["begin"]:
            around.append(whole)
            whole = last = 0
        elif token["end"]:
            last, whole = whole, whole + (around.pop() if around else 0)
        elif times := token["most"] or token["least"]:
            repeats += 1
            grown = min(last * max(1, int(times[:9])), _LARGEST)
            whole, last = whole - last + grown, grown
        elif not token["loop"] and not token["or"]:
            written += 1
            whole, last = whole + 1, 1
    places = max(0, whole + sum(around) - written)
    return places // 4 if written == repeats == 1 else places
