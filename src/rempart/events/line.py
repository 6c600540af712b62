"""One line of a log as bytes: how long it may be, and how it becomes text."""

from rempart.errors import DecodeError

MAX_LINE = 131_072
"""Bytes in the longest line that is read; haproxy and nginx write at most about 64 KiB a request."""

MAX_VALUE = 8_192
"""Characters kept of one value; what a rule looks for stands before that."""


def text(line: bytes, source: str, record: int) -> str:
    """The line as text without its end. Bytes that are not UTF-8 become ``\\xNN``.

    Raises `DecodeError` when the line is empty or longer than `MAX_LINE`.
    """
    if len(line) > MAX_LINE:
        raise refused(f"the line has {len(line)} bytes, more than {MAX_LINE}", source, record)
    stripped = line.rstrip(b"\r\n")
    if not stripped.strip():
        raise refused("the line is empty", source, record)
    return stripped.decode("utf-8", "backslashreplace")


def refused(what: str, source: str, record: int) -> DecodeError:
    """The error that says why a line is not of the kind its decoder reads. It never quotes the line."""
    return DecodeError(
        what, where=f"{source}:{record}", now="Check which decoder site.toml names for this log."
    )


def capped(value: str) -> str:
    """The value, at most `MAX_VALUE` characters of it."""
    return value[:MAX_VALUE]
