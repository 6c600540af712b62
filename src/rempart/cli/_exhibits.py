"""Exhibits: the files attached to an incident, in its evidence bag, and held against what the journal sealed."""

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rempart.adapters.attachments import Attachments
from rempart.engine import facts
from rempart.engine.facts import AnyFact
from rempart.errors import InputRefused
from rempart.evidence import canonical
from rempart.evidence.verify import Fault
from rempart.instants import rfc3339

FILES = "files"
INDEX = "files.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One attached file, and the journal entries that tell of it."""

    entry: int
    attached: facts.FileAttached
    erased: tuple[int, facts.FileErased] | None = None
    """None: its bytes should be there."""


_ABOUT_FILES = {facts.FileAttached.__name__, facts.FileErased.__name__, facts.IncidentsMerged.__name__}


def sealed(entries: Path) -> Mapping[int, AnyFact]:
    """What an exported journal says of attached files, and of incidents that became one, by number of its entry."""
    return dict(_sealed(entries))


def _sealed(entries: Path) -> Iterator[tuple[int, AnyFact]]:
    with entries.open("rb") as lines:
        for line in lines:
            with contextlib.suppress(LookupError, TypeError, ValueError):
                value = canonical.decode(line.removesuffix(b"\n"))
                if value["entry"]["kind"] in _ABOUT_FILES and "body" in value:
                    yield value["entry"]["number"], facts.read(value["body"])


def exhibits(read: Mapping[int, AnyFact], incidents: Collection[str]) -> tuple[Exhibit, ...]:
    """The files attached to these incidents, from the facts about files, by the numbers of their entries."""
    found: list[Exhibit] = []
    for entry, fact in read.items():
        match fact:
            case facts.FileAttached(incident=incident) if incident in incidents:
                found.append(Exhibit(entry=entry, attached=fact))
            case facts.FileErased(sha256=sha256):
                found = [
                    replace(each, erased=(entry, fact))
                    if each.attached.sha256 == sha256 and each.erased is None
                    else each
                    for each in found
                ]
            case _:
                pass
    return tuple(found)


def put(these: Sequence[Exhibit], kept: Attachments, content: Path) -> tuple[str, ...]:
    """Put the bytes and the index into a bag's content; nothing where nothing was attached. Returns what is missing.

    Bytes are named by their hash alone: what somebody called them is hostile text, and stands in the index.
    """
    if not these:
        return ()
    folder = content / FILES
    folder.mkdir()
    rows = [_row(each, _copied(each, kept, folder)) for each in these]
    (content / INDEX).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return tuple(_told(rows))


def _copied(each: Exhibit, kept: Attachments, folder: Path) -> str:
    """Empty when the very bytes that were sealed lie in the folder, else why not."""
    if each.erased:
        return "erased"
    try:
        (folder / each.attached.sha256).write_bytes(kept.read(each.attached.sha256))
    except InputRefused as fault:
        return fault.what
    return ""


def _row(each: Exhibit, missing: str) -> dict[str, object]:
    attached = each.attached
    return {
        "sha256": attached.sha256,
        "name": attached.name,
        "size": attached.size,
        "note": attached.note,
        "incident": attached.incident,
        "attached": {"by": attached.by, "at": rfc3339(attached.at), "entry": each.entry},
        "erased": _erasure(*each.erased) if each.erased else None,
        "missing": missing,
    }


def _erasure(entry: int, fact: facts.FileErased) -> dict[str, object]:
    return {"by": fact.by, "at": rfc3339(fact.at), "entry": entry, "reason": fact.reason}


def _told(rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    for row in rows:
        if row["missing"]:
            yield f"not in the bag: {row['name']} ({row['sha256']}): {row['missing']}"


# -- held against the seals --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the files of a bag are, beside what the journal sealed of them."""

    sound: int
    """Files whose bytes are those that were sealed."""
    erased: int
    """Files whose erasure is sealed, and which are not there."""
    missing: tuple[str, ...]
    """Files that the bag itself says it lacks, in words."""
    faults: tuple[Fault, ...]


def held(content: Path, sealed: Sequence[Exhibit], incidents: Collection[str]) -> Held:
    """Hold the files in a bag's content against all that its journal says was attached.

    Those of ``incidents`` must be there, unless their erasure is sealed or the index names them as missing; any other
    file must at least have been sealed. What lies there is hostile: nothing is opened but plain files, to be hashed.
    """
    rows, faults = _index(content / INDEX)
    kept = {each.attached.sha256: each for each in sealed if each.erased is None}
    gone = {each.attached.sha256: each for each in sealed if each.attached.sha256 not in kept}
    there = {file.name: file for file in (content / FILES).glob("*")}
    wrong = {name: _wrong(file, kept.get(name), gone.get(name)) for name, file in sorted(there.items())}
    faults += [Fault(what, where=f"{FILES}/{name}") for name, what in wrong.items() if what]
    owed = [each for each in kept.values() if each.attached.incident in incidents]
    absent = [each for each in owed if each.attached.sha256 not in there]
    told = {str(row.get("sha256")): str(row["missing"]) for row in rows if row.get("missing")}
    for each in absent:
        if each.attached.sha256 not in told:
            what = f"entry {each.entry} sealed it ({each.attached.name}), and it is not in the bag"
            faults.append(Fault(what, where=f"{FILES}/{each.attached.sha256}"))
    return Held(
        sound=sum(not what for what in wrong.values()),
        erased=sum(each.attached.incident in incidents for each in gone.values()),
        missing=tuple(
            f"{each.attached.name} ({each.attached.sha256}); the bag says: {told[each.attached.sha256]}"
            for each in absent
            if each.attached.sha256 in told
        ),
        faults=(*faults, *_misnamed(rows, sealed)),
    )


def _wrong(file: Path, kept: Exhibit | None, gone: Exhibit | None) -> str:
    """What is wrong with a file of the bag; empty when its bytes are those that were sealed."""
    if kept is None:
        if gone and gone.erased:
            return f"entry {gone.erased[0]} erased it ({gone.attached.name}), and yet it is here"
        return "no entry of the journal that can be read here sealed it"
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as fault:
        return f"it cannot be read: {fault.strerror}"
    with os.fdopen(opened, "rb") as bytes_of:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            return "it is no plain file"
        if hashlib.file_digest(bytes_of, "sha256").hexdigest() != kept.attached.sha256:
            return f"its bytes are not those that entry {kept.entry} sealed ({kept.attached.name})"
    return ""


def _index(file: Path) -> tuple[list[dict[str, object]], list[Fault]]:
    """The rows of a bag's index, none where nothing was attached; and what is wrong with it."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    except (OSError, ValueError, RecursionError):
        rows = None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows, []
    return [], [Fault("it cannot be read", where=INDEX)]


def _misnamed(rows: Sequence[Mapping[str, object]], sealed: Sequence[Exhibit]) -> Iterator[Fault]:
    """Rows of the index that say otherwise than the journal: the index is signed by nobody."""
    known = {each.entry: _row(each, "") for each in sealed}
    for number, row in enumerate(rows, 1):
        attached = row.get("attached")
        entry = attached.get("entry") if isinstance(attached, dict) else None
        wanted = known.get(entry) if isinstance(entry, int) else None
        if wanted is None:
            yield Fault(
                "no entry of the journal that can be read here says this", where=f"{INDEX}, row {number}"
            )
        elif wanted != {**row, "missing": ""}:
            yield Fault(f"it says otherwise than entry {entry}", where=f"{INDEX}, row {number}")
