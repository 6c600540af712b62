"""Disk space that the journal holds in advance, so that containing is sealed when the disk is full (ADR 0005)."""

import os
import sqlite3
from pathlib import Path

PAGE = 4096
ROOM = 1024
"""Free pages held inside the journal's file, and pages of WAL written once: 4 MiB each, some thousands of entries."""

RESERVE = 8 << 20
"""Bytes of the reserve file, given up when the disk is full and the held pages cannot be used."""


class Room:
    """Room inside the SQLite file and its WAL, and a reserve file beside them.

    Free pages inside the file need no block from the file system: nobody else can take them between two seals.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._reserve = path.with_name(path.name + "-reserve")

    def give_up_reserve(self) -> bool:
        """Give the reserve file's blocks back to the file system; False when there is none left."""
        try:
            self._reserve.unlink()
        except FileNotFoundError:
            return False
        return True

    def make_way(self) -> None:
        """Before SQLite makes a new WAL: on a full disk, give up the reserve for it."""
        if self._spare() < 3 * ROOM * PAGE:
            self.give_up_reserve()

    def prepare(self, db: sqlite3.Connection) -> None:
        """With a new WAL: write through it once, so that it has its blocks, and stock up."""
        db.execute("DELETE FROM room")  # a kill during an earlier pass
        if free := _free_pages(db):
            _pass_through(db, min(free - 1, ROOM))
        self.stock(db)

    def stock(self, db: sqlite3.Connection) -> None:
        """Bring free pages and reserve back to full size if the disk has ample space; otherwise leave things alone.

        Ample, because pages that fit the WAL but not the file afterwards would block the WAL.
        """
        if _free_pages(db) < ROOM // 2 and self._spare() > 3 * ROOM * PAGE:
            _pass_through(db, ROOM)
        if not self._reserve.exists() and self._spare() > 4 * RESERVE:
            self._make_reserve()

    def _make_reserve(self) -> None:
        file = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, RESERVE)
        finally:
            os.close(file)

    def _spare(self) -> int:
        """Bytes that this process may still allocate on the journal's file system."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize


def _free_pages(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])


def _pass_through(db: sqlite3.Connection, pages: int) -> None:
    """Allocate so many pages and free them again; the file and the WAL keep the blocks."""
    db.execute("INSERT INTO room VALUES (zeroblob(?))", (pages * (PAGE - 4),))
    db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    db.execute("PRAGMA secure_delete = OFF")  # they hold zeros already: writing them again doubles the time
    db.execute("DELETE FROM room")
    db.execute("PRAGMA secure_delete = ON")
    db.execute("PRAGMA wal_checkpoint(PASSIVE)")
