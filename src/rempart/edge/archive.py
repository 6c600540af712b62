"""How many entries a zip archive has, before its directory is read: whoever opens one holds all of it in memory."""

from typing import IO

_ENTRY = b"PK\x01\x02"
"""What each entry of the directory begins with (APPNOTE.TXT 4.3.12)."""
_PIECE = 1 << 20


def zip_entries(file: IO[bytes], most: int) -> int:
    """So many at most, whatever it says of itself (CWE-409); the counting ends beyond ``most``. Raises OSError.

    What a file within happens to hold counts too: an archive of archives may seem to have more. It is then read from
    its beginning.
    """
    file.seek(0)
    found, end = 0, b""
    while found <= most and (piece := file.read(_PIECE)):
        found += (end + piece).count(_ENTRY)
        end = (end + piece)[1 - len(_ENTRY) :]
    file.seek(0)
    return found
