"""Reads GitHub's audit log: who changed members, repositories, secrets and their protection."""

import re

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource
from rempart.instants import Instant

LOGSOURCE = LogSource(product="github", service="audit")
_ACTION = re.compile(r"[a-z0-9_]{1,100}(?:\.[a-z0-9_]{1,100}){1,3}")
_MARKS = frozenset({"org", "repo", "business", "_document_id", "actor_location", "programmatic_access_type"})


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is none of GitHub's audit log."""
    said = documents.read(line, source, record)
    known = isinstance(said.get("actor"), str | None) and bool(_MARKS & said.keys())
    if not known or not _ACTION.fullmatch(documents.word(said, "action")):
        raise lines.refused("this is no record of GitHub's audit log", source, record)
    return Event(LOGSOURCE, documents.flat(said), source, record, _time(said))


def _time(said: documents.Fields) -> Instant | None:
    """GitHub writes milliseconds since 1970."""
    when = said.get("@timestamp", said.get("created_at"))
    return documents.moment(when / 1000 if isinstance(when, int) else when)
