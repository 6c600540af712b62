"""The journal as two text files that anybody can read: journal.jsonl and checkpoints.jsonl."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from rempart.adapters.journal.file import UNREADABLE, notes, reading, records
from rempart.adapters.journal.tail import broken, malformed
from rempart.edge import whole
from rempart.errors import InputRefused
from rempart.evidence import canonical, entry
from rempart.evidence.entry import Record
from rempart.evidence.verify import Fault, Verdict, verify

ENTRIES = "journal.jsonl"
CHECKPOINTS = "checkpoints.jsonl"


def export(path: Path, folder: Path, *, bodies: Collection[int] | None = None) -> list[Path]:
    """Write the journal at ``path`` as text into ``folder``, which is created; returns the files written.

    Every entry is written; of the bodies only those of the numbers in ``bodies`` (None: all), so that a reader gets
    what concerns him and can still verify the whole chain. The journal's own bodies are always there.
    Raises `JournalBroken` and names the entry or the page that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with reading(path) as db:
        try:
            return [
                _write(folder / ENTRIES, (_line(path, record, bodies) for record in records(db))),
                _write(folder / CHECKPOINTS, (canonical.encode({"note": note}) for note in notes(db))),
            ]
        except UNREADABLE as error:
            raise malformed(db, path, error) from error


def verify_exported(folder: Path, *, trusted: Sequence[str] = (), witnessed: Sequence[str] = ()) -> Verdict:
    """Check an exported journal. Raises `InputRefused` when one of its two files is missing or cannot be read."""
    lines = _Lines()
    kept = [_note(value) for _, value in lines.read(folder / CHECKPOINTS)]
    return verify(lines.records(folder / ENTRIES), kept, trusted=trusted, witnessed=witnessed).also(
        lines.faults
    )


class _Lines:
    """Reads canonical lines; one that is not becomes a fault, and the entry in it is missing."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def read(self, file: Path) -> Iterator[tuple[int, Any]]:
        """Each line's number and value."""
        try:
            with file.open("rb") as opened:
                for number, line in enumerate(opened, 1):
                    try:
                        yield number, canonical.decode(line.removesuffix(b"\n"))
                    except canonical.NotCanonical as error:
                        self.faults.append(Fault(str(error), where=f"{file.name}, line {number}"))
        except OSError as error:
            raise InputRefused(
                f"cannot be read: {error.strerror}",
                where=str(file),
                now="Copy the whole exported folder again.",
            ) from error

    def records(self, file: Path) -> Iterator[Record]:
        """Each line's entry."""
        for number, value in self.read(file):
            try:
                yield _record(value)
            except (LookupError, TypeError, ValueError) as error:
                self.faults.append(Fault(f"no entry: {error!r}", where=f"{file.name}, line {number}"))


def _record(value: Any) -> Record:
    number = value["entry"]["number"]
    if not isinstance(number, int):
        raise TypeError("number")
    salt, body = value.get("salt"), value.get("body")
    return Record(
        number,
        canonical.encode(value["entry"]),
        None if salt is None else _unhex(salt),
        None if body is None else canonical.encode(body),
        withheld=value.get("withheld") is True,
    )


def _note(value: Any) -> str:
    """The note in a line; nothing when there is none, which `verify` then calls malformed."""
    note = value.get("note") if isinstance(value, dict) else None
    return note if isinstance(note, str) else ""


def _unhex(text: str) -> bytes:
    """The bytes of lower-case hexadecimal: another way to write them would be a change that goes unseen."""
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise ValueError("not lower-case hexadecimal")
    return data


def _line(path: Path, record: Record, bodies: Collection[int] | None) -> bytes:
    try:
        return canonical.encode(_shown(record, bodies))
    except canonical.NotCanonical as error:
        raise broken(path, f"its bytes are no entry: {error}", record.number) from error


def _shown(record: Record, bodies: Collection[int] | None) -> dict[str, Any]:
    read = canonical.decode(record.entry)
    if record.salt is None or record.body is None:
        return {"entry": read}
    shown = bodies is None or record.number in bodies or read["kind"] in entry.LASTING
    if not shown:
        return {"entry": read, "withheld": True}
    return {"entry": read, "salt": record.salt.hex(), "body": canonical.decode(record.body)}


def _write(file: Path, lines: Iterator[bytes]) -> Path:
    """Written beside and renamed, so that a full disk leaves no half file under the name."""
    whole.put_parts(file, (line + b"\n" for line in lines), mode=0o644)
    return file
