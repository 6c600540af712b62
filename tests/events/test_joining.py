"""Lines that are understood only with others get them."""

from rempart.events.decode import DECODERS
from rempart.events.joining import JOINED, Joining
from rempart.events.line import MAX_LINE

CALL = b'type=SYSCALL msg=audit(1.000:%d): arch=c000003e syscall=59 success=yes exe="/bin/a"'
RAN = b'type=EXECVE msg=audit(1.000:%d): a0="a"'
TITLE = b'type=PROCTITLE msg=audit(1.000:%d): proctitle="a"'
SIGN_IN = b"type=USER_LOGIN msg=audit(1.000:9): pid=1"


def test_there_are_decoders_for_what_is_joined() -> None:
    assert DECODERS.keys() >= JOINED


def test_a_call_waits_for_its_last_record_and_nothing_else_does() -> None:
    waiting = Joining().unfinished
    assert waiting([]) == waiting([SIGN_IN]) == waiting([RAN % 1]) == 0
    assert waiting([SIGN_IN, CALL % 1]) == 1
    assert waiting([SIGN_IN, CALL % 1, RAN % 1]) == 2
    assert waiting([CALL % 1, RAN % 1, TITLE % 1]) == 0
    assert waiting([CALL % 1, RAN % 1, b"type=EOE msg=audit(1.000:1):"]) == 0


def test_calls_between_one_another_wait_together() -> None:
    waiting = Joining().unfinished
    assert waiting([CALL % 1, CALL % 2, RAN % 2, TITLE % 2]) == 4
    assert waiting([CALL % 1, CALL % 2, RAN % 1, TITLE % 1]) == 3


def test_where_last_records_are_not_kept_nothing_waits_for_long() -> None:
    lines = [line % number for number in range(100) for line in (CALL, RAN)]
    assert Joining().unfinished(lines) <= 64


def test_machines_that_share_a_number_are_apart() -> None:
    call, other = (b"node=%b " % node + CALL % 1 for node in (b"a", b"b"))
    ran = b"node=b " + RAN % 1
    assert Joining().joined([call, other, ran]) == [call, other + b"\n" + ran, ran]


def test_endless_arguments_hide_nothing() -> None:
    endless = [b"type=EXECVE msg=audit(1.000:1): a%d=" % n + b"61" * 7_500 for n in range(40)]
    call = Joining().joined([CALL % 1, *endless])[0]
    assert len(call) <= MAX_LINE
    event = DECODERS["auditd"](call, "audit.log", 1)
    assert event is not None
    assert event.fields["CommandLine"].startswith("aaaa")


def test_what_is_of_neither_kind_stays_as_it_is() -> None:
    lines = [b'{"ts":1}', b"", b"anything"]
    assert Joining().joined(lines) == lines
    assert Joining().joined([]) == []
