"""Machines that send by syslog: a real rsyslogd with the shipped configuration, and the decoders that read its file."""

import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rempart.events.decode import DECODERS

pytestmark = pytest.mark.edge

CONFIGURATION = Path(__file__).parents[2] / "packaging" / "rsyslog.conf"
PATIENCE = 30
"""Seconds: the machine may be busy."""


@pytest.fixture
def port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        free: int = bound.getsockname()[1]
    return free


@pytest.fixture
def log(tmp_path: Path, port: int) -> Iterator[Path]:
    """The file of what loopback sends, while rsyslogd runs."""
    program = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("no rsyslogd: apt-get install rsyslog")
    text = CONFIGURATION.read_text()
    assert text.count('port="514"') == 2
    assert "/var/log/remote" in text
    assert text.count('"192.0.2.1"') == 1
    text = text.replace('port="514"', f'port="{port}"').replace("/var/log/remote", str(tmp_path / "remote"))
    mine = tmp_path / "rsyslog.conf"
    mine.write_text(text.replace('"192.0.2.1"', '"127.0.0.1"'))
    running = subprocess.Popen([program, "-n", "-f", mine, "-i", tmp_path / "pid"])
    until = time.monotonic() + PATIENCE
    while not listens(port):
        assert running.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    yield tmp_path / "remote" / "127.0.0.1.log"
    running.terminate()
    running.wait(PATIENCE)


def listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


SENT = (
    ("syslog", b"<34>Oct 11 22:14:15 fw01 sshd[1]: Failed password for root from 203.0.113.9 port 2 ssh2"),
    ("syslog", b"<34>1 2026-11-27T16:00:00Z ../../../etc/x su - ID47 - hi \xff\x1b[2J\nsecond"),
    (
        "fortigate",
        b'<189>date=2026-11-27 time=16:00:00 devname="F" logid="0100032001" type="event" subtype="system"',
    ),
    ("cisco", b"<189>45: *Nov 27 16:00:00.123: %SYS-5-CONFIG_I: Configured from console by admin"),
)


def test_what_is_sent_is_a_line_of_the_senders_file_that_its_decoder_reads(log: Path, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _, message in SENT:
            sender.sendto(message, ("127.0.0.1", port))
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(b"<13>Nov 27 16:00:00 switch1 link: port 7 is up\n")
    until = time.monotonic() + PATIENCE
    while not log.exists() or log.read_bytes().count(b"\n") <= len(SENT):
        assert time.monotonic() < until
        time.sleep(0.02)
    lines = log.read_bytes().splitlines()
    assert len(lines) == len(SENT) + 1
    assert [each.name for each in log.parent.iterdir()] == [log.name]
    assert stat.S_IMODE(log.stat().st_mode) == 0o640
    assert b"\x1b" not in log.read_bytes()
    for decoder, message in SENT:
        (line,) = (each for each in lines if each.startswith(message[:20]))
        assert DECODERS[decoder](line, str(log), 1) is not None
    assert any(each.endswith(b"port 7 is up") for each in lines)


def test_a_crowd_of_claimed_senders_has_one_short_file(log: Path, port: int) -> None:
    for last in range(2, 202):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((f"127.0.0.{last}", 0))
            sender.sendto(b"<13>Nov 27 16:00:00 fw01 link: port 7 is up", ("127.0.0.1", port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>Nov 27 16:00:00 fw01 link: port 8 is up", ("127.0.0.1", port))
    until = time.monotonic() + PATIENCE
    while not log.exists() or b"port 8" not in log.read_bytes():  # what was sent last is there
        assert time.monotonic() < until
        time.sleep(0.02)
    others = log.parent / "others.log"
    assert {each.name for each in log.parent.iterdir()} == {log.name, others.name}
    assert log.read_bytes().count(b"\n") == 1
    shown = others.read_text().splitlines()
    assert 1 <= len(shown) <= 1 + PATIENCE // 10
    assert " 127.0.0.2 <13>Nov 27" in shown[0]
    assert stat.S_IMODE(others.stat().st_mode) == 0o640
