"""Following files that grow, over rotations and restarts, so that each line is read once.

A path is followed, not a file: when the file at the path is renamed, copied and truncated, or deleted and made
again, what is left of the old one is read first, then the new one, and the numbers of the lines go on. A file is
known again by its first bytes. What can be lost is said: a copy that was compressed before its rest was read.

Looking, not being told: it sees the same on every file system, costs some microseconds a file, and has no queue that
can overflow. When to look is for others to say (`stir`).

Some lines are understood only with others (`rempart.events.joining`): they wait for them and are given together. Where
reading stands is before all that waits, so that a restart finds it again. A file that begins with UTF-16's byte order
mark is given in UTF-8.
"""

import logging
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import msgspec

from rempart.adapters.collect import wide
from rempart.errors import kind_and_place
from rempart.events.joining import Joining

_log = logging.getLogger(__name__)

MAX_LINE = 1 << 16
"""Bytes of the longest line that is kept whole; of a longer one the beginning is kept, and it is counted as cut."""

_CHUNK = 1 << 18
"""Bytes read from one file at a time, so that a flood in one log does not hold up the others."""

_HEAD = 256
"""Bytes at the beginning by which a file is known again: log lines begin with a time."""

_HOLD = 0.2
"""Seconds for which lines wait for those that belong to them; a program writes them together."""

_LINGER = 60.0
"""Seconds for which a file that has left the path is still read: its writer is told to let go only afterwards."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far one file was read."""

    inode: int
    head: bytes
    offset: int
    """Bytes read, up to the end of the last line given."""
    skipping: bool = False
    """In the middle of a line too long: what comes before the next newline is left out."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a path was read: its files, oldest first, and the number of the next line."""

    places: tuple[Place, ...] = ()
    following: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines read together: without their newline, each with its number."""

    path: str
    numbers: Sequence[int]
    bodies: list[bytes]
    cut: int
    """How many of them were longer than `MAX_LINE`."""
    more: bool
    """There is more to read at once."""
    several: bool = False
    """More than one file of the path is being read: read again after a crash, the lines may get other numbers."""
    position: bytes
    """Where reading stands after them; keep it with them, for the next start."""


class Follower:
    """Follows one path. Not for use by several threads."""

    def __init__(self, path: Path, position: bytes | None = None, *, joined: bool = False) -> None:
        """``joined``: give each line the others that it needs (`rempart.events.joining`)."""
        self.path = path
        self._joined = joined
        kept = msgspec.json.decode(position, type=Position) if position else Position()
        self._following = kept.following
        self._sought = kept.places
        self._files: list[_File] = []  # oldest first; the last is the one at the path
        self._trouble = ""

    @property
    def position(self) -> bytes:
        """Where reading stands, a `Position` as JSON."""
        places = self._sought or tuple(file.place() for file in self._files)
        return msgspec.json.encode(Position(places=places, following=self._following))

    def read(self) -> Lines | None:
        """The lines that have come since, or None. Never waits."""
        try:
            self._find_again()
            self._look()
            bodies, cut = self._read()
        except OSError as fault:  # a disk that fails, a share that went away
            self._tell(fault.strerror or str(fault))
            return None
        if not bodies:
            return None
        first = self._following
        self._following += len(bodies)
        return Lines(
            path=str(self.path),
            numbers=range(first, self._following),
            bodies=bodies,
            cut=cut,
            more=any(file.behind for file in self._files),
            several=len(self._files) > 1,
            position=self.position,
        )

    def _read(self) -> tuple[list[bytes], int]:
        """What the files have given, oldest first; a newer one waits while an older one is behind or holds lines."""
        bodies: list[bytes] = []
        cut = 0
        for file in tuple(self._files):
            if file.rewritten():
                bodies += self._begin_again(file)
                break
            bodies += file.read()
            if file is not self._files[-1] and file.idle() > _LINGER:
                bodies += file.rest()
                self._leave(file)
            cut += file.take_cut()
            if file.behind or file.holds:
                break
        return bodies, cut

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()
        self._files.clear()

    def _find_again(self) -> None:
        """Open the files that were being read when the last run ended, wherever they are called now."""
        for place in self._sought:
            if file := self._known_as(place):
                self._files.append(file)
            elif place.offset:
                _log.warning(
                    "%s: the file read until byte %d is gone; if it had grown since, these lines are lost",
                    self.path,
                    place.offset,
                )
        self._sought = ()

    def _known_as(self, place: Place) -> "_File | None":
        """The file that begins as ``place`` says, at the path or beside it: the same inode before a copy."""
        if not place.head:
            return None
        found = [file for path in self._candidates() if (file := self._resumed(path, place))]
        found.sort(key=lambda file: file.inode != place.inode)
        for other in found[1:]:
            other.close()
        return found[0] if found else None

    def _resumed(self, path: Path, place: Place) -> "_File | None":
        return _File.resumed(path, place, self._joining())

    def _joining(self) -> Joining | None:
        return Joining() if self._joined else None

    def _candidates(self) -> list[Path]:
        """The path and what rotations may have left beside it (``access.log.1``, ``access.log-20261122``)."""
        with suppress(OSError):
            return sorted(path for path in self.path.parent.iterdir() if path.name.startswith(self.path.name))
        return [self.path, self.path.with_name(f"{self.path.name}.1")]  # in a folder that may not be listed

    def _look(self) -> None:
        """Open what is at the path when it is not yet being read."""
        try:
            there = self.path.stat()
            if any(file.is_at(there) for file in self._files):
                return
            self._files.append(_File.opened(self.path, self._joining()))
            self._tell("")
        except OSError as fault:
            self._tell(fault.strerror or str(fault))

    def _tell(self, trouble: str) -> None:
        """Say once that the path cannot be read, and once that it can again."""
        if trouble and trouble != self._trouble:
            _log.warning("%s: not read: %s; it is tried again and again", self.path, trouble)
        elif self._trouble and not trouble:
            _log.warning("%s: read again", self.path)
        self._trouble = trouble

    def _begin_again(self, file: "_File") -> list[bytes]:
        """The file was truncated: read on in the copy that a rotation made of it, then from its beginning."""
        place = file.place()
        copy = self._known_as(place)
        lines = []
        if copy is not None:
            self._files.insert(self._files.index(file), copy)
        else:
            lines = file.rest()
            _log.warning("%s: truncated after byte %d, and no copy is beside it", self.path, place.offset)
        file.begin_again()
        return lines

    def _leave(self, file: "_File") -> None:
        file.close()
        self._files.remove(file)


class _File:
    """One open file: how far it was read, and what has not been given yet: lines that wait for others, a begun line."""

    def __init__(self, descriptor: int, place: Place, joining: Joining | None) -> None:
        self._descriptor = descriptor
        self._joining = joining
        self._head = place.head
        self._offset = place.offset
        self._skipping = place.skipping
        self._partial = b""
        self._cut = 0
        self.behind = False
        """Whether there was more to read than was read."""
        self._grown = time.monotonic()
        status = os.fstat(descriptor)
        self.inode = status.st_ino
        self._device = status.st_dev

    @classmethod
    def opened(cls, path: Path, joining: Joining | None) -> "_File":
        """The file at the path from its beginning. Raises OSError when it is none."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{path} is not a regular file")
        return cls(descriptor, Place(inode=0, head=b"", offset=0), joining)

    @classmethod
    def resumed(cls, path: Path, place: Place, joining: Joining | None) -> "_File | None":
        """The file at the path from ``place``; None when it is another one."""
        try:
            file = cls.opened(path, joining)
        except OSError:
            return None  # what cannot be opened is not the file sought; the caller says so when none is
        file._head, file._offset, file._skipping = place.head, place.offset, place.skipping
        if file.rewritten():
            file.close()
            return None
        if joining is not None:
            joining.joined(file._header())
        return file

    def _header(self) -> list[bytes]:
        """The lines at the beginning of what was read that tell what the others mean."""
        lines = os.pread(self._descriptor, min(_CHUNK, self._offset), 0).split(b"\n")
        return list(takewhile(lambda line: line.startswith(b"#"), lines))

    def place(self) -> Place:
        """How far it was read."""
        return Place(inode=self.inode, head=self._head, offset=self._offset, skipping=self._skipping)

    def is_at(self, there: os.stat_result) -> bool:
        """Whether this is the file of that status."""
        return (self.inode, self._device) == (there.st_ino, there.st_dev)

    @property
    def holds(self) -> bool:
        """Whether whole lines wait for what belongs to them."""
        return not self._codec and b"\n" in self._partial

    @property
    def _codec(self) -> str:
        """What it is written in, where that is not said by its bytes alone."""
        return wide.codec_of(self._head)

    def idle(self) -> float:
        """Seconds since it last grew."""
        return time.monotonic() - self._grown

    def rewritten(self) -> bool:
        """Whether it is shorter than what was read, or begins otherwise than it did."""
        if os.fstat(self._descriptor).st_size < self._offset + len(self._partial):
            return True
        return os.pread(self._descriptor, len(self._head), 0) != self._head

    def read(self) -> list[bytes]:
        """The next whole lines, of at most `_CHUNK` bytes."""
        data = os.pread(self._descriptor, _CHUNK, self._offset + len(self._partial))
        self.behind = len(data) == _CHUNK
        if not data:
            waited = self.holds and self.idle() > _HOLD
            return self._split(self._partial, ended=True) if waited else []
        self._grown = time.monotonic()
        if len(self._head) < _HEAD:
            self._head = os.pread(self._descriptor, _HEAD, 0)
        return self._split(self._partial + data)

    def rest(self) -> list[bytes]:
        """What waits, and the line that was begun and will not be finished."""
        data, self._partial = self._partial, b""
        self._offset += len(data)
        data = wide.text(data, self._codec) if self._codec else data
        return self._whole(data.removesuffix(b"\n").split(b"\n")) if data else []

    def take_cut(self) -> int:
        """How many lines were cut since asked last."""
        cut, self._cut = self._cut, 0
        return cut

    def begin_again(self) -> None:
        """Read from the beginning: it was truncated."""
        self._head, self._partial = b"", b""
        self._offset, self._skipping = 0, False

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _split(self, data: bytes, *, ended: bool = False) -> list[bytes]:
        """The whole lines in the data. Unless it ``ended``, the last wait for what belongs to them."""
        lines, partial = self._parted(data)
        if self._skipping and lines:
            del lines[0]
            self._skipping = False
        elif self._skipping:
            partial = partial[self._letters(partial) :]
        if len(partial) > MAX_LINE:
            letters = self._letters(partial)
            lines.append(wide.text(partial[:letters], self._codec) if self._codec else partial)
            self._skipping = True
            partial = partial[letters:]
        if held := 0 if ended else self._unfinished(lines):
            partial = b"\n".join((*lines[-held:], partial))
            del lines[-held:]
        self._offset += len(data) - len(partial)
        self._partial = partial
        return self._whole(lines)

    def _unfinished(self, lines: list[bytes]) -> int:
        """How many lines at the end wait for those that follow them."""
        if self._joining is None or self._codec or self._skipping:
            return 0
        return self._joining.unfinished(lines)

    def _parted(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The whole lines in the data, and what was begun behind them."""
        if self._codec:
            return wide.parted(data, self._codec)
        whole, newline, partial = data.rpartition(b"\n")
        return (whole.split(b"\n") if newline else []), partial

    def _letters(self, data: bytes) -> int:
        """How many of these bytes are whole letters."""
        return len(data) & ~1 if self._codec else len(data)

    def _whole(self, lines: list[bytes]) -> list[bytes]:
        capped = [self._capped(line) for line in lines]
        if self._joining is None:
            return capped
        try:
            return self._joining.joined(capped)
        except Exception as defect:  # ours, brought out by these lines: alone they are kept all the same
            _log.error("lines could not be joined and are kept each for itself: %s", kind_and_place(defect))
            self._joining = Joining()
            return capped

    def _capped(self, line: bytes) -> bytes:
        if len(line) <= MAX_LINE:
            return line
        self._cut += 1
        return line[:MAX_LINE]
