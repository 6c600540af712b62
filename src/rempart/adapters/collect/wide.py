"""Text in UTF-16, as programs of Windows write it: where in a growing file its lines end, and the lines in UTF-8."""

import codecs
from collections.abc import Mapping

_MARKS: Mapping[bytes, str] = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def codec_of(head: bytes) -> str:
    """What a file that begins so is written in; empty where it has no mark, so that its bytes are its text."""
    return _MARKS.get(head[:2], "")


def parted(data: bytes, codec: str) -> tuple[list[bytes], bytes]:
    """The whole lines in UTF-8, and the bytes of the one that was begun."""
    newline = "\n".encode(codec)
    end = data.rfind(newline)
    while end % 2 and end > 0:  # half of one letter and half of the next
        end = data.rfind(newline, 0, end + 1)
    if end < 0:
        return [], data
    return text(data[:end], codec).split(b"\n"), data[end + 2 :]


def text(data: bytes, codec: str) -> bytes:
    """The bytes in UTF-8, without a byte order mark; what is no text becomes U+FFFD."""
    return data.decode(codec, "replace").removeprefix("\ufeff").encode()
