"""Records that are no lines, as tools export them: over several lines, several on one line, inside an envelope.

``wevtutil`` and the Event Viewer write one XML element after another, in ``<Events>`` or not; ``evtx_dump`` a line
"Record 1" before each; ``jq``, PowerShell and consoles JSON over several lines; Elasticsearch, Filebeat, Splunk, AWS,
Microsoft Graph and Kubernetes put records into JSON that tells how they were found; Purview and PowerShell make tables.
Here each becomes one record, with what stands between them as records of their own where it is none of that: nothing is
left out without anybody hearing of it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import orjson

from rempart.events.rows import Table

LONGEST = 16 << 20
"""Bytes of the longest record; what is longer is given as it is, for a decoder to refuse."""
LONGEST_DOCUMENT = 64 << 20
"""Bytes of the longest JSON document over several lines: with an envelope around it, it must be read whole."""
_TOLD = 8
"""Lines at the beginning that may stand before the first record."""

_BETWEEN = re.compile(
    rb"(?:\s|<\?xml[^>]{0,200}\?>|</?Events\b[^>]{0,500}>|<!--[^>]{0,500}-->|Record \d{1,20}\b)+"
)
_EVENT = re.compile(rb"<Event(?=[\s>])|</Event>")
_ENVELOPE = re.compile(
    rb'\s*\{\s*"(?:(?:Records|records|value|events|Events|items|hits|took|timed_out|@odata\.context|_index|_source|_raw|'
    rb'preview|result|messageType|logEvents|NextToken|nextToken)"\s*:|Event"\s*:\s*\[|'
    rb'kind"\s*:\s*"(?:EventList|admin#reports#activities)")'
)


class Framing(Protocol):
    """Cuts the lines of one file into records. Not for use by several threads."""

    def records(self, lines: Sequence[bytes]) -> list[bytes]:
        """The records that these lines end."""

    def rest(self) -> list[bytes]:
        """What is left when the file ends."""


def framing(first: Sequence[bytes]) -> Framing | None:
    """How the file that begins with these lines is framed; None when each line is a record, as in most logs."""
    for line in first[:_TOLD]:
        start = _BETWEEN.sub(b"", line, count=1) if _BETWEEN.match(line) else line
        if not start:
            continue
        if _EVENT.match(start):
            return Elements()
        if start[:1] in (b"{", b"["):
            return _of_json(start)
        break
    return Table(_record) if Table.begins(first[:_TOLD]) else None


def _of_json(start: bytes) -> Framing | None:
    if start[:1] == b"[" and start[1:].lstrip()[:1] not in (b"{", b""):
        return None  # a time in brackets, as many logs begin
    if _ENVELOPE.match(start):
        return Documents()
    try:
        document = orjson.loads(start)
        whole = isinstance(document, dict) and not _is_order(document) and _inner(document) is document
    except orjson.JSONDecodeError:
        # Broken, or the first of several lines: the margin tells, since within a document all is indented.
        whole = start.rstrip() not in (b"{", b"[", b"[{") and start[:1] != b"["
    return None if whole else Documents()


class Elements:
    """XML elements ``Event``, wherever their lines end."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._size = 0

    def records(self, lines: Sequence[bytes]) -> list[bytes]:
        """The events that end in these lines, and what else stands there."""
        text = b"\n".join(lines) + b"\n"
        found: list[bytes] = []
        done = 0
        for mark in _EVENT.finditer(text):
            if mark[0] == b"</Event>":
                found += self._ended(text[done : mark.end()])
                done = mark.end()
            elif self._open or mark.start() > done:  # one that begins within another: the other was cut off
                found += self._ended(text[done : mark.start()])
                done = mark.start()
            if mark[0] != b"</Event>":
                self._open.append(b"")
        if not self._open:
            return found + _between(text[done:])
        self._open.append(text[done:])
        self._size += len(text) - done
        return found + (self.rest() if self._size > LONGEST else [])

    def rest(self) -> list[bytes]:
        """An element that was cut off."""
        return self._ended(b"")

    def _ended(self, last: bytes) -> list[bytes]:
        """The element that is open, with its last part; what stands between two where none is."""
        if not self._open:
            return _between(last)
        text = b"".join((*self._open, last)).strip()
        self._open, self._size = [], 0
        return [text]


def _between(text: bytes) -> list[bytes]:
    """What stands between records, without the head and the frame of an XML file."""
    return [part for line in text.split(b"\n") if (part := _BETWEEN.sub(b"", line).strip())]


class Documents:
    """JSON documents, each on a line or over several: then what begins or ends one stands at the margin."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0

    def records(self, lines: Sequence[bytes]) -> list[bytes]:
        """The records of the documents that end in these lines."""
        return [record for line in lines for record in self._line(line)]

    def rest(self) -> list[bytes]:
        """A document that was cut off, line by line."""
        return self._ended() if self._lines else []

    def _line(self, line: bytes) -> Iterator[bytes]:
        margin = line[:1]
        if margin == b"{" and self._ends == b"}":  # the document before was cut off
            yield from self._ended()
        if self._lines:
            self._lines.append(line)
            self._size += len(line)
            if margin == self._ends or self._size > LONGEST_DOCUMENT:
                yield from self._ended()
        elif margin in (b"{", b"["):
            self._lines, self._size = [line], len(line)
            if line.rstrip(b" ,\t\r")[-1:] == self._ends:
                yield from self._ended(or_open=True)
        elif not _BETWEEN.fullmatch(line) and line.strip() not in (b"", b",", b"]"):
            yield line

    @property
    def _ends(self) -> bytes:
        """What stands at the margin where the open document ends."""
        return {b"{": b"}", b"[": b"]"}[self._lines[0][:1]] if self._lines else b""

    def _ended(self, *, or_open: bool = False) -> list[bytes]:
        """The records of the document; its lines when it is none, or nothing yet where it may go on."""
        text = b"\n".join(self._lines).rstrip(b" ,\t\r\n")
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            if or_open:
                return []
            found = [line for line in self._lines if line.strip()]
        else:
            found = list(_unwrapped(document, text))
        self._lines = []
        return found


# -- envelopes ----------------------------------------------------------------------------------------------------

_LISTS = (
    ("Records",),  # CloudTrail, in S3
    ("records",),  # Azure's event hubs
    ("value",),  # Microsoft Graph
    ("hits", "hits"),  # Elasticsearch, OpenSearch
    ("Events", "Event"),
    ("Events",),  # `aws cloudtrail lookup-events`
    ("events",),
    ("Event",),
    ("items",),  # Google's Reports API, Kubernetes' EventList
    ("logEvents",),  # CloudWatch's subscriptions
)
_BESIDE = frozenset({"_shards", "aggregations", "metadata", "subscriptionFilters"})
"""Parts of an envelope that are no plain values; an object with others is a record itself."""


def _unwrapped(document: Any, text: bytes) -> Iterator[bytes]:
    """The records in a document, which is ``text``; itself when it is no envelope."""
    if isinstance(document, list):
        for each in document:
            yield from _unwrapped(each, b"")
        return
    if _is_order(document):
        return
    listed = _listed(document) if isinstance(document, dict) else None
    if listed is not None:
        for each in listed:
            yield _record(each)
    else:
        yield text if text and _inner(document) is document else _record(document)


_ORDERS = frozenset({"index", "create"})


def _is_order(document: Any) -> bool:
    """Whether it is what stands before each record in what Elasticsearch takes in bulk: where to put it."""
    if not isinstance(document, dict) or len(document) != 1 or _ORDERS.isdisjoint(document):
        return False
    (place,) = document.values()
    return isinstance(place, dict) and all(name.startswith("_") for name in place)


def _listed(document: dict[str, Any]) -> list[Any] | None:
    for path in _LISTS:
        found: Any = document
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            continue
        others = (value for name, value in document.items() if name != path[0] and name not in _BESIDE)
        if not any(isinstance(value, dict | list) and value for value in others):
            return [{"Event": each} for each in found] if path[-1] == "Event" else found
    return None


def _record(found: Any) -> bytes:
    inner = _inner(found)
    if isinstance(inner, str):
        return inner.encode()
    try:
        return orjson.dumps(inner)
    except orjson.JSONEncodeError:  # deeper than any record: one of nothing, which is refused by name
        return b"{}"


def _inner(found: Any) -> Any:
    """The record in what a store keeps around it: a text that was a line, an object, or the same as given."""
    if not isinstance(found, dict):
        return found
    if isinstance(result := found.get("result"), dict) and ("preview" in found or "_raw" in result):  # Splunk
        found = result
    for name in ("_raw", "CloudTrailEvent", "AuditData"):
        if isinstance(text := found.get(name), str) and text.strip():
            return text
    if found.keys() == {"id", "timestamp", "message"} and isinstance(found["message"], str):  # CloudWatch
        return found["message"]
    if isinstance(kept := found.get("_source"), dict):
        return _shipped(kept) or kept
    return _shipped(found) or found


def _shipped(found: dict[str, Any]) -> str | None:
    """The line that Filebeat read, in what it made of it."""
    agent, event = found.get("agent"), found.get("event")
    if not isinstance(agent, dict) or agent.get("type") != "filebeat" or "winlog" in found:
        return None
    line = event.get("original") if isinstance(event, dict) else None
    line = line or found.get("message")
    return line if isinstance(line, str) and line.strip() else None
