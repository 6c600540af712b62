"""Logs of Zeek and of IIS: what their columns are called stands at the beginning only, and each row needs it."""

FIELDS = b"#Fields:"
"""Begins the one line of a W3C log's header that its rows need."""
_TOLD = (b"#path\t", b"#fields\t", b"#types\t")
_MOST = 16_384
"""Bytes of a header that is kept: Zeek's longest has about 2,000."""
_TIMES = 64
"""How many times as long as its row a header is at most: a row has something in each column. Without it a log of empty
rows under a long header would take gigabytes."""


class Columns:
    """Gives each row the header above it. Not for use by several threads."""

    def __init__(self) -> None:
        self._header: dict[bytes, bytes] = {}
        self._above = b""
        """What rows begin with; nothing until all of a header was seen."""

    def joined(self, lines: list[bytes]) -> list[bytes]:
        """The same lines; rows begin with the lines of the header that tell of them, newlines between."""
        return [self._line(line) for line in lines]

    @property
    def told(self) -> bool:
        """Whether all of a header was seen."""
        return FIELDS in self._header or len(self._header) == len(_TOLD)

    def _line(self, line: bytes) -> bytes:
        if line[:1] == b"#":
            self._tell(line)
            self._above = b"\n".join((*self._header.values(), b"")) if self.told else b""
        elif self._above and line and len(self._above) <= _TIMES * len(line):
            return self._above + line
        return line

    def _tell(self, line: bytes) -> None:
        name = line.partition(b"\t")[0] + b"\t"
        if line.startswith(FIELDS):
            self._header = {FIELDS: line.rstrip()} if len(line) <= _MOST else {}
        elif name == b"#separator\t" or line.startswith((b"#separator ", b"#close", b"#Software:")):
            self._header.clear()
        elif name in _TOLD and len(line) <= _MOST:
            self._header[name] = line
