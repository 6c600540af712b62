"""The keys of the identity provider: fetched whole over real HTTP, or the ones that are there stay."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from rempart.__main__ import main
from rempart.accounts.identity import Provider
from rempart.adapters import identity
from rempart.adapters.clock import SystemClock
from rempart.errors import ExitCode
from station.provider import OpenIdProvider, provider

SITE = Path(__file__).parents[1] / "console" / "tilleuls.toml"


@pytest.fixture
def signs() -> Iterator[OpenIdProvider]:
    with provider(SystemClock().now) as running:
        yield running


def site(folder: Path, issuer: str, keys: Path) -> str:
    told = f'\n[sign_on]\nissuer = "{issuer}"\nclient = "rempart"\nkeys_file = "{keys}"\n'
    file = folder / "site.toml"
    file.write_text(SITE.read_text() + told)
    return str(file)


def test_the_keys_are_kept_where_everybody_reads_and_only_root_writes(
    tmp_path: Path, signs: OpenIdProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "provider.json"
    assert main(["provider", "--site", site(tmp_path, signs.issuer, keys)]) == ExitCode.OK
    assert signs.issuer in capsys.readouterr().out
    kept = identity.kept(keys)
    assert isinstance(kept, Provider)
    assert (kept.issuer, len(kept.keys["keys"])) == (signs.issuer, 1)
    assert keys.stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_used_leaves_the_keys_that_are_there(
    tmp_path: Path, signs: OpenIdProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "provider.json"
    there = msgspec.json.encode({"kept": "before"})
    keys.write_bytes(there)
    another = f"{signs.issuer}/another"
    assert main(["provider", "--site", site(tmp_path, another, keys)]) == ExitCode.USAGE
    assert "calls itself" in capsys.readouterr().err
    assert keys.read_bytes() == there


@pytest.mark.parametrize(
    ("told", "said"),
    [("", "no identity provider is named"), (None, "cannot be read"), (b"\xff", "not UTF-8")],
)
def test_a_site_without_one_or_that_is_none_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], told: str | bytes | None, said: str
) -> None:
    file = tmp_path / "site.toml"
    if told is not None:
        file.write_bytes(told if isinstance(told, bytes) else SITE.read_bytes())
    assert main(["provider", "--site", str(file)]) == ExitCode.USAGE
    assert said in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, signs: OpenIdProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "missing" / "provider.json"
    assert main(["provider", "--site", site(tmp_path, signs.issuer, keys)]) == ExitCode.USAGE
    assert "the keys cannot be kept" in capsys.readouterr().err
