"""Leaves asked of one event directly, one at a time, for the few rules that a first look leaves open."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.predicates import FieldTests, folded, is_plain, refers, texts_of


class Text(Protocol):
    """What literals are looked for in: the bytes of one text, or several."""

    def __contains__(self, literal: bytes, /) -> bool:
        """Whether the literal stands in it."""
        ...

    def startswith(self, literal: bytes, /) -> bool:
        """Whether it begins so."""
        ...

    def endswith(self, literal: bytes, /) -> bool:
        """Whether it ends so."""
        ...


class Texts(tuple[bytes, ...]):
    """The texts of a list, or none: something holds of them when it holds of one."""

    __slots__ = ()

    def __contains__(self, literal: object) -> bool:
        return any(literal in each for each in iter(self))  # type: ignore[operator]

    def startswith(self, literal: bytes) -> bool:
        """Whether one of them does."""
        return any(each.startswith(literal) for each in self)

    def endswith(self, literal: bytes) -> bool:
        """Whether one of them does."""
        return any(each.endswith(literal) for each in self)


_NONE = Texts()


class View(dict[str, Text]):
    """An event while rules are asked of it: field -> its text `folded`, made when first needed."""

    __slots__ = ("_tests", "_true", "fields")

    def __init__(self, fields: Mapping[str, Any], tests: Mapping[str, FieldTests]) -> None:
        super().__init__()
        self.fields = fields
        self._tests = tests
        self._true: dict[str, frozenset[int]] = {}

    def __missing__(self, name: str) -> Text:
        value = self.fields.get(name)
        text: Text
        if value.__class__ is str:
            text = folded(value)
        else:
            text = _NONE if value is None else Texts(map(folded, texts_of(value)))
        self[name] = text
        return text

    def true_of(self, name: str) -> frozenset[int]:
        """The leaves that are no plain literals and true of the field."""
        true = self._true.get(name)
        if true is None:
            true = self._true[name] = self._tests[name].true_of(self.fields.get(name))
        return true


Question = Callable[[View], bool]


def question(number: int, leaf: Leaf) -> Question:
    """The leaf as a question to an event. Leaves that are no plain literals stand in the view's tests."""
    name = leaf.field
    if leaf.kind is LeafKind.FIELDREF:
        return lambda view: refers(leaf, view.fields)
    if not is_plain(leaf):
        return lambda view: number in view.true_of(name)
    literal = folded(leaf.value)
    match leaf.kind:
        case LeafKind.CONTAINS:
            return lambda view: literal in view[name]
        case LeafKind.STARTSWITH:
            return lambda view: view[name].startswith(literal)
    return lambda view: view[name].endswith(literal)


def one_of(questions: Iterable[Question]) -> Question:
    """Whether one of them is answered yes."""
    asked = tuple(questions)

    def some(view: View) -> bool:
        for each in asked:  # noqa: SIM110  a plain loop is a third faster than any()
            if each(view):
                return True
        return False

    return some


def all_of(questions: Iterable[Question]) -> Question:
    """Whether all of them are."""
    asked = tuple(questions)

    def every(view: View) -> bool:
        for each in asked:  # noqa: SIM110
            if not each(view):
                return False
        return True

    return every


def none_of(asked: Question) -> Question:
    """Whether it is answered no."""
    return lambda view: not asked(view)
