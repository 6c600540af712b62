"""What an ACME client leaves reaches the proxy's file whole, fitting and for its readers alone; or not at all."""

import os
import resource
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.signer import Signer
from rempart.adapters.enforce.certificates import certificates
from rempart.adapters.enforce.renewal import CHAIN, KEY, destinations, obtained, previous, put
from rempart.errors import InputRefused
from rempart.instants import Instant, from_datetime
from rempart.site.description import parse
from rempart.site.opening import Tls
from rempart.site.site import Site

WEBSITE, PORTAL = "www.tilleuls.example", "portail.tilleuls.example"
DESCRIPTION = Path(__file__).parents[2] / "console" / "tilleuls.toml"
_DAY = timedelta(days=1)


@pytest.fixture
def now() -> Instant:
    return from_datetime(datetime.now(UTC))


@pytest.fixture
def signer() -> Signer:
    return Signer("Lab")


def encrypted(**files: Path) -> Site:
    """The house whose published services read these files."""
    site = parse(DESCRIPTION.read_text(), str(DESCRIPTION))

    def with_file(name: str) -> Tls | None:
        return Tls(certificate=str(files[name])) if name in files else None

    return replace(
        site,
        openings=tuple(
            replace(
                opening, publication=replace(opening.publication, tls=with_file(opening.id.replace("-", "_")))
            )
            if opening.publication
            else opening
            for opening in site.openings
        ),
    )


def test_it_is_put_whole_and_the_earlier_one_kept(tmp_path: Path, now: Instant, signer: Signer) -> None:
    file = tmp_path / "in" / "www.pem"
    first = obtained(signer.write_lineage(tmp_path / "live", WEBSITE), now)
    assert put(first, file, None)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not previous(file).exists()
    second = obtained(signer.write_lineage(tmp_path / "live", WEBSITE), now)
    assert put(second, file, os.getgid())
    assert file.stat().st_mode & 0o777 == 0o640
    assert (file.read_bytes(), previous(file).read_bytes()) == (second.pem, first.pem)
    assert not put(second, file, os.getgid())
    assert previous(file).read_bytes() == first.pem
    assert sorted(found.name for found in file.parent.iterdir()) == ["www.pem", "www.pem.previous"]
    (read,) = certificates(encrypted(website=file))
    assert (read.trouble, read.expires) == ("", second.expires)


def test_what_a_dead_run_left_is_in_nobodys_way(tmp_path: Path, now: Instant, signer: Signer) -> None:
    file = tmp_path / "www.pem"
    renewal = obtained(signer.write_lineage(tmp_path / "live", WEBSITE), now)
    assert put(renewal, file, None)
    (tmp_path / ".www.pem.new").symlink_to(tmp_path / "elsewhere")
    previous(file).hardlink_to(file)  # it died after keeping the earlier one
    again = obtained(signer.write_lineage(tmp_path / "live", WEBSITE), now)
    assert put(again, file, None)
    assert (file.read_bytes(), previous(file).read_bytes()) == (again.pem, renewal.pem)
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / "elsewhere").exists()


def test_on_a_full_disk_the_file_in_use_stays(tmp_path: Path, now: Instant, signer: Signer) -> None:
    file = tmp_path / "www.pem"
    first = obtained(signer.write_lineage(tmp_path / "live", WEBSITE), now)
    put(first, file, None)
    second = obtained(signer.write_lineage(tmp_path / "live", WEBSITE), now)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(InputRefused, match="cannot be written"):
            put(second, file, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_bytes() == first.pem
    assert not list(tmp_path.glob(".*"))


def _other_key(folder: Path) -> None:
    other = Signer("Lab").write_lineage(folder.with_name("other"), WEBSITE)
    (folder / KEY).write_bytes((other / KEY).read_bytes())


def _other_chain(folder: Path) -> None:
    own = (folder / CHAIN).read_bytes().partition(b"-----END CERTIFICATE-----\n")
    stranger = Signer("Stranger").write_authority(folder / "stranger").read_bytes()
    (folder / CHAIN).write_bytes(own[0] + own[1] + stranger)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_other_key, "another certificate's"),
        (_other_chain, "not signed by the next"),
        (lambda folder: (folder / KEY).unlink(), "No such file"),
        (lambda folder: (folder / KEY).write_text("-----BEGIN PRIVATE KEY-----\n"), "not certificates and"),
        (lambda folder: (folder / CHAIN).write_bytes(b""), "not certificates and"),
        (lambda folder: Signer("Lab").write_lineage(folder, WEBSITE, -_DAY / 2), "not now"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, now: Instant, signer: Signer, spoil: Callable[[Path], object], told: str
) -> None:
    folder = signer.write_lineage(tmp_path / "live", WEBSITE)
    spoil(folder)
    with pytest.raises(InputRefused, match=told):
        obtained(folder, now)


def test_it_goes_to_the_services_that_it_names(tmp_path: Path, now: Instant, signer: Signer) -> None:
    www, portal = tmp_path / "www.pem", tmp_path / "portal.pem"
    site = encrypted(website=www, gp_portal=portal)
    one = obtained(signer.write_lineage(tmp_path / "one", WEBSITE), now)
    assert [found.file for found in destinations(site, one)] == [www]
    every = obtained(signer.write_lineage(tmp_path / "every", "*.tilleuls.example"), now)
    assert {found.file for found in destinations(site, every)} == {www, portal}
    assert not every.covers("a.b.tilleuls.example")
    assert not every.covers("tilleuls.example")
    assert list(destinations(encrypted(), every)) == []
    with pytest.raises(InputRefused, match=f"not for {PORTAL}"):
        list(destinations(encrypted(website=www, gp_portal=www), one))
