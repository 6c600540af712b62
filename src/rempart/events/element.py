"""An XML element as maps: attributes under ``@name``, text under ``#text``, children by their names, several as a list.

A document type is refused: with it a few lines could stand for gigabytes, or for a file of this machine.
"""

from typing import Any
from xml.parsers import expat

from rempart.events.document import MAX_DOCUMENT

_DEEPEST = 32
_MOST = 5_000
"""Elements; Windows' own events have at most some hundred."""


def read(text: bytes, name: str) -> dict[str, Any]:
    """The element of that name. Raises ValueError when the text is none, or larger than a record may be."""
    if len(text) > MAX_DOCUMENT:
        raise ValueError(f"it has more than {MAX_DOCUMENT} bytes")
    try:
        found = _Reading().read(text).get(name)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, dict):
        raise ValueError(f"no element {name}")
    return found


class _Reading:
    """Where the parser is: the elements that are open, the outermost first."""

    def __init__(self) -> None:
        self.open: list[dict[str, Any]] = [{}]
        self.texts: list[list[str]] = [[]]
        self.elements = 0

    def read(self, text: bytes) -> dict[str, Any]:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._begun
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._said
        parser.StartDoctypeDeclHandler = _refused
        parser.Parse(text, True)  # noqa: FBT003  expat's own signature
        return self.open[0]

    def _begun(self, _name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if len(self.open) > _DEEPEST or self.elements > _MOST:
            raise ValueError("more elements than a record has")
        self.texts.append([])
        self.open.append({f"@{key}": value for key, value in attributes.items() if key != "xmlns"})

    def _said(self, text: str) -> None:
        self.texts[-1].append(text)

    def _ended(self, name: str) -> None:
        element, text = self.open.pop(), "".join(self.texts.pop())
        inside = any(key[0] != "@" for key in element)  # then its text is the blanks between
        if not inside and (text or name == "Data"):
            element["#text"] = text
        # An empty one is None, as in EVTX.
        value: Any = element if element.keys() - {"#text"} else element.get("#text")
        above = self.open[-1]
        if name not in above:
            above[name] = value
        elif isinstance(above[name], list):
            above[name].append(value)
        else:
            above[name] = [above[name], value]


def _refused(*_: object) -> None:
    raise ValueError("a document type")
