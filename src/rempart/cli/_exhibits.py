"""Exhibits: the files attached to an incident, as its evidence bag carries them, with what the journal says of each."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rempart.adapters.attachments import Attachments
from rempart.engine import facts
from rempart.engine.facts import AnyFact
from rempart.errors import InputRefused
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


def exhibits(read: Mapping[int, AnyFact | None], incidents: Collection[str]) -> tuple[Exhibit, ...]:
    """The files attached to these incidents, from all facts of a journal by the numbers of their entries."""
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
