"""Records of auditd that tell of one call."""

from rempart.events import audit
from rempart.events.decode import DECODERS
from rempart.events.event import Event

CALL = b'type=SYSCALL msg=audit(1604996384.965:7): arch=c000003e syscall=59 success=%s ppid=1 pid=2 uid=0 exe="/bin/dd"'
RAN = b'type=EXECVE msg=audit(1604996384.965:7): argc=2 a0="dd" a1=69663D612062'
PLACE = b'type=CWD msg=audit(1604996384.965:7): cwd="/tmp"'
OTHER = b'type=EXECVE msg=audit(1604996384.965:8): argc=1 a0="id"'


def test_what_was_started_is_told_by_several_records() -> None:
    call, ran, place, other = audit.join([CALL % b"yes", RAN, PLACE, OTHER])
    assert (ran, place, other) == (RAN, PLACE, OTHER)
    event = DECODERS["auditd"](call, "audit.log", 1)
    assert isinstance(event, Event)
    assert event.logsource == audit.STARTS
    told = {name: event.fields[name] for name in ("Image", "CommandLine", "CurrentDirectory", "User")}
    assert told == {
        "Image": "/bin/dd",
        "CommandLine": "dd if=a b",
        "CurrentDirectory": "/tmp",
        "User": "root",
    }
    assert event.fields["type"] == "SYSCALL"


def test_what_failed_was_not_started() -> None:
    call = audit.join([CALL % b"no", RAN])[0]
    event = DECODERS["auditd"](call, "audit.log", 1)
    assert isinstance(event, Event)
    assert event.logsource == audit.RECORDS
    assert "Image" not in event.fields


def test_records_far_from_their_call_are_left_alone() -> None:
    lines = [CALL % b"yes", *[OTHER] * 70, RAN]
    assert audit.join(lines) == lines


def test_arguments_go_on_in_the_next_record_and_long_ones_within_them() -> None:
    lines = (
        CALL % b"yes",
        b'type=EXECVE msg=audit(1604996384.965:7): argc=4 a0="sh" a1="-c"',
        b"type=EXECVE msg=audit(1604996384.965:7): a2_len=8 a2[0]=6162",
        b"type=EXECVE msg=audit(1604996384.965:7): a2[1]=6364",
        b'type=EXECVE msg=audit(1604996384.965:7): a3="end" a0="forged"',
    )
    event = DECODERS["auditd"](b"\n".join(lines), "audit.log", 1)
    assert isinstance(event, Event)
    assert event.fields["CommandLine"] == "sh -c abcd end"
