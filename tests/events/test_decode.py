"""What every decoder owes: the samples are read, and hostile bytes never break it."""

import json
import time
import timeit
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from rempart.errors import DecodeError, DecoderFailed
from rempart.events import decode
from rempart.events.decode import DECODERS
from rempart.events.document import MAX_DOCUMENT
from rempart.events.event import Event
from rempart.events.line import MAX_LINE, MAX_VALUE
from rempart.instants import rfc3339

SAMPLES = sorted((Path(__file__).parent / "decode" / "samples").glob("*.log"))


def decoded(decoder: str, line: bytes, record: int = 1) -> Event | str | None:
    try:
        return DECODERS[decoder](line, "sample", record)
    except DecodeError as error:
        return f"refused: {error.what}"


def shown(event: Event | str | None) -> object:
    if not isinstance(event, Event):
        return event
    source = event.logsource
    when = rfc3339(event.time) if event.time is not None else None
    return {"log": f"{source.product}/{source.category or source.service}", "time": when, **event.fields}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_read(sample: Path, snapshot: SnapshotAssertion) -> None:
    lines = sample.read_bytes().splitlines(keepends=True)
    assert snapshot == [shown(decoded(sample.stem, line, number)) for number, line in enumerate(lines, 1)]


def test_sshd_lines_in_syslog_are_read_by_the_sshd_decoder(snapshot: SnapshotAssertion) -> None:
    lines = (Path(__file__).parent / "decode" / "samples" / "syslog.log").read_bytes().splitlines()
    assert snapshot == [shown(decoded("sshd", line)) for line in lines]


REAL = st.sampled_from([line for path in SAMPLES for line in path.read_bytes().splitlines()])


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """A real line with a hole in it, filled with anything."""
    line = draw(REAL)
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, len(line)))
    return line[:start] + draw(st.binary(max_size=40)) + line[end:]


@pytest.mark.parametrize("decoder", sorted(DECODERS))
@given(line=st.binary(max_size=200) | mutilated() | REAL.map(lambda line: line[: len(line) // 2]))
@example(line=b"")
@example(line=b"\x00" * 50)
@example(line=b"[" * 70_000)
@example(line=b"1.2.3.4 - " + b" [" * 60_000)
@example(line=b'{"src_ip": 1' + b"0" * 5000 + b"}")
@example(line=b'{"src":"::","status":200,"time":' + b"9" * 40 + b"}")
@example(line=b"Failed password for " + b" from 1.2.3.4 port 2" * 6000)
@example(line=b"maximum authentication attempts exceeded for " * 2500)
@example(line=b'{"_path":"conn","ts":1,"a":' + b"[" * 900 + b"]" * 900 + b"}")
@example(
    line=b'{"eventName":"a","eventSource":"amazonaws","eventTime":1e300,"a":{"a":{"a":[1,[2,{"a":3}]]}}}'
)
@example(line=b'{"ts":-1,"uid":"","conn_state":null,"id.orig_h":[{}]}')
@example(line=b'{"operationName":{"value":[]},"category":{"value":"Policy"}}')
@example(
    line=b'{"logName":1,"protoPayload":{"methodName":[],"metadata":{"event":[[],{"parameter":{"a":1}}]}}}'
)
@example(line=b'{"__REALTIME_TIMESTAMP":"99999999999999999","MESSAGE":[-1,256,"a"]}')
@example(line=b"date=1 devid=1 type=utm subtype=virus eventtime=9999999999999999999")
@example(line=b"type=EXECVE msg=audit(9999999999.999:1): a0[0]= a0=FF a9999=" + b"4" * 9001)
@example(line=b"#Fields: date time c-ip sc-status cs(User-Agent)\n9999-99-99 x ::1 9\xb2 " + b"+" * 9000)
@example(line=b"#Fields:" + b" c-ip" * 200 + b"\n" + b" ".join([b"x"] * 200))
def test_no_line_raises_anything_but_decode_error(decoder: str, line: bytes) -> None:
    event = decoded(decoder, line)
    if isinstance(event, Event):
        assert (event.source, event.record) == ("sample", 1)
        assert all(len(value) <= MAX_LINE for value in event.fields.values() if isinstance(value, str))
        assert event.time is None or rfc3339(event.time)
        json.dumps(event.fields)
        assert sum(map(_size, event.fields.values())) <= 8 * max(MAX_VALUE, len(line))


RECORDS = st.sampled_from(
    [line for path in SAMPLES for line in path.read_bytes().splitlines() if line.startswith(b'{"')]
)
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "a"]), inner)
    ),
    max_leaves=6,
)


@st.composite
def strange(draw: st.DrawFn) -> bytes:
    """A real record in which values are of another type than their maker's."""
    try:
        record = json.loads(draw(RECORDS))
    except json.JSONDecodeError:
        return b"{}"
    for name in draw(st.lists(st.sampled_from(sorted(record)), max_size=3)):
        record[name] = draw(ODD)
    return json.dumps(record).encode()


@settings(deadline=None)
@given(strange())
def test_values_of_any_type_break_no_decoder(line: bytes) -> None:
    for decoder in DECODERS:
        event = decoded(decoder, line)
        if isinstance(event, Event):
            json.dumps(event.fields)
            hash(event.logsource)


def _size(value: object) -> int:
    return sum(map(_size, value)) if isinstance(value, list) else len(value) if isinstance(value, str) else 1


LONG = MAX_LINE - 2
ENDLESS = {
    "brackets": b"[" * LONG,
    "quotes": b'"' * LONG,
    "backslashes": b'"' + b"\\" * LONG,
    "blanks": b"x" + b" " * LONG,
    "words": b"a=b " * (LONG // 4),
    "open words": b'a="' * (LONG // 3),
    "audit": b"type=EXECVE msg=audit(1.000:1): " + b"a1=41 " * (LONG // 7),
    "audit quotes": b"type=USER_CMD msg=audit(1.000:1): " + b"m='a=" * (LONG // 6),
    "audit records": b"type=SYSCALL msg=audit(1.000:1): \n" * (LONG // 40),
    "fortigate": b"devid=1 type=utm subtype=virus " + b'a="\\' * (LONG // 5),
    "fortigate head": b"date " * (LONG // 5),
    "sudo": b"Nov 22 08:13:05 h sudo: " + b"TTY=a ; " * (LONG // 9),
    "sysmon": b"Nov 22 08:13:05 h sysmon: <Event>" + b'<Data Name="a">' * (LONG // 16),
    "kernel": b"Nov 22 08:13:05 h kernel: SRC= SRC=" + b"IN=" * (LONG // 4),
    "cisco": b"<1>" + b"%A" * (LONG // 3),
    "cisco head": b"Nov 22 08:13:05 " * 24 + b"%SYS-5-X: " + b"x" * (LONG - 400),
    "cisco packet": b"%ASA-4-106023: Deny tcp src " + b"src a (b) dst " * (LONG // 15),
    "cisco command": b"%ASA-5-111008: User 'a' executed the " + b"' command." * (LONG // 11),
    "cisco login": b"%SEC_LOGIN-4-LOGIN_FAILED: " + b"[user: a] [Source: " * (LONG // 20),
    "ftd": b"%FTD-6-430003: " + b"SrcIP: 10.0.0.1, " * (LONG // 18),
    "tacacs": b"Nov 22 08:13:05\th\tu\tt\ta\tstop\t" + b"service=\t" * (LONG // 10),
    "junos": b"1 2026-11-22T08:13:05Z h RT_FLOW - X [junos@2636.1" + b' a="\\' * (LONG // 6),
    "junos words": b"1 2026-11-22T08:13:05Z h RT_FLOW - X [junos@2636.1" + b' a="b"' * (LONG // 7),
    "junos session": b"Nov 22 08:13:05 h RT_FLOW: RT_FLOW_X: session closed " + b"a:" * (LONG // 3),
    "pan": b"1,t,1,THREAT,url," + b'"",' * (LONG // 4),
    "macos": b'{"subsystem":"com.apple.eslogger","eventMessage":"' + b"[" * LONG + b'"}',
    "macos args": b'{"schema_version":1,"process":{},"event":{"exec":{"args":[' + b"1," * 120_000 + b"1]}}}",
    "pan quotes": b"1,t,1,THREAT,url," + b'"' * (LONG - 30),
    "filterlog": b"2026-11-22T08:13:05Z h filterlog: " + b"4," * (LONG // 3),
    "apache": b"192.0.2.1 - " + b"[" * (LONG // 2),
    "apache request": b'192.0.2.1 - - [22/Nov/2026:08:13:05 +0100] "' + b"\\" * (LONG - 60),
    "squid combined": b'10.0.0.1 - - [22/Nov/2026:08:13:05 +0100] "GET '
    + b"/" * (LONG - 80)
    + b'" 200 1 "'
    + b"x" * 9,
    "cef": b"CEF:0|a|b|1|2|c|3|" + b"a=b " * (LONG // 5),
    "cef head": b"CEF:0|" + b"\\|" * (LONG // 3),
    "cef blanks": b"CEF:0|a|b|1|2|c|3|" + b"a= " * (LONG // 4),
    "leef": b"LEEF:1.0|a|b|1|2|" + b"a=b\t" * (LONG // 5),
    "fast": b"11/22-08:13:05.123456 [**] [1:1:1] " + b" [**] " * (LONG // 7),
    "fast head": b"11/22-08:13:05.123456 " * 20 + b" [**] " + b"1" * (LONG - 500),
    "vsftpd": b'Sun Nov 22 08:13:05 2026 [pid 1] [a] OK UPLOAD: Client "192.0.2.1", "'
    + b'", "' * (LONG // 5),
    "xferlog": b"Sun Nov 22 08:13:05 2026 1 192.0.2.1 1 /" + b" b _ i r" * (LONG // 9),
    "bind": b"22-Nov-2026 08:13:05.123 client 10.0.0.1#1 (" + b"a" * (LONG - 60),
    "squid": b"1795335185.123 1 10.0.0.1 TCP_MISS/200 1 GET " + b"http://[" * (LONG // 9),
    "columns": b"#path\tconn\n#fields\t"
    + b"a\t" * (LONG // 6)
    + b"\n#types\t"
    + b"b\t" * (LONG // 6)
    + b"\n"
    + b"c\t" * 9,
    "array": b'{"_path":"conn","ts":1,"a":[' + b"1," * 120_000 + b"1]}",
    "objects": b'{"eventName":"a","eventSource":"amazonaws","a":[' + b'{"a":1},' * 30_000 + b"{}]}",
    "names": b'{"category":"AuditLogs","operationName":"a","properties":{'
    + b",".join(b'"%d":1' % number for number in range(20_000))
    + b"}}",
    "pairs": b'{"Operation":"a","Workload":"b","RecordType":1,"Parameters":['
    + b",".join(b'{"Name":"%d","Value":"1"}' % number for number in range(9_000))
    + b"]}",
    "deep": b'{"verb":"a","auditID":"1","a":' + b'{"a":' * 200 + b'"' + b"x" * LONG + b'"' + b"}" * 201,
}


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.parametrize("kind", ENDLESS)
def test_no_line_takes_long(kind: str) -> None:
    assert len(ENDLESS[kind]) <= MAX_DOCUMENT
    for decoder in DECODERS:
        # Without the collector, as timeit does it: it would walk all that the tests of this process made.
        took = timeit.repeat(
            partial(decoded, decoder, ENDLESS[kind]), number=1, repeat=3, timer=time.process_time
        )
        assert min(took) < 0.05, f"{decoder}: {min(took) * 1000:.0f} ms"


@pytest.mark.parametrize("decoder", sorted(DECODERS))
def test_a_line_without_end_is_refused(decoder: str) -> None:
    assert str(decoded(decoder, b"x" * (MAX_LINE + 1))).startswith("refused")


def test_a_device_may_say_nothing_beyond_the_head() -> None:
    for line in (b"CEF:0|a|b|1|2|c|3|", b"CEF:0|a|b|1|2|c|3|no key here", b"LEEF:1.0|a|b|1|2|"):
        event = decoded("cef" if line.startswith(b"CEF") else "leef", line)
        assert isinstance(event, Event)
        assert (event.fields["deviceVendor"], event.time) == ("a", None)


def test_a_refusal_never_quotes_the_line() -> None:
    assert "secret" not in str(decoded("nginx", b"secret \x1b[31m"))


def test_a_proxy_line_cut_off_in_the_middle_is_read_as_far_as_it_goes() -> None:
    event = decoded(
        "haproxy", b'{"time":1,"src":"192.0.2.7","status":404,"path":"\\/x,","user_agent":"' + b"A" * 900
    )
    assert isinstance(event, Event)
    assert event.fields["cs-uri-stem"] == "/x,"


def test_a_name_that_reads_like_an_address_does_not_shift_the_blame() -> None:
    line = (
        b"Failed password for invalid user x from 198.51.100.1 port 22 ssh2 from 203.0.113.9 port 4022 ssh2"
    )
    event = decoded("sshd", line)
    assert isinstance(event, Event)
    assert event.fields["src_ip"] == "203.0.113.9"


def test_twice_encoded_paths_are_shown_plain_too() -> None:
    line = b'192.0.2.7 - - [2026-11-22T08:13:05+00:00] "GET /a/%252e%252e/b HTTP/1.1" 404 1 "-" "-" "www"'
    event = decoded("nginx", line)
    assert isinstance(event, Event)
    assert (event.fields["cs-uri-stem"], event.fields["cs-uri-plain"]) == ("/a/%252e%252e/b", "/a/../b")


def test_a_defect_of_a_decoder_costs_one_line_and_is_told_without_it() -> None:
    def broken(line: bytes, source: str, record: int) -> Event | None:
        raise ValueError(line.decode())

    with pytest.raises(DecoderFailed) as failed:
        decode.decoded(broken, b"dr.lambert \x1b[2J", "portal.log", 7)
    said = failed.value.diagnostics()
    assert "ValueError in test_decode.py, line" in said
    assert said.startswith("portal.log:7: ")
    assert "lambert" not in said
    assert isinstance(failed.value.__cause__, ValueError)


def test_a_refusal_stays_a_refusal() -> None:
    with pytest.raises(DecodeError) as refused:
        decode.decoded(DECODERS["nginx"], b"?", "portal.log", 7)
    assert type(refused.value) is DecodeError
