"""Lines that are understood only with others: rows of Zeek and IIS need the header of their columns, system calls
what else auditd recorded of them.
"""

from rempart.events import audit
from rempart.events.columns import Columns

JOINED = frozenset({"auditd", "iis", "zeek"})
"""The decoders that read such lines."""


class Joining:
    """Gives the lines of one file the others that they need. Not for use by several threads."""

    def __init__(self) -> None:
        self._columns = Columns()

    def joined(self, lines: list[bytes]) -> list[bytes]:
        """As many lines in the same order; to some the others are added, newlines between."""
        if self._columns.told or any(line[:1] == b"#" for line in lines[:1]):
            return self._columns.joined(lines)
        return audit.join(lines)

    def unfinished(self, lines: list[bytes]) -> int:
        """How many lines at the end should wait for those that follow them."""
        return 0 if self._columns.told else audit.unfinished(lines)
