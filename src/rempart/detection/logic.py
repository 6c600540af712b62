"""The condition of a rule: the names of its selections, joined by ``and``, ``or``, ``not``, ``1 of`` and ``all of``."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from rempart.detection.condition import Condition, either, every, negate

_WORD = re.compile(r"[()]|[^\s()]+")
_MANY = {"1": either, "any": either, "all": every}
_DEEPEST = 50
"""Brackets and negations within one another."""


def parsed(text: str, names: Collection[str], ask: Callable[[str], Condition]) -> Condition:
    """The condition, in which ``ask`` says what the selection of a name asks.

    Operators may be written in capitals, unless a selection is called so. Raises ValueError for what is no condition.
    """
    if "|" in text:
        raise ValueError("'|' in a condition is deprecated: write a correlation")
    reading = _Reading(_WORD.findall(text), names, ask)
    found = reading.one_of()
    if reading.next is not None:
        raise ValueError(f"'and' or 'or' is missing before '{reading.next}' in the condition")
    if found is None:
        raise ValueError("the condition names no selection that is there")
    return found


@dataclass(slots=True)
class _Reading:
    """From the loosest binding to the closest, as the specification orders them. None: a pattern that meets nothing;
    what it stands in goes on without it, so that ``not 1 of filter_*`` needs no filter.
    """

    words: list[str]
    names: Collection[str]
    ask: Callable[[str], Condition]
    at: int = 0
    depth: int = 0

    @property
    def next(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def one_of(self) -> Condition | None:
        return self._joined("or", self._all_of, either)

    def _all_of(self) -> Condition | None:
        return self._joined("and", self._closest, every)

    def _joined(
        self,
        operator: str,
        part: Callable[[], Condition | None],
        join: Callable[[Iterable[Condition]], Condition],
    ) -> Condition | None:
        parts = [part()]
        while self._comes(operator):
            parts.append(part())
        found = [each for each in parts if each is not None]
        return join(found) if found else None

    def _closest(self) -> Condition | None:
        if self._comes("not"):
            part = self._within(self._closest)
            return None if part is None else negate(part)
        if self._comes("("):
            part = self._within(self.one_of)
            if not self._comes(")"):
                raise ValueError("a bracket is not closed in the condition")
            return part
        word = self._taken()
        if word.lower() in _MANY and self._comes("of"):
            return self._several(word.lower(), self._taken())
        if word not in self.names:
            raise ValueError(self._unknown(word))
        return self.ask(word)

    def _within(self, part: Callable[[], Condition | None]) -> Condition | None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError(f"the condition is nested too deeply, more than {_DEEPEST} times")
        found = part()
        self.depth -= 1
        return found

    def _several(self, quantity: str, pattern: str) -> Condition | None:
        meant = [name for name in self.names if _meets(pattern, name)]
        return _MANY[quantity](map(self.ask, meant)) if meant else None

    def _comes(self, operator: str) -> bool:
        """Whether this is the next word, which is then taken."""
        comes = self.next is not None and self.next.lower() == operator and self.next not in self.names
        self.at += comes
        return comes

    def _taken(self) -> str:
        if self.next is None:
            raise ValueError("the condition ends where a selection is missing")
        self.at += 1
        return self.words[self.at - 1]

    def _unknown(self, word: str) -> str:
        if self.next is not None and self.next.lower() == "of":
            return f"'{word} of' is not in the specification: '1 of', 'any of' and 'all of' are"
        return f"the condition names '{word}', which is no selection"


def _meets(pattern: str, name: str) -> bool:
    """Names that begin with an underscore are meant by patterns that do so too."""
    if name.startswith("_") and not pattern.startswith("_"):
        return False
    if pattern.lower() == "them":
        return True
    head, *parts = pattern.split("*")
    if not parts:
        return name == head
    *between, tail = parts
    at = len(head) if name.startswith(head) else -1
    for part in between:  # the first place will do: looking further would take a hostile pattern for ever
        found = name.find(part, at) if at >= 0 else -1
        at = found + len(part) if found >= 0 else -1
    return 0 <= at <= len(name) - len(tail) and name.endswith(tail)
