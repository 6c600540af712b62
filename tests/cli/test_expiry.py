"""``rempart expiry``, as a technician types it."""

from datetime import timedelta
from pathlib import Path

import pytest

from lab.signer import Signer
from rempart.__main__ import main
from rempart.errors import ExitCode


@pytest.mark.parametrize(("days", "code", "told"), [(60, 0, "59 days"), (20, 1, "19 days: renew it")])
def test_until_when(
    described: Path, days: int, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Signer("Lab").write(described.with_name("www.pem"), "www.tilleuls.example", timedelta(days=days))
    assert main(["expiry", "--site", str(described)]) == code
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nx\n"])
def test_a_file_that_cannot_be_used(
    described: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        described.with_name("www.pem").write_bytes(content)
    assert main(["expiry", "--site", str(described)]) == ExitCode.FOUND
    assert "the service is closed" in capsys.readouterr().out


def test_a_key_of_another_certificate(described: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Signer("Lab").write(described.with_name("one.pem"), "www.tilleuls.example").read_bytes()
    other = Signer("Lab").write(described.with_name("other.pem"), "www.tilleuls.example").read_bytes()
    key = b"-----BEGIN PRIVATE"
    described.with_name("www.pem").write_bytes(one.partition(key)[0] + key + other.partition(key)[2])
    assert main(["expiry", "--site", str(described)]) == ExitCode.FOUND
    assert "another certificate" in capsys.readouterr().out
