"""Keeps compiled rules from one start to the next: Hyperscan databases and rule trees, by a hash of their content.

A database is native code's own memory, so one that somebody else wrote could do harm: a file is believed only when it
belongs to this user, nobody else can write or read it, and the SHA-256 at its beginning is that of the rest. Anything
else counts as not there: it is compiled again and replaced. Nothing that is kept can run when it is read (no pickle).
"""

import os
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rempart.detection import packed
from rempart.detection.rule import RuleSet

_DIGEST = 32
_LARGEST = 256 << 20
"""Bytes of one file; more is not read."""
_ROOM = 96 << 20
"""Bytes of all files: all of SigmaHQ's rules come to 18 MB, so the set in force and those before it stay."""


class KeptFiles:
    """Files in one folder, each named by its key. Two processes may use it at once: a file appears whole."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when first needed, for this user alone."""
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """What was put, or None: not there, not ours, open to others, or damaged."""
        try:
            descriptor = os.open(self._folder / key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if not _ours(os.fstat(descriptor)):
                return None
            with suppress(OSError):
                os.utime(descriptor)  # used now: what was longest not used is removed first
            data = file.read(_LARGEST)
        digest, kept = data[:_DIGEST], data[_DIGEST:]
        return kept if digest == sha256(key.encode() + kept).digest() else None

    def put(self, key: str, data: bytes) -> None:
        """Keep it. A folder that cannot be written, or a full disk, costs only time at the next start."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".")  # mode 0600
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(sha256(key.encode() + data).digest() + data)
                Path(name).replace(self._folder / key)
                self._make_room()
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def _make_room(self) -> None:
        """Remove what was longest not used, as far as all is more than `_ROOM`."""
        files = sorted(
            ((each.stat(), each) for each in self._folder.iterdir()), key=lambda file: -file[0].st_mtime
        )
        held = 0
        for status, file in files:
            held += status.st_size
            if held > _ROOM:
                file.unlink(missing_ok=True)


def _ours(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def load(
    kept: KeptFiles | None,
    files: Iterable[tuple[str, str]],
    placeholders: Mapping[str, Sequence[str]] | None = None,
) -> RuleSet:
    """`rempart.detection.sigma.load`, from what is kept where the same files were loaded before by the same program.

    ``kept`` None: nothing is kept.
    """
    files = list(files)
    key = _key(files, placeholders or {})
    known = kept.get(key) if kept is not None else None
    if known is not None:
        with suppress(ValueError):
            return packed.unpacked(known)
    # Only now: pySigma takes a quarter of a second, which a start with kept rules need not wait for.
    from rempart.detection import sigma

    rules = sigma.load(files, placeholders)
    if kept is not None:
        kept.put(key, packed.packed(rules))
    return rules


def _key(files: Sequence[tuple[str, str]], placeholders: Mapping[str, Sequence[str]]) -> str:
    digest = sha256(_program())
    digest.update(
        repr(sorted((name, list(map(str, values))) for name, values in placeholders.items())).encode()
    )
    for path, text in files:
        for part in (path, text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


_MODULES = (
    *(
        "audited",
        "collection",
        "condition",
        "languages",
        "logic",
        "meaning",
        "notation",
        "packed",
        "predicates",
        "repeats",
        "rule",
        "sigma",
        "unquoted",
    ),
)
_READERS = ("pysigma", "pysigma-pipeline-sysmon", "pysigma-pipeline-windows", "PyYAML", "hyperscan")


def _program() -> bytes:
    """Names the program that turns files into rules: another one may read the same files otherwise."""
    own = [_source(name) for name in _MODULES]
    return repr((own, [_version(name) for name in _READERS])).encode()


def _source(name: str) -> bytes:
    """The text of a module of detection, or of a package's modules; they are found without being run."""
    found = find_spec(f"rempart.detection.{name}")
    assert found is not None
    assert found.origin is not None
    module = Path(found.origin)
    texts = sorted(module.parent.glob("*.py")) if found.submodule_search_locations else [module]
    return b"".join(each.read_bytes() for each in texts)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
