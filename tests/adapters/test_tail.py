"""Following files: lines in are lines out, whatever happens to the file meanwhile."""

import logging
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rempart.adapters.collect import tail
from rempart.adapters.collect.tail import MAX_LINE, Follower, Position
from rempart.events.joining import Joining


def write(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def drain(follower: Follower) -> list[tuple[int, bytes]]:
    """All that has come, however many reads it takes (a rotation takes two)."""
    lines: list[tuple[int, bytes]] = []
    quiet = 0
    while quiet < 3:
        read = follower.read()
        lines += zip(read.numbers, read.bodies, strict=True) if read else ()
        quiet = 0 if read else quiet + 1
    return lines


def resumed(follower: Follower, *, joined: bool = False) -> Follower:
    """Another process, with the position as it was kept on disk."""
    kept = follower.position
    follower.close()
    return Follower(follower.path, kept, joined=joined)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def test_a_file_that_does_not_exist_yet_and_a_line_that_comes_in_parts(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    follower = Follower(log)
    assert drain(follower) == []
    assert "tried again" in caplog.text
    write(log, b"one\ntw")
    assert drain(follower) == [(1, b"one")]
    write(log, b"o\n\nfour\r\n")
    assert drain(follower) == [(2, b"two"), (3, b""), (4, b"four\r")]
    assert caplog.text.count("tried again") == 1
    follower.close()


def test_reading_goes_on_where_it_stood_and_a_begun_line_is_read_whole(log: Path) -> None:
    write(log, b"one\ntw")
    follower = Follower(log)
    drain(follower)
    write(log, b"o\n")
    follower = resumed(follower)
    assert drain(follower) == [(2, b"two")]
    follower.close()


@pytest.mark.parametrize("restart", [False, True])
def test_renamed_the_old_is_finished_first_and_numbers_go_on(log: Path, restart: bool) -> None:
    write(log, b"1 a\n2 b\n")
    follower = Follower(log)
    drain(follower)
    with log.open("ab") as held:
        held.write(b"3 c\n")
        held.flush()
        log.rename(log.with_name("access.log.1"))
        write(log, b"5 e\n")
        if restart:
            follower = resumed(follower)
        assert drain(follower) == [(3, b"3 c"), (4, b"5 e")]
        held.write(b"4 d, written by a process not yet told\n")
    assert drain(follower) == [(5, b"4 d, written by a process not yet told")]
    follower = resumed(follower)
    write(log, b"6 f\n")
    assert drain(follower) == [(6, b"6 f")]
    follower.close()


@pytest.mark.parametrize("restart", [False, True])
def test_copied_and_truncated_the_copy_is_finished_first(log: Path, restart: bool) -> None:
    write(log, b"1 a\n2 b\n")
    follower = Follower(log)
    drain(follower)
    write(log, b"3 c\n4 d")
    shutil.copy(log, log.with_name("access.log.1"))
    os.truncate(log, 0)
    write(log, b"5 e, longer than all that was there before it\n")
    if restart:
        follower = resumed(follower)
    assert drain(follower) == [(3, b"3 c"), (4, b"5 e, longer than all that was there before it")]
    follower.close()


def test_truncated_without_a_copy_is_said(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(log, b"1 a\n2 b\n")
    follower = Follower(log)
    drain(follower)
    os.truncate(log, 0)
    write(log, b"3 c\n")
    assert drain(follower) == [(3, b"3 c")]
    assert "truncated after byte 8" in caplog.text
    follower.close()


def test_deleted_and_made_again(log: Path) -> None:
    write(log, b"1 a\n2 b\nhalf")
    follower = Follower(log)
    drain(follower)
    log.unlink()
    assert drain(follower) == []
    write(log, b"3 c\n")
    assert drain(follower) == [(3, b"3 c")]
    follower.close()


def test_deleted_while_nobody_watched_is_said(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(log, b"1 a\n2 b\n")
    follower = Follower(log)
    drain(follower)
    log.unlink()
    write(log, b"3 c\n")
    follower = resumed(follower)
    assert drain(follower) == [(3, b"3 c")]
    assert "is gone" in caplog.text
    follower.close()


def test_a_file_that_left_is_let_go_after_a_while_with_its_last_half_line(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(log, b"1 a\nhalf")
    follower = Follower(log)
    drain(follower)
    log.rename(log.with_name("access.log.1"))
    write(log, b"3 c\n")
    assert drain(follower) == [(2, b"3 c")]
    monkeypatch.setattr(tail, "_LINGER", -1.0)
    assert drain(follower) == [(3, b"half")]
    assert len(msgspec.json.decode(follower.position, type=Position).places) == 1
    follower.close()


def test_a_line_too_long_is_cut_counted_and_does_not_fill_the_memory(log: Path) -> None:
    follower = Follower(log)
    write(log, b"1\n" + b"x" * (MAX_LINE * 3))
    read = follower.read()
    assert read
    assert [len(body) for body in read.bodies] == [1, MAX_LINE]
    assert read.cut == 1
    write(log, b"y" * (MAX_LINE * 20))
    follower = resumed(follower)
    assert drain(follower) == []
    write(log, b"z\n3\n" + b"x" * MAX_LINE + b"\n" + b"w" * (MAX_LINE + 1) + b"\n")
    lines = drain(follower)
    assert [(number, len(body)) for number, body in lines] == [(3, 1), (4, MAX_LINE), (5, MAX_LINE)]
    follower.close()


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("restart", [True, False])
def test_utf_16_is_given_in_utf_8_however_it_comes(log: Path, order: str, restart: bool) -> None:
    said = ["é\u0a0a\u0a00", "", "\U0001d4b3", "last"]
    data = ("\ufeff" + "\n".join(said) + "\nbegun").encode(f"utf-16-{order}")
    follower = Follower(log)
    found: list[tuple[int, bytes]] = []
    for place in range(len(data)):
        write(log, data[place : place + 1])
        found += drain(follower)
        follower = resumed(follower) if restart else follower
    assert found == list(enumerate((each.encode() for each in said), 1))
    log.write_bytes(b"plain\n")
    begun = [] if restart else [b"begun"]  # what was not given yet is gone with the file
    assert drain(follower) == list(enumerate([*begun, b"plain"], 5))
    follower.close()


def test_a_line_of_utf_16_too_long_is_cut_at_a_whole_letter(log: Path) -> None:
    write(log, ("\ufeff" + "é" * MAX_LINE).encode("utf-16-le")[:-1])
    follower = Follower(log)
    ((_, cut),) = drain(follower)
    assert cut.decode() == "é" * (MAX_LINE // 2)
    write(log, b"\0" + "skipped\nnext\n".encode("utf-16-le"))
    assert drain(follower) == [(2, b"next")]
    follower.close()


def test_what_is_no_file_is_said_and_harmless(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        follower = Follower(path)
        assert drain(follower) == []
        follower.close()
    assert caplog.text.count("tried again") == 2


def test_idle_files_are_not_told_about(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(log, b"one\n")
    follower = Follower(log)
    with caplog.at_level(logging.DEBUG):
        drain(follower)
        drain(follower)
    assert caplog.text == ""
    follower.close()


_LINE = st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"."))


CALL = b'type=SYSCALL msg=audit(1.000:%d): syscall=59 success=yes exe="/bin/a"'
RAN = b'type=EXECVE msg=audit(1.000:%d): a0="a"'
TITLE = b'type=PROCTITLE msg=audit(1.000:%d): proctitle="a"'


@pytest.mark.parametrize("restart", [False, True])
def test_records_of_one_call_wait_for_one_another(log: Path, restart: bool) -> None:
    follower = Follower(log, joined=True)
    write(log, TITLE % 0 + b"\n" + CALL % 1 + b"\n")
    assert drain(follower) == [(1, TITLE % 0)]
    if restart:
        follower = resumed(follower, joined=True)
    write(log, RAN % 1 + b"\n" + (TITLE % 1)[:9])
    assert drain(follower) == []
    write(log, (TITLE % 1)[9:] + b"\n")
    together = b"\n".join((CALL % 1, RAN % 1, TITLE % 1))
    assert drain(follower) == [(2, together), (3, RAN % 1), (4, TITLE % 1)]
    follower.close()


def test_records_do_not_wait_for_long(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_HOLD", 0.0)
    follower = Follower(log, joined=True)
    write(log, CALL % 1 + b"\n" + RAN % 1 + b"\nhalf")
    assert drain(follower) == [(1, CALL % 1 + b"\n" + RAN % 1), (2, RAN % 1)]
    write(log, b" a line\n")
    assert drain(follower) == [(3, b"half a line")]
    follower.close()


@pytest.mark.parametrize("restart", [False, True])
def test_waiting_records_are_given_before_those_of_the_next_file(log: Path, restart: bool) -> None:
    follower = Follower(log, joined=True)
    write(log, CALL % 1 + b"\n")
    assert drain(follower) == []
    log.rename(log.with_name("access.log.1"))
    write(log, TITLE % 2 + b"\n")
    if restart:
        follower = resumed(follower, joined=True)
    follower.read()
    for file in follower._files:
        file._grown -= tail._LINGER
    assert [body for _, body in drain(follower)] == [CALL % 1, TITLE % 2]
    follower.close()


def test_rows_know_their_columns_after_a_restart_and_a_rotation(log: Path) -> None:
    header = b"#separator \\x09\n#path\t%b\n#fields\tname\n#types\tstring\n"
    told = [b"#path\t%b\n#fields\tname\n#types\tstring\n" % path for path in (b"weird", b"dns")]
    follower = Follower(log, joined=True)
    write(log, header % b"weird" + b"one\n")
    assert drain(follower)[-1] == (5, told[0] + b"one")
    follower = resumed(follower, joined=True)
    write(log, b"two\n")
    assert drain(follower) == [(6, told[0] + b"two")]
    log.rename(log.with_name("access.log.1"))
    write(log, header % b"dns" + b"three\n")
    write(log.with_name("access.log.1"), b"last\n")
    follower = resumed(follower, joined=True)
    assert drain(follower) == [
        (7, told[0] + b"last"),
        *enumerate((header % b"dns").splitlines(), 8),
        (12, told[1] + b"three"),
    ]
    follower.close()


def _numbered(number: int, line: bytes) -> bytes:
    """The line with its number; some are records of a call that is told by five lines."""
    kind = (b"SYSCALL", b"EXECVE", b"PATH", b"PROCTITLE", b"USER_CMD")[number % 5]
    return b"type=%b msg=audit(1.000:%d): n=%d %b" % (kind, number // 5, number, line)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@example(
    steps=[("write", [b""] * 3), ("read", []), ("write", [b""] * 3), ("rename", []), ("write", [b""])],
    joined=True,
)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.lists(_LINE, min_size=1, max_size=5)),
            st.sampled_from([("rename", None), ("copytruncate", None), ("restart", None), ("read", None)]),
        ),
        max_size=25,
    ),
    joined=st.booleans(),
)
def test_lines_in_are_lines_out(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[tuple[str, list[bytes]]],
    joined: bool,
) -> None:
    """Any lines, any rotations: each line comes out once, in order, with its number."""
    monkeypatch.setattr(tail, "_HOLD", 0.0)
    log = tmp_path_factory.mktemp("log") / "a.log"
    follower = Follower(log, joined=joined)
    written: list[bytes] = []
    read: list[tuple[int, bytes]] = []
    rotations = 0
    begun = known = False  # the file at the path has lines; some of them were read
    for step, lines in [*steps, ("read", [])]:
        if step == "write":
            numbered = [_numbered(len(written) + place, line) for place, line in enumerate(lines)]
            written += numbered
            write(log, b"".join(line + b"\n" for line in numbered))
            begun = True
        elif step == "restart":
            follower = resumed(follower, joined=joined)
        elif step == "read":
            read += drain(follower)
            known = begun
        elif log.exists():
            if not known:  # a file that came and went between two looks cannot be seen by anybody
                read += drain(follower)
            begun = known = False
            rotations += 1
            if step == "rename":
                log.rename(log.with_name(f"a.log.{rotations}"))
            else:
                shutil.copy(log, log.with_name(f"a.log.{rotations}"))
                os.truncate(log, 0)
    follower.close()
    assert [(number, body.partition(b"\n")[0]) for number, body in read] == list(enumerate(written, 1))


def test_lines_that_cannot_be_joined_are_kept_each_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Joining, lines: list[bytes]) -> list[bytes]:
        raise KeyError(lines[0].decode())

    log = tmp_path / "audit.log"
    log.write_bytes(b"type=LOGIN secret\ntype=LOGIN second\n")
    monkeypatch.setattr(Joining, "joined", broken)
    monkeypatch.setattr(Joining, "unfinished", lambda *_: 0)
    read = Follower(log, joined=True).read()
    assert read is not None
    assert read.bodies == [b"type=LOGIN secret", b"type=LOGIN second"]
    assert "each for itself: KeyError" in caplog.text
    assert "secret" not in caplog.text
