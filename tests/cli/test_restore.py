"""A box is made again from its backup: what was closed is closed, and nothing of a bad backup is put in place."""

import io
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.adapters.clock import SystemClock
from rempart.adapters.journal import Journal, verify_file
from rempart.cli.restore import _cut
from rempart.config import Places
from rempart.engine.facts import BoxRestored, body_of, kind_of
from rempart.engine.inputs import Seal, Started
from rempart.engine.state import Posture
from rempart.engine.step import Terms, step
from rempart.engine.tell import RETURNED
from rempart.errors import ExitCode
from rempart.instants import Instant, after, hours
from rempart.site import description
from rempart.station.policy import read_policy
from rempart.station.recall import facts_of, recall

NOW = Instant(1_795_000_000_000_000)
LATER = after(SystemClock().now(), hours(1))
SITE = (Path(__file__).parents[2] / "nightly" / "box" / "site.toml").read_text()


def places(folder: Path) -> Places:
    return Places(site=folder / "site.toml", state=folder / "state", run=folder / "run", rules=())


@pytest.fixture
def box(tmp_path: Path) -> Places:
    """A box that has lived: a site, a journal that holds a cut, accounts and masks."""
    here = places(tmp_path / "box")
    here.site.parent.mkdir()
    here.site.write_text(SITE)
    with closing(Journal.open(here.journal, here.keys, origin="rempart/nightly", now=NOW)) as journal:
        _cut(journal, description.parse(SITE, "site.toml"), NOW, "Anne", "an attack")
    with closing(sqlite3.connect(here.accounts)) as accounts:
        accounts.execute("CREATE TABLE kept (kind TEXT)")
    here.masks.write_bytes(b"m" * 32)
    here.attachments.mkdir()
    (here.attachments / "0f").write_bytes(b"a photograph")
    return here


def backed_up(box: Places, out: Path, *more: str) -> Path:
    assert main(["backup", "--site", str(box.site), "--state", str(box.state), "--out", str(out), *more]) == 0
    return out


def restore(file: Path, to: Places, *more: str) -> int:
    words = ["restore", str(file), "--by", "Bert", "--site", str(to.site), "--state", str(to.state), *more]
    return main(words)


def posture(box: Places) -> Posture:
    with closing(Journal.read(box.journal)) as journal:
        return recall(journal, description.parse(box.site.read_text(), "site.toml")).posture


def test_with_its_keys_the_journal_goes_on_closed_and_under_a_new_key(box: Places, tmp_path: Path) -> None:
    file = backed_up(box, tmp_path / "b", "--keys")
    assert file.stat().st_mode & 0o777 == 0o600
    new = places(tmp_path / "new")
    new.site.parent.mkdir()
    assert restore(file, new) == ExitCode.OK
    assert (new.site.read_text(), new.masks.read_bytes()) == (SITE, b"m" * 32)
    assert (new.attachments / "0f").read_bytes() == b"a photograph"
    assert posture(new) is Posture.CONTAINED
    verdict = verify_file(new.journal)
    assert verdict.ok
    assert len(verdict.keys) == 2
    (old,), (key,) = (list(each.keys.glob("*.key")) for each in (box, new))
    assert old.name != key.name
    for secret in (new.journal, key, new.accounts, new.masks):
        assert not secret.stat().st_mode & 0o077
    assert restore(file, new) == ExitCode.USAGE, "a box that lives is not overwritten"


def test_the_dead_box_goes_on_in_a_journal_that_is_not_the_one(
    box: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was replaced, and comes back: both seal, each consistent in itself, and it is told which of them goes on."""
    new = places(tmp_path / "new")
    new.site.parent.mkdir()
    restore(backed_up(box, tmp_path / "b", "--keys"), new)
    (named,) = (line for line in capsys.readouterr().out.splitlines() if "--checkpoint" in line)
    note = named.rpartition(" ")[2]
    site = description.parse(SITE, "site.toml")
    for one in (box, new):
        with closing(Journal.open(one.journal, one.keys, origin="rempart/nightly", now=LATER)) as journal:
            _, commands = step(Terms(site, read_policy(None)), recall(journal, site), Started(LATER))
            for seal in (each for each in commands if isinstance(each, Seal)):
                journal.seal_all([(kind_of(fact), body_of(fact)) for fact in seal.facts], at=LATER)
            asked = recall(journal, site).alerts.get(RETURNED)
            assert (asked is not None) == (one is box), "the dead box asks, the one in its place does not"
        assert verify_file(one.journal).ok
    assert main(["verify", str(new.journal), "--checkpoint", note]) == ExitCode.OK
    assert main(["verify", str(box.journal), "--checkpoint", note]) == ExitCode.FOUND
    with closing(Journal.read(new.journal)) as journal:
        (made,) = (fact for fact in facts_of(journal) if isinstance(fact, BoxRestored))
    assert made.by == "Bert"


def test_without_keys_a_new_journal_begins_cut_beside_the_earlier_one(box: Places, tmp_path: Path) -> None:
    file = backed_up(box, tmp_path / "b")
    with tarfile.open(file) as tar:
        assert not [
            name for name in tar.getnames() if name.partition("/")[0] in ("keys", "accounts.db", "masks.key")
        ]
    new = places(tmp_path / "new")
    new.site.parent.mkdir()
    assert restore(file, new) == ExitCode.OK
    assert posture(new) is Posture.CONTAINED
    assert verify_file(new.journal).ok
    assert verify_file(new.journal.parent / "earlier" / "journal.db").root == verify_file(box.journal).root


def test_a_house_that_was_cut_since_the_backup_starts_cut(tmp_path: Path) -> None:
    calm = places(tmp_path / "box")
    calm.site.parent.mkdir()
    calm.site.write_text(SITE)
    Journal.open(calm.journal, calm.keys, origin="rempart/nightly", now=NOW).close()
    file = backed_up(calm, tmp_path / "b", "--keys")
    for name, more, wanted in (("as", (), Posture.NORMAL), ("cut", ("--contained",), Posture.CONTAINED)):
        new = places(tmp_path / name)
        new.site.parent.mkdir()
        assert restore(file, new, *more) == ExitCode.OK
        assert posture(new) is wanted
        assert verify_file(new.journal).ok


def rewritten(file: Path, **changed: bytes) -> Path:
    """The backup with members changed or added, and its list left as it is."""
    bad = file.with_name("bad")
    with tarfile.open(file) as whole, tarfile.open(bad, "w") as tar:
        members = {each.name: whole.extractfile(each).read() for each in whole}  # type: ignore[union-attr]
        for name, content in (members | changed).items():
            told = tarfile.TarInfo(name)
            told.size = len(content)
            tar.addfile(told, io.BytesIO(content))
    return bad


@pytest.mark.parametrize("name", ["site.toml", "journal.db", "../../evil", "keys/../../evil"])
def test_a_backup_that_was_changed_puts_nothing_in_place(box: Places, tmp_path: Path, name: str) -> None:
    bad = rewritten(backed_up(box, tmp_path / "b", "--keys"), **{name: b"something else"})
    new = places(tmp_path / "new")
    assert restore(bad, new) == ExitCode.USAGE
    assert not new.site.parent.exists()


def with_env(box: Places, text: str, out: Path) -> Path:
    box.site.with_name("console.env").write_text(text)
    return backed_up(box, out, "--keys")


def test_where_the_pages_are_comes_back(box: Places, tmp_path: Path) -> None:
    shipped = (Path(__file__).parents[2] / "packaging" / "console.env").read_text()
    new = places(tmp_path / "new")
    assert restore(with_env(box, shipped, tmp_path / "b"), new) == ExitCode.OK
    assert new.site.with_name("console.env").read_text() == shipped


@pytest.mark.parametrize(
    "line",
    [
        "PYTHONPATH=/var/lib/rempart/guard/attachments",
        "LD_PRELOAD=/tmp/x.so",
        " PYTHONPATH=/x",
        "export PYTHONPATH=/x",
        'CONSOLE="--port 1\nPYTHONPATH=/x"',
        "# remark\rPYTHONPATH=/x",
        "CONSOLE=--port 1 \\",
        "CONSOLE=$(id)",
    ],
)
def test_no_backup_tells_the_guard_what_to_run(
    box: Places, tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    new = places(tmp_path / "new")
    assert restore(with_env(box, f"CONSOLE=--port 8420\n{line}\n", tmp_path / "b"), new) == ExitCode.OK
    assert "console.env was left out" in capsys.readouterr().out
    assert not new.site.with_name("console.env").exists()


def test_a_hole_of_gigabytes_is_no_file_of_a_backup(tmp_path: Path) -> None:
    hole = tarfile.TarInfo("site.toml")
    hole.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(hole.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"%011o\0" % (1 << 31)
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * ord(" "))
    (tmp_path / "b").write_bytes(bytes(block) + bytes(2 * tarfile.BLOCKSIZE))
    assert restore(tmp_path / "b", places(tmp_path / "new")) == ExitCode.USAGE


def test_a_broken_journal_is_neither_backed_up_nor_overwritten(
    box: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(box.journal)) as db:
        db.execute("DROP TRIGGER entries_stand")
        db.execute("UPDATE entries SET entry = x'7b7d' WHERE number = 2")
        db.commit()
    words = ["backup", "--site", str(box.site), "--state", str(box.state), "--out", str(tmp_path / "b")]
    assert main(words) == ExitCode.FOUND
    assert "does not verify" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()
