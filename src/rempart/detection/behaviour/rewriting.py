"""Rewriting: a program puts many files in the place of others within a minute, as ransom software does.

Two signs. *Replaced*: a file is gone and one of the same name with another, unusual ending is there
(``plan.docx`` -> ``plan.docx.locked``), twenty times over. *Changed*: one program wrote or removed hundreds of files in
many folders. Folders in which programs keep their own things do not count. Neither needs a past: the first files are
already the attack; the warm-up is the number of files.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rempart.detection.behaviour.card import card
from rempart.detection.behaviour.past import Kept, short
from rempart.detection.behaviour.sighting import Change, FileChange, Sighting
from rempart.detection.explain import finding
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.quiet import Quiet
from rempart.detection.rule import RuleCard
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Duration, Instant, minutes

REPLACED = 20
"""Files replaced within a minute, most of them by the same ending."""
SAME_ENDING = 0.8
CHANGED = 300
"""Files written or removed within a minute."""
FOLDERS = 10
"""... in so many folders."""
WINDOW = minutes(1)
PROGRAMS = 100
FILES = 600
"""Files remembered of one program, as digests."""

_OWN = (
    *("\\windows\\", "\\program files", "\\programdata\\", "\\appdata\\", "\\$recycle.bin\\"),
    *("/var/", "/usr/", "/proc/", "/sys/", "/run/", "/.cache/"),
)
"""Parts of paths in which programs keep their own things."""


def _endings(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PASSING = _endings("tmp temp part partial crdownload download swp lock ~tmp")
_ORDINARY = _endings(
    "txt log csv json xml html pdf doc docx docm odt rtf xls xlsx xlsm ods ppt pptx odp jpg jpeg png gif bmp tif tiff"
    " webp heic svg mp3 mp4 wav avi mov mkv zip 7z gz bz2 xz zst tar rar bak old db sqlite ini cfg dcm hl7 eml msg"
)

_REPLACED = card(
    "rewriting.replaced",
    "Files are being replaced by others with an unknown ending",
    Level.HIGH,
    Kind.INTRUSION,
    "attack.impact",
    "attack.t1486",
    outcome=Outcome.SUCCESS,
)
_CHANGED = card(
    "rewriting.changed",
    "One program changed hundreds of files within a minute",
    Level.MEDIUM,
    Kind.OTHER,
    "attack.impact",
    "attack.t1485",
    outcome=Outcome.SUCCESS,
)


@dataclass(slots=True)
class Recent:
    """What one program did to files within the last minute, all paths in lower case."""

    changed: OrderedDict[bytes, tuple[Instant, bytes]] = field(default_factory=OrderedDict)
    """Paths -> when, and their folder. All paths in lower case, as digests."""
    removed: OrderedDict[bytes, tuple[Instant, str]] = field(default_factory=OrderedDict)
    """Paths, with and without their ending, of files that are gone."""
    written: OrderedDict[bytes, tuple[Instant, str]] = field(default_factory=OrderedDict)
    """Paths without ending of files that are new -> when, and their ending."""
    replaced: deque[tuple[Instant, str]] = field(default_factory=deque)
    """When a file was replaced, and the new one's ending."""

    def take(self, change: FileChange, time: Instant) -> None:
        """Take in one change, and forget what is older than the window."""
        path = change.path.lower()
        stem, ending = parts(path)
        whole, bare = short(path), short(stem)
        self.changed[whole] = time, short(path[: max(path.rfind("\\"), path.rfind("/"))])
        self.changed.move_to_end(whole)
        match change.change:
            case Change.RENAMED:
                self._renamed(change.before.lower(), path, ending, time)
            case Change.REMOVED if ending not in _PASSING:
                self._removed(whole, bare, ending, time)
            case Change.WRITTEN if ending and ending not in _ORDINARY | _PASSING:
                self._written(bare, ending, time)
        _trim(self.changed, time - WINDOW)
        _trim(self.removed, time - WINDOW)
        _trim(self.written, time - WINDOW)
        while self.replaced and (self.replaced[0][0] < time - WINDOW or len(self.replaced) > FILES):
            self.replaced.popleft()

    def _renamed(self, before: str, path: str, ending: str, time: Instant) -> None:
        if ending not in _ORDINARY | _PASSING and path.startswith(parts(before)[0]):
            self.replaced.append((time, ending))

    def _removed(self, whole: bytes, bare: bytes, ending: str, time: Instant) -> None:
        written = self.written.pop(whole, None) or self.written.pop(bare, None)
        if written is None:
            self.removed[whole] = self.removed[bare] = time, ending
        elif written[1] != ending:
            self.replaced.append((time, written[1]))

    def _written(self, bare: bytes, ending: str, time: Instant) -> None:
        gone = self.removed.pop(bare, None)
        if gone is None:
            self.written[bare] = time, ending
        elif gone[1] != ending:
            self.replaced.append((time, ending))


def _trim(held: OrderedDict[bytes, Any], since: int) -> None:
    while held and (next(iter(held.values()))[0] < since or len(held) > FILES):
        held.popitem(last=False)


def parts(path: str) -> tuple[str, str]:
    """The path without its ending, and the ending; a name that begins with its only dot has none."""
    cut = path.rfind(".")
    if cut <= max(path.rfind("\\"), path.rfind("/")) + 1:
        return path, ""
    return path[:cut], path[cut + 1 :]


class Rewriting:
    """Every program of every machine that tells of its files."""

    memory = Duration(3 * WINDOW)

    def __init__(self) -> None:
        self._recent: Kept[tuple[str, str], Recent] = Kept(PROGRAMS, Recent)
        self._quiet = Quiet(minutes(10))

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """A finding when either sign is there, and at each doubling."""
        match sighting:
            case FileChange() if not any(own in sighting.path.lower() for own in _OWN):
                recent = self._recent.of((sighting.machine, sighting.program))
                recent.take(sighting, time)
                yield from self._replaced(recent, sighting, event, time)
                yield from self._changed(recent, sighting, event, time)

    def _replaced(self, recent: Recent, change: FileChange, event: Event, time: Instant) -> Iterator[Finding]:
        number = len(recent.replaced)
        if number < REPLACED:
            return
        ending, most = Counter(ending for _, ending in recent.replaced).most_common(1)[0]
        if most >= SAME_ENDING * number and self._quiet.news(("replaced", change.machine), time, number):
            proofs = (
                Proof("files replaced within a minute", f"{number} (from {REPLACED} on)"),
                Proof("their new ending", f"{ending} ({most} of {number})"),
            )
            yield self._found(_REPLACED, change, proofs, number, event, time)

    def _changed(self, recent: Recent, change: FileChange, event: Event, time: Instant) -> Iterator[Finding]:
        number = len(recent.changed)
        if number < CHANGED or number % 50:  # counting folders at each change would be slow
            return
        folders = len({folder for _, folder in recent.changed.values()})
        if folders >= FOLDERS and self._quiet.news(("changed", change.machine), time, number):
            proofs = (
                Proof("files changed within a minute", f"{number} (from {CHANGED} on)"),
                Proof("folders", f"{folders} (from {FOLDERS} on)"),
            )
            yield self._found(_CHANGED, change, proofs, number, event, time)

    def _found(
        self,
        card: RuleCard,
        change: FileChange,
        proofs: tuple[Proof, ...],
        number: int,
        event: Event,
        time: Instant,
    ) -> Finding:
        return finding(
            card,
            event,
            time,
            group=(change.machine,),
            things=(Observable(ObservableKind.HOST, Role.VICTIM, change.machine),),
            proofs=(*proofs, Proof("TargetFilename", change.path), Proof("Image", change.program)),
            count=number,
        )
