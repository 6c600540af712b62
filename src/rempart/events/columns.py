"""Logs of Zeek and of IIS: what their columns are called stands at the beginning only, and each row needs it."""

FIELDS = b"#Fields:"
"""Begins the one line of a W3C log's header that its rows need."""
_TOLD = (b"#path\t", b"#fields\t", b"#types\t")
_MOST = 16_384
"""Bytes of a header that is kept: Zeek's longest has about 2,000."""


class Columns:
    """Gives each row the header above it. Not for use by several threads."""

    def __init__(self) -> None:
        self._header: dict[bytes, bytes] = {}

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
        elif self.told and line:
            return b"\n".join((*self._header.values(), line))
        return line

    def _tell(self, line: bytes) -> None:
        name = line.partition(b"\t")[0] + b"\t"
        if line.startswith(FIELDS):
            self._header = {FIELDS: line.rstrip()} if len(line) <= _MOST else {}
        elif name == b"#separator\t" or line.startswith((b"#separator ", b"#close", b"#Software:")):
            self._header.clear()
        elif name in _TOLD and len(line) <= _MOST:
            self._header[name] = line
