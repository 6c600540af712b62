"""``rempart certificate`` and the console that serves with it."""

import contextlib
import os
import signal
import ssl
import subprocess
import sys
import time
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from rempart.__main__ import main

DESCRIPTION = Path(__file__).parents[1] / "console" / "tilleuls.toml"


def test_the_console_serves_with_it_over_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificate", "localhost.home.arpa", "--state", str(tmp_path)]) == 0
    assert "root.pem" in capsys.readouterr().out
    console = subprocess.Popen(
        [
            *(sys.executable, "-m", "rempart.station.console", "--site", str(DESCRIPTION)),
            *("--run", str(tmp_path), "--port", "0", "--name", "localhost.home.arpa"),
            *("--certificate", str(tmp_path / "certificate")),
        ]
    )
    try:
        link = tmp_path / "console" / "link"
        until = time.monotonic() + 30
        while not link.exists():
            assert console.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        address = link.read_text().strip()
        assert address.startswith("https://localhost.home.arpa:")
        port = address.split(":")[2].split("/")[0]
        assert ask(tmp_path, port) == (403, "max-age=31536000")  # nobody is signed in
    finally:
        os.kill(console.pid, signal.SIGTERM)
        console.wait(60)


def ask(folder: Path, port: str) -> tuple[int, str | None]:
    """The duty page, by the right name, as whoever trusts the root: the status, and whether TLS is insisted on."""
    trusting = ssl.create_default_context(cafile=str(folder / "certificate/root.pem"))
    trusting.check_hostname = (
        False  # it is called by its address here; the name is checked in test_certificate
    )
    with contextlib.closing(HTTPSConnection("127.0.0.1", int(port), context=trusting, timeout=60)) as asking:
        asking.request("GET", "/", headers={"host": f"localhost.home.arpa:{port}"})
        answer = asking.getresponse()
        answer.read()
        return answer.status, answer.headers["strict-transport-security"]


@pytest.mark.parametrize("name", ["10.0.0.1", "localhost", "a b.c", "UPPER.example", "x-.example", "x." * 40])
def test_what_is_no_host_name_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["certificate", name])
    assert "is no host name" in capsys.readouterr().err
