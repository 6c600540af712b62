"""Skimming Windows events in flat JSON: of lines of one kind only the fields that are asked for are read.

A line has some thirty values, of which rules ask for seven. The others are passed over, in half the time that it takes
to make values of them, and are still checked to be JSON. A line that is not just as expected is left to be read whole.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
import orjson

from rempart.errors import DecodeError
from rempart.events.decode import decoded, windows
from rempart.events.event import Event

Values = tuple[str | int | None, ...]

_KIND = ("Channel", "EventID", "Provider_Name", "SourceName")
_Plain = str | None | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What both parsers read the same: larger numbers, fractions, truth values and lists are not."""
_Never = Annotated[int, msgspec.Meta(gt=0, lt=0)]
"""No value is of it: for fields that must not stand there."""
_REFUSALS = 8
"""Lines refused of which it is seen whether they are of the kind all the same."""
_IDENTIFIER = b'"EventID":'


def hint(line: bytes) -> bytes:
    """What kind of event the line seems to be, so that lines of one kind are put together. It may be wrong."""
    start = line.find(_IDENTIFIER) + len(_IDENTIFIER)
    return line[start : start + 5]


class Unskimmable(ValueError):
    """Such lines must be read whole."""


class Skim:
    """Reads some fields from lines that are of one kind with a line, and have the same fields."""

    def __init__(
        self,
        like: bytes,
        names: Sequence[str],
        alike: Callable[[Event], bool],
        without: Collection[str] = (),
    ) -> None:
        """``alike``: whether an event is of that kind although its Channel or Provider is another ("security").
        ``without``: fields in whose presence a line is to be read whole.

        Raises `Unskimmable`.
        """
        if not windows.MACHINES.union(_KIND, without).isdisjoint(names):
            raise Unskimmable
        self._alike = alike
        self._without = without
        self._names = names
        _, self._document = _flat(like)
        self._kind = {name: {self._document[name]} for name in _KIND if name in self._document}
        self._refusals = 0
        self._values = _getter([f"f{place}" for place in range(len(names))])
        self._read = self._reader()
        try:
            self._read(like)
        except msgspec.DecodeError as error:
            raise Unskimmable from error

    def values(self, lines: Iterable[bytes]) -> Iterator[Values | None]:
        """Of each line the values of the fields, as `windows.decode` gives them; None when it must be read whole.

        Only a number that no float holds is passed over where `windows.decode` refuses the line.
        """
        values = self._values
        for line in lines:
            try:
                if not line.isascii():
                    line.decode()  # what is passed over is not checked to be UTF-8
                yield values(self._read(line))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield None
                self._refused(line)

    def _reader(self) -> Callable[[bytes], object]:
        """A parser for lines of this kind that have the fields of the first, and none under another name."""
        asked = {name: f"f{place}" for place, name in enumerate(self._names)}
        # The parser is quickest when it meets the fields as it expects them.
        order = [name for name in self._document if name in asked or name in _KIND]
        fields: dict[str, tuple[str, Any, Any]] = {}
        for place, name in enumerate(dict.fromkeys((*order, *asked, *_KIND))):
            if name in self._kind:
                fields[name] = (f"k{place}", Literal[tuple(self._kind[name])], msgspec.NODEFAULT)
            elif name in _KIND:
                fields[name] = (f"k{place}", _Never, 0)
            elif name in self._document:
                fields[name] = (asked[name], _Plain, msgspec.NODEFAULT)
            else:
                fields[name] = (asked[name], _Plain, None)
                fields.setdefault(windows.spaced(name), (f"g{place}", _Never, 0))
        for place, name in enumerate(self._without):
            fields[name] = (f"w{place}", _Never, 0)
            fields.setdefault(windows.spaced(name), (f"v{place}", _Never, 0))
        struct = msgspec.defstruct(
            "Skimmed",
            fields.values(),
            rename={field: name for name, (field, _, _) in fields.items()},
            kw_only=True,
            gc=False,
        )
        return msgspec.json.Decoder(struct).decode

    def _refused(self, line: bytes) -> None:
        """Take the line's Channel and Provider for those of this kind, where it is of the kind after all."""
        self._refusals += 1
        if self._refusals > _REFUSALS:
            return
        try:
            event, document = _flat(line)
        except Unskimmable:
            return
        told = {name: document[name] for name in _KIND if name in document}
        same = told.keys() == self._kind.keys() and told.get("EventID") in self._kind.get("EventID", {None})
        if same and self._alike(event):
            for name, value in told.items():
                self._kind[name].add(value)
            self._read = self._reader()


def _flat(line: bytes) -> tuple[Event, dict[str, Any]]:
    """A line as an event and as it stands there. Raises `Unskimmable` where the two differ by more than a name."""
    try:
        event = decoded(windows.decode, line, "", 0)
    except DecodeError as error:
        raise Unskimmable from error
    document = orjson.loads(line)
    # Nested events, and those that are also told in other words, have JSON of their own.
    if (
        event is None
        or event.raw is not line
        or any(document.get(name).__class__ not in _LITERAL for name in _KIND)
    ):
        raise Unskimmable
    return event, document


_LITERAL = frozenset({str, int, type(None)})


def _getter(places: Sequence[str]) -> Callable[[object], Values]:
    if len(places) > 1:
        return attrgetter(*places)
    return lambda found: tuple(getattr(found, place) for place in places)
