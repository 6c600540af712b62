"""The journal on disk: sealing, reopening, erasing, rotating; kills, full and stalled disks."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from rempart.adapters.journal import Journal, verify_exported, verify_file
from rempart.adapters.journal.writer import KEEP_EVERY
from rempart.errors import InputRefused, JournalBroken, JournalUnwritable, OrderRefused
from rempart.evidence.checkpoint import VerifierKey
from rempart.instants import Instant

ORIGIN = "rempart.example/home"
NOW = Instant(1_790_000_000_000_000)


def opened(folder: Path) -> Journal:
    return Journal.open(folder / "guard" / "journal.db", folder / "guard" / "keys", origin=ORIGIN, now=NOW)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = opened(tmp_path)
    yield made
    made.close()


def test_what_is_sealed_is_read_again(journal: Journal, tmp_path: Path) -> None:
    first = journal.seal("posture", {"posture": "contained", "by": "é\x1b[31m<b>"}, at=NOW)
    last = journal.seal_all([("done", {"n": 1}), ("done", {"n": 2})], at=NOW, late=True)
    assert (first.number, last.number) == (2, 4)
    assert journal.head == (4, last.root)
    journal.close()
    again = opened(tmp_path)
    assert again.head == (4, last.root)
    read = list(again.entries(after=1))
    assert [(r.number, r.kind, r.late) for r in read] == [
        (2, "posture", False),
        (3, "done", True),
        (4, "done", True),
    ]
    assert read[0].body == {"posture": "contained", "by": "é\x1b[31m<b>"}
    again.close()


def test_folders_and_files_are_the_owners_alone(journal: Journal, tmp_path: Path) -> None:
    guard = tmp_path / "guard"
    assert guard.stat().st_mode & 0o777 == 0o700
    assert (guard / "keys").stat().st_mode & 0o777 == 0o700
    files = [file for file in guard.rglob("*") if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_the_settings_that_durability_hangs_on(journal: Journal) -> None:
    ask = journal._db.execute
    assert ask("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ask("PRAGMA synchronous").fetchone() == (2,)
    assert ask("PRAGMA secure_delete").fetchone() == (1,)


def test_relieved_the_journal_writes_its_wal_anew(journal: Journal) -> None:
    def times_begun() -> int:
        """The checkpoint sequence number of the WAL's header (sqlite.org/fileformat2.html, 4.1)."""
        wal = journal.path.with_name(journal.path.name + "-wal")
        return int.from_bytes(wal.read_bytes()[12:16], "big")

    journal.seal("opening.stood", {"number": 1}, at=NOW)
    journal.seal("opening.stood", {"number": 2}, at=NOW)
    begun = times_begun()
    journal.relieve()
    assert times_begun() == begun + 1  # before anybody waits for a seal
    journal.seal("opening.stood", {"number": 3}, at=NOW)
    assert times_begun() == begun + 1
    assert [entry.number for entry in journal.entries(after=1)] == [2, 3, 4]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET entry = x'00' WHERE number = 1",
        "DELETE FROM entries WHERE number = 2",
        "INSERT INTO entries VALUES (9, x'00')",
        "UPDATE bodies SET body = x'00'",
        "DELETE FROM bodies WHERE number = 2",
        "INSERT INTO bodies VALUES (1, x'00', x'00')",
        "UPDATE checkpoints SET note = x'00'",
        "DELETE FROM checkpoints",
        "UPDATE erasures SET number = 7",
    ],
)
def test_triggers_refuse_to_change_what_is_sealed(journal: Journal, statement: str) -> None:
    journal.seal("posture", {}, at=NOW)
    journal.seal("note", {}, at=NOW)
    journal.erase(3, reason="a test", by="a tester", at=NOW)
    with pytest.raises(sqlite3.IntegrityError):
        journal._db.execute(statement)


def test_one_process_has_the_journal_open(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(JournalUnwritable, match="another process"):
        opened(tmp_path)


@pytest.mark.parametrize("kind", ["journal.key", "", "a b", "é", "x" * 65])
def test_kinds_that_are_not_ours_to_seal_are_refused(journal: Journal, kind: str) -> None:
    with pytest.raises(ValueError):
        journal.seal(kind, {}, at=NOW)
    assert journal.head[0] == 1


def test_a_body_that_has_no_canonical_form_seals_nothing(journal: Journal) -> None:
    with pytest.raises(ValueError):
        journal.seal_all([("fine", {}), ("not", {"x": 0.5})], at=NOW)
    assert journal.head[0] == 1
    assert journal.seal("fine", {}, at=NOW).number == 2


def test_an_erased_body_is_gone_from_the_disk_and_the_journal_verifies(
    journal: Journal, tmp_path: Path
) -> None:
    secret = "Marguerite Exemple, chambre 12"
    number = journal.seal("note", {"text": secret}, at=NOW).number
    journal.snapshot(secret.encode() * 3, at=NOW)
    journal.erase(number, reason="request of the person", by="privacy officer", at=NOW)
    assert next(journal.entries(number - 1)).body is None
    assert journal.latest_snapshot() is None
    verdict = verify_file(journal.path)
    assert verdict.ok
    assert verdict.erased == 2
    for file in (tmp_path / "guard").glob("journal.db*"):
        assert secret.encode() not in file.read_bytes()


def test_what_the_verifier_needs_is_never_erased(journal: Journal) -> None:
    number = journal.seal("note", {}, at=NOW).number
    erasure = journal.erase(number, reason="a test", by="a tester", at=NOW).number
    for kept in (1, erasure, number, 99):
        with pytest.raises(OrderRefused):
            journal.erase(kept, reason="a test", by="a tester", at=NOW)


def test_a_body_taken_away_without_an_erasure_is_reported(journal: Journal) -> None:
    number = journal.seal("note", {}, at=NOW).number
    journal.seal("note", {}, at=NOW)
    journal._db.executescript(f"DROP TRIGGER bodies_stay; DELETE FROM bodies WHERE number = {number}")
    verdict = verify_file(journal.path)
    assert verdict.first_bad == number
    assert "no entry erased it" in str(verdict.faults[0])


def test_the_fold_starts_at_the_last_snapshot_and_two_are_kept(journal: Journal) -> None:
    assert journal.latest_snapshot() is None
    for state in (b"one", b"two", b"three"):
        journal.snapshot(state, at=NOW)
        journal.seal("posture", {}, at=NOW)
    number, state = journal.latest_snapshot() or (0, b"")
    assert state == b"three"
    assert [e.kind for e in journal.entries(after=number)] == ["journal.erasure", "posture"]
    assert sum(1 for e in journal.entries() if e.kind == "journal.snapshot" and e.body) == 2
    assert verify_file(journal.path).ok


def test_a_new_key_is_vouched_for_by_the_old_one_which_is_gone(journal: Journal, tmp_path: Path) -> None:
    first = VerifierKey.parse(journal.key)
    second = journal.rotate_key(at=NOW)
    third = journal.rotate_key(at=NOW)
    journal.seal("posture", {}, at=NOW)
    assert [file.name for file in (tmp_path / "guard" / "keys").iterdir()] == [f"{third}.key"]
    verdict = verify_file(journal.path, trusted=[str(first)])
    assert verdict.ok
    assert [key.id.hex() for key in verdict.keys] == [first.id.hex(), second, third]
    journal.close()
    opened(tmp_path).close()


def test_a_checkpoint_that_left_the_box_holds_the_journal_to_it(journal: Journal, tmp_path: Path) -> None:
    journal.seal("posture", {}, at=NOW)
    left = journal.checkpoint(at=NOW)
    journal.seal("posture", {}, at=NOW)
    assert verify_file(journal.path, witnessed=[left.note]).ok
    other = opened(tmp_path / "other")
    for _ in range(4):
        other.seal("posture", {}, at=NOW)
    verdict = verify_file(other.path, witnessed=[left.note])
    other.close()
    assert not verdict.ok
    assert "not signed by" in str(verdict.faults[0])


def test_an_older_copy_of_the_file_is_unmasked_by_a_checkpoint_that_left(
    journal: Journal, tmp_path: Path
) -> None:
    journal.seal("posture", {}, at=NOW)
    journal.close()
    old = (tmp_path / "guard" / "journal.db").read_bytes()
    later = opened(tmp_path)
    later.seal("posture", {}, at=NOW)
    left = later.checkpoint(at=NOW)
    later.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes(old)
    assert verify_file(copy).ok
    verdict = verify_file(copy, witnessed=[left.note])
    assert verdict.first_bad == 3


def test_opening_checks_no_more_than_the_tail(journal: Journal, tmp_path: Path) -> None:
    for n in range(3 * KEEP_EVERY):
        journal.seal("posture", {"n": n}, at=NOW)
    journal.close()
    path = tmp_path / "guard" / "journal.db"
    with sqlite3.connect(path) as db:
        db.executescript("DROP TRIGGER entries_stand")
        db.execute(
            "UPDATE entries SET entry = CAST(replace(entry, 'posture', 'pasture') AS BLOB) WHERE number = 5"
        )
    db.close()
    opened(tmp_path).close()
    assert verify_file(path).first_bad == 5
    with sqlite3.connect(path) as db:
        db.execute(
            "UPDATE entries SET entry = CAST(replace(entry, 'posture', 'pasture') AS BLOB) WHERE number = 193"
        )
    db.close()
    with pytest.raises(JournalBroken, match="rempart verify"):
        opened(tmp_path)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_flipped_the_fold_is_true_or_refused(journal: Journal, tmp_path: Path, seed: int) -> None:
    """Also long before the tail: a body that went missing is no erasure, and no damage is a traceback."""
    for number in range(12):
        journal.seal_all([("done", {"n": number, "text": "x" * 300})] * 9, at=NOW)
    truth = list(journal.entries())
    size = journal._db.execute("PRAGMA page_size").fetchone()[0]
    places = [
        row[0] for row in journal._db.execute("SELECT pageno FROM dbstat WHERE name IN ('entries', 'bodies')")
    ]
    journal.close()
    clean = journal.path.read_bytes()
    chance = random.Random(seed)
    told: list[str] = []
    for _ in range(9):
        place = (chance.choice([1, *places]) - 1) * size + chance.choice(
            [0, 3, 5, 8, chance.randrange(size - 8)]
        )
        journal.path.write_bytes(
            clean[:place] + bytes(b ^ 0xFF for b in clean[place : place + 6]) + clean[place + 6 :]
        )
        try:
            with closing(opened(tmp_path)) as again:
                assert list(again.entries()) == truth
                again.export(tmp_path / "text")
        except (JournalBroken, InputRefused) as fault:
            told.append(fault.where)
            with suppress(InputRefused):
                assert not verify_file(journal.path).ok
    assert told
    assert all(str(journal.path) in where for where in told)


def test_a_journal_that_was_taken_away_is_not_quietly_begun_again(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    for file in (tmp_path / "guard").glob("journal.db*"):
        file.unlink()
    with pytest.raises(JournalBroken, match="gone or empty"):
        opened(tmp_path)


def test_another_origin_or_a_missing_key_is_told(journal: Journal, tmp_path: Path) -> None:
    journal.close()
    guard = tmp_path / "guard"
    with pytest.raises(JournalBroken, match=r"not of rempart\.example/other"):
        Journal.open(guard / "journal.db", guard / "keys", origin="rempart.example/other", now=NOW)
    next((guard / "keys").iterdir()).unlink()
    with pytest.raises(JournalBroken, match="private key"):
        opened(tmp_path)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "é", "x\n1\n"])
def test_an_origin_that_is_none_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(InputRefused):
        Journal.open(tmp_path / "journal.db", tmp_path / "keys", origin=origin, now=NOW)
    assert not list(tmp_path.iterdir())


def test_the_exported_form_verifies_with_bodies_withheld(journal: Journal, tmp_path: Path) -> None:
    for n in range(5):
        journal.seal("finding", {"n": n}, at=NOW)
    journal.erase(3, reason="a test", by="a tester", at=NOW)
    journal.snapshot(b"everything", at=NOW)
    files = journal.export(tmp_path / "bag" / "data", bodies=[2, 3])
    assert [file.name for file in files] == ["journal.jsonl", "checkpoints.jsonl"]
    verdict = verify_exported(tmp_path / "bag" / "data")
    assert verdict.ok
    assert (verdict.entries, verdict.erased, verdict.withheld) == (8, 1, 4)
    assert b"ZXZlcnl0aGluZw" not in files[0].read_bytes()


@pytest.mark.parametrize("step", [43, pytest.param(3, marks=pytest.mark.slow)])
def test_every_flipped_bit_of_an_export_is_found(journal: Journal, tmp_path: Path, step: int) -> None:
    for n in range(3):
        journal.seal("finding", {"n": n, "text": "é"}, at=NOW)
    journal.erase(2, reason="a test", by="a tester", at=NOW)
    for file in journal.export(tmp_path / "out", bodies=[3]):
        whole = file.read_bytes()
        for at in range(0, len(whole) * 8, step):
            flipped = bytearray(whole)
            flipped[at // 8] ^= 1 << at % 8
            file.write_bytes(flipped)
            assert not verify_exported(tmp_path / "out").ok, f"bit {at} of {file.name}"
        file.write_bytes(whole)
    assert verify_exported(tmp_path / "out").ok


def test_a_journal_opened_for_reading_stays_as_it_was_and_seals_nothing(journal: Journal) -> None:
    journal.seal("posture", {}, at=NOW)
    reading = Journal.read(journal.path)
    journal.seal("posture", {}, at=NOW)
    assert reading.head[0] == 2
    assert [recorded.number for recorded in reading.entries()] == [1, 2]
    for refused in (
        lambda: reading.seal("posture", {}, at=NOW),
        lambda: reading.checkpoint(at=NOW),
        lambda: reading.rotate_key(at=NOW),
        lambda: reading.erase(2, reason="a test", by="a tester", at=NOW),
    ):
        with pytest.raises(JournalUnwritable, match="for reading"):
            refused()
    reading.close()


# -- the world at its worst -------------------------------------------------------------------------------------

SEALER = """
import sys
from pathlib import Path
from rempart.adapters.journal import Journal
from rempart.instants import Instant
guard = Path(sys.argv[1])
journal = Journal.open(guard / "journal.db", guard / "keys", origin=sys.argv[2], now=Instant(1))
print(journal.head[0], flush=True)
n = 0
while True:
    n += 1
    if n % 7 == 0:
        sealed = journal.seal_all([("a", {"n": n}), ("b", {"n": n, "text": "x" * 300})], at=Instant(n))
    elif n % 13 == 0:
        sealed = journal.snapshot(b"state" * 5000, at=Instant(n))
    elif n % 17 == 0:
        journal.rotate_key(at=Instant(n)); sealed = journal.seal("r", {}, at=Instant(n))
    elif n % 19 == 0:
        sealed = journal.erase(sealed.number, reason="a test", by="a tester", at=Instant(n)) if n > 19 else sealed
    else:
        sealed = journal.seal("n", {"n": n}, at=Instant(n))
    print(sealed.number, flush=True)
"""
"""A guard that does nothing but seal, and says each number once it is sealed."""


def sealing(folder: Path, *before: str) -> "subprocess.Popen[str]":
    command = [*before, sys.executable, "-c", SEALER, str(folder / "guard"), ORIGIN]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_process_is_killed_at_any_instant(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    acknowledged = 0
    for _ in range(25):
        child = sealing(tmp_path)
        assert child.stdout is not None
        assert int(child.stdout.readline() or -1) >= acknowledged
        time.sleep(chance.uniform(0, 0.15))
        child.kill()
        acknowledged = max([acknowledged, *map(int, child.stdout.read().splitlines())])
        child.wait()
        child.stdout.close()
        verdict = verify_file(tmp_path / "guard" / "journal.db")
        assert verdict.ok, verdict.faults
        assert verdict.entries >= acknowledged
    journal = opened(tmp_path)
    assert journal.head[0] >= acknowledged
    assert len(list((tmp_path / "guard" / "keys").iterdir())) == 1
    journal.close()


@pytest.mark.slow
def test_killed_while_it_begins_it_begins_again(tmp_path: Path) -> None:
    chance = random.Random(7)
    for n in range(20):
        child = sealing(tmp_path / str(n))
        time.sleep(chance.uniform(0.1, 0.5))
        child.kill()
        child.communicate()
        journal = opened(tmp_path / str(n))
        assert verify_file(journal.path).ok
        journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "rempart-journal", disk], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def fill(disk: Path) -> Path:
    """Take every block that is left, as a runaway log would."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("ab", buffering=0) as opened_filler:
        while True:
            opened_filler.write(bytes(4096))
    assert os.statvfs(disk).f_bavail == 0
    return filler


@pytest.mark.lab
def test_on_a_full_disk_sealing_goes_on_in_the_room_held_for_it(small_disk: Path) -> None:
    journal = opened(small_disk)
    filler = fill(small_disk)
    reserve = small_disk / "guard" / "journal.db-reserve"
    for n in range(1_000):
        sealed = journal.seal("contained", {"n": n, "reason": "x" * 400}, at=NOW, late=True)
    assert sealed.number == 1_001
    assert reserve.exists(), "the pages held inside the file were enough"
    journal.checkpoint(at=NOW)
    journal.snapshot(b"state" * 10_000, at=NOW)
    assert verify_file(journal.path).ok
    journal.close()
    fill(small_disk)
    again = opened(small_disk)  # a restart on a full disk takes the reserve
    assert again.seal("contained", {}, at=NOW).number == 1_003
    fill(small_disk)
    assert again.seal("contained", {}, at=NOW).number == 1_004
    again.close()
    fill(small_disk)
    with pytest.raises(JournalUnwritable):  # a second restart, and the reserve is gone: it can still be read
        opened(small_disk)
    reading = Journal.read(small_disk / "guard" / "journal.db")
    assert reading.head[0] == 1_004
    reading.close()
    filler.unlink()
    once_more = opened(small_disk)
    assert reserve.exists()
    assert verify_file(once_more.path).late == 1_000
    once_more.close()


@pytest.mark.lab
def test_when_all_room_is_used_sealing_says_so_and_changes_nothing(small_disk: Path) -> None:
    journal = opened(small_disk)
    filler = fill(small_disk)

    def seal_on() -> None:
        for n in range(100_000):
            journal.seal("contained", {"n": n, "reason": "x" * 20_000}, at=NOW)
            fill(small_disk)

    with pytest.raises(JournalUnwritable, match="Free space"):
        seal_on()
    head = journal.head
    assert head[0] > 100
    assert [recorded.number for recorded in journal.entries()] == list(range(1, head[0] + 1))
    filler.unlink()
    assert journal.seal("contained", {}, at=NOW).number == head[0] + 1
    assert verify_file(journal.path).ok
    journal.close()


@pytest.mark.slow
def test_a_disk_that_stalls_holds_the_sealing_thread_and_nobody_else(tmp_path: Path) -> None:
    """The guard gives sealing 50 ms, contains, and lets it end: strace stalls every fsync for two seconds."""
    if shutil.which("strace") is None:
        pytest.skip("strace is missing: apt-get install strace")
    program = """
import sys, threading, time
from pathlib import Path
from rempart.adapters.journal import Journal
from rempart.instants import Instant
guard = Path(sys.argv[1])
journal = Journal.open(guard / "journal.db", guard / "keys", origin=sys.argv[2], now=Instant(1))
print("open", flush=True)
sys.stdin.readline()
begun, sealed = time.monotonic(), []
thread = threading.Thread(target=lambda: sealed.append(journal.seal("contained", {}, at=Instant(2), late=True)))
thread.start()
thread.join(0.05)
assert journal.head[0] == 1 and not sealed
print(time.monotonic() - begun, flush=True)
thread.join()
print(time.monotonic() - begun, flush=True)
journal.close()
"""
    command = [sys.executable, "-c", program, str(tmp_path / "guard"), ORIGIN]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdout.readline()
    stall = ["strace", "-f", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:delay_exit=2000000"]
    strace = subprocess.Popen([*stall, "-p", str(child.pid)], stderr=subprocess.PIPE, text=True)
    assert strace.stderr is not None
    attached = strace.stderr.readline()
    assert "attached" in attached
    out, _ = child.communicate("go\n", timeout=60)
    strace.communicate(timeout=60)
    assert child.returncode == 0
    waited, done = map(float, out.splitlines())
    assert waited < 1.5
    assert done > 2
    assert verify_file(tmp_path / "guard" / "journal.db").late == 1
