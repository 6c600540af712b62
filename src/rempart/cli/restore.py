"""``rempart restore``: makes an empty box the one that a backup was made of, closed where that one was closed."""

import argparse
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rempart.adapters.clock import SystemClock
from rempart.adapters.journal import Journal
from rempart.config import RUN, SITE, STATE, Places
from rempart.engine.facts import BoxRestored, body_of, kind_of
from rempart.engine.inputs import Ordered, Seal
from rempart.engine.orders import Contain
from rempart.engine.step import Terms, step
from rempart.errors import ExitCode, InputRefused
from rempart.instants import Instant
from rempart.site import description
from rempart.site.belgian_time import belgian
from rempart.site.site import Site
from rempart.station import backup
from rempart.station.backup import Backup
from rempart.station.policy import read_policy
from rempart.station.recall import recall
from rempart.station.users import choose


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart restore``."""
    parser = verbs.add_parser(
        "restore",
        help="make an empty box the one that a backup was made of",
        description="The journal is verified first, and nothing is overwritten. What was closed is closed; what was "
        "decided after the backup is not known to it: when the house was cut since then, give --contained. A backup "
        "without keys starts cut, with a journal of its own; the earlier one is kept beside it. A new signing key "
        "is put in force, so that the dead box's, should it come back, continues nothing. "
        "exit codes: 0 restored, 1 the journal does not verify, 2 the backup cannot be used or the box is not empty.",
    )
    parser.add_argument("backup", type=Path, metavar="FILE", help="made by rempart backup")
    parser.add_argument("--by", required=True, metavar="NAME", help="who restores")
    parser.add_argument("--contained", action="store_true", help="start cut, whatever the backup says")
    parser.add_argument("--site", type=Path, default=SITE, metavar="FILE", help="site.toml (%(default)s)")
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="the state (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Restore, and say what holds now."""
    now = SystemClock().now()
    places = Places(site=arguments.site, state=arguments.state, run=RUN, rules=())
    kept = backup.read(arguments.backup)
    text = kept.contents["site.toml"].decode(errors="replace")
    site = description.parse(text, f"{arguments.backup}, site.toml")
    for line in restored(kept, site, places, now, by=arguments.by, contained=arguments.contained):
        print(line)
    print("Next: rempart site check, then: systemctl enable --now $(rempart units)")
    return ExitCode.OK


def restored(
    kept: Backup, site: Site, places: Places, now: Instant, *, by: str, contained: bool
) -> Iterator[str]:
    """Put everything in its place and continue the journal. Raises `InputRefused` before anything is written."""
    where = _destinations(kept, places)
    if taken := [path for path in where if path.exists()]:
        raise InputRefused(
            "this box is not empty: it has one already",
            where=str(taken[0]),
            now="Restore to a new box, or move these files away by hand first.",
        )
    owner = _owner()
    for path, content in where.items():
        backup.put(
            path,
            content,
            owner if path.is_relative_to(places.journal.parent) else (os.geteuid(), os.getegid()),
        )
    places.site.chmod(0o644)
    made = belgian(kept.listed.made)
    if other := backup.foreign(kept):
        yield f"console.env was left out: {other[:80]!a} is not where the pages are; write what you need of it by hand"
    yield f"restored {kept.listed.site} as it was on {made}: {kept.listed.entries} entries, verified"
    with closing(Journal.open(places.journal, places.keys, origin=f"rempart/{site.id}", now=now)) as journal:
        if kept.listed.keys:
            yield f"the journal goes on under a new signing key {journal.rotate_key(at=now)}"
        else:
            yield f"the backup has no keys: a new journal begins; the earlier one is {_earlier(places)}"
        _noted(journal, kept, now, by)
        if contained or not kept.listed.keys:
            _cut(journal, site, now, by, f"restored from the backup of {made}")
        yield f"the site starts {recall(journal, site).posture.value}"
        witness = places.journal.with_name("restored.note")
        backup.put(witness, journal.checkpoint(at=now).note.encode(), owner)
        yield f"if the box before comes back, its journal does not verify with --checkpoint {witness}"
    _give(places.journal.parent, owner)


def _destinations(kept: Backup, places: Places) -> dict[Path, bytes]:
    where = dict(backup.homed(kept, places))
    if not kept.listed.keys:
        where[_earlier(places)] = where.pop(places.journal)
    return where


def _earlier(places: Places) -> Path:
    return places.journal.with_name("earlier") / "journal.db"


def _noted(journal: Journal, kept: Backup, now: Instant, by: str) -> None:
    """Seal who made this box of what: from here on it is the one, and the one before is not."""
    fact = BoxRestored(at=now, made=kept.listed.made, entries=kept.listed.entries, by=by)
    journal.seal(kind_of(fact), body_of(fact), at=now)


def _cut(journal: Journal, site: Site, now: Instant, by: str, reason: str) -> None:
    """Seal the cut as the guard would have: the box loads it at boot, before the network is up."""
    terms = Terms(site, read_policy(None))
    _, commands = step(terms, recall(journal, site), Ordered(now, Contain(by=by, reason=reason)))
    for command in commands:
        if isinstance(command, Seal):
            journal.seal_all([(kind_of(fact), body_of(fact)) for fact in command.facts], at=now)


def _owner() -> tuple[int, int]:
    guard = choose().guard
    return guard.uid, guard.gid


def _give(folder: Path, owner: tuple[int, int]) -> None:
    """The journal, its keys and what SQLite made beside it belong to the guard."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, *owner)
