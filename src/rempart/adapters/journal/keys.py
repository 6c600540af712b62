"""The private keys that sign the journal: one in force, the old ones overwritten."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rempart.edge.whole import settle
from rempart.evidence.checkpoint import VerifierKey

_SETTLED, _PENDING = ".key", ".pending"


class SigningKeys:
    """A folder (0700) of files of 32 bytes (0600), named by key id.

    A key is *pending* until the entry that names it is on disk: a kill in between leaves a file that no entry knows.
    """

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder = folder
        self._origin = origin
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"SigningKeys({str(self._folder)!r}, [secure])"

    def any_settled(self) -> bool:
        """Whether a key is here that some journal was begun with."""
        return any(self._folder.glob(f"*{_SETTLED}"))

    def create(self) -> Ed25519PrivateKey:
        """A new key, on disk and pending."""
        key = Ed25519PrivateKey.generate()
        name = VerifierKey.of(self._origin, key).id.hex() + _PENDING
        file = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, key.private_bytes_raw())
            os.fsync(file)
        finally:
            os.close(file)
        settle(self._folder)
        return key

    def find(self, wanted: VerifierKey) -> Ed25519PrivateKey | None:
        """The private half of ``wanted``, settled or pending; None when it is not here."""
        for suffix in (_SETTLED, _PENDING):
            file = self._folder / (wanted.id.hex() + suffix)
            if file.exists() and len(data := file.read_bytes()) == 32:
                key = Ed25519PrivateKey.from_private_bytes(data)
                if VerifierKey.of(self._origin, key) == wanted:
                    return key
        return None

    def settle(self, wanted: VerifierKey) -> None:
        """Keep ``wanted`` and erase every other key. May be repeated."""
        settled = self._folder / (wanted.id.hex() + _SETTLED)
        pending = settled.with_suffix(_PENDING)
        if pending.exists():
            pending.rename(settled)
        for file in [*self._folder.glob(f"*{_SETTLED}"), *self._folder.glob(f"*{_PENDING}")]:
            if file != settled:
                _overwrite(file)
        settle(self._folder)


def _overwrite(file: Path) -> None:
    """Zeros over the key before its name goes. A flash chip may keep a copy that no program can reach."""
    with file.open("r+b") as opened:
        opened.write(bytes(file.stat().st_size))
        opened.flush()
        os.fsync(opened.fileno())
    file.unlink()
