"""An event: one thing a machine said, in one shape, with the place it was read from.

Field names are those of the Sigma taxonomy for the event's log source, so that rules written by others apply
unchanged. Events are plain values on the hot path: millions of them pass, few become findings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from rempart.instants import Instant, written


@dataclass(frozen=True, slots=True)
class LogSource:
    """What kind of log an event is from, in Sigma's three words. ``None`` means: not said."""

    product: str | None = None
    category: str | None = None
    service: str | None = None


class Event(msgspec.Struct, gc=False):
    """One decoded log record.

    ``record`` is the EVTX record id, or the line number from 1. ``fields`` maps Sigma field names to text,
    numbers, booleans, ``None`` or lists of these. Treated as immutable once decoded. A struct is made in a third of the
    time of a dataclass, and the garbage collector need not look at it: nothing in an event leads back to it.
    """

    logsource: LogSource
    fields: Mapping[str, Any]
    source: str
    record: int
    when: Instant | str | None = None
    """When it happened. ISO 8601 text is read only when somebody asks for the `time`: for most events nobody does."""
    raw: bytes | None = None
    """JSON in which every field stands unchanged as a value of its own: what is not in it is in no field. A list or an
    object among the fields stands in it too, so a reader must look whether there is one."""

    @property
    def time(self) -> Instant | None:
        """When it happened; None when the record does not say, or says it in words that are no time."""
        return written(self.when) if isinstance(self.when, str) else self.when
