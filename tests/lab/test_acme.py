"""Debian's certbot and Let's Encrypt's test authority, pebble: through to what visitors see, renewed in a cut too."""

import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509

from rempart.adapters.enforce.renewal import previous
from rempart.containment.measure import Enforcement
from rempart.instants import Instant
from rempart.site.description import parse
from rempart.site.opening import OpeningState

from .conftest import SITE
from .signer import Signer
from .test_published import FRONT, WEBSITE, Published

pytestmark = pytest.mark.lab
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED
HERE = Path(__file__).parent
AUTHORITY, NAMES = "192.0.2.30", "192.0.2.53"
SHIPPED = HERE.parents[1] / "packaging" / "certbot.ini"
RENEWAL = f"""
[[openings]]
id = "certificate-renewal"
mark = 30
name = "Certificat"
direction = "out"
zones = ["servers"]
hosts = ["{AUTHORITY}"]
services = ["tcp/14000"]
care = 0
lifeline = false
fallback = {{ text = "à la main", phone = "04 000 00 80" }}
"""


@dataclass
class Renewing:
    """A house whose website gets its certificate from an authority outside."""

    published: Published
    folder: Path
    trusted: Path
    """Who signed the authority's own page."""

    def certbot(self, *words: str) -> subprocess.CompletedProcess[str]:
        """certbot on the box, with the settings that we ship but for where things are."""
        hook = f"{sys.executable} -m rempart deploy --site {self.published.places.site}"
        settings = SHIPPED.read_text()
        for shipped, here in (
            ("/var/lib/rempart/acme", str(self.published.places.challenges)),
            ("/opt/rempart/.venv/bin/rempart deploy", hook),
        ):
            assert shipped in settings
            settings = settings.replace(shipped, here)
        (self.folder / "certbot.ini").write_text(settings)
        kept = {"config-dir": "live", "work-dir": "work", "logs-dir": "logs"}
        return subprocess.run(
            [
                *("ip", "netns", "exec", self.published.house.space("gw"), "certbot", *words),
                *("--non-interactive", "--config", str(self.folder / "certbot.ini")),
                *(word for name, place in kept.items() for word in (f"--{name}", str(self.folder / place))),
            ],
            env={**os.environ, "REQUESTS_CA_BUNDLE": str(self.trusted)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def obtain(self) -> subprocess.CompletedProcess[str]:
        server = f"https://{AUTHORITY}:14000/dir"
        return self.certbot(
            "certonly", "--server", server, "--agree-tos", "--register-unsafely-without-email", "-d", WEBSITE
        )

    def renew(self) -> subprocess.CompletedProcess[str]:
        return self.certbot("renew", "--force-renewal", "--no-random-sleep-on-renew")

    def look(self) -> None:
        """What the guard does every three seconds."""
        self.published.gateway.read(Instant(time.time_ns() // 1000))

    def roots(self) -> str:
        """The authority's root, as it tells on its other port."""
        with self.published.house.inside("out"):
            asking = http.client.HTTPSConnection(
                AUTHORITY, 15000, timeout=4, context=ssl.create_default_context(cafile=str(self.trusted))
            )
            asking.connect()
        with contextlib.closing(asking):
            asking.request("GET", "/roots/0")
            return asking.getresponse().read().decode()

    def served(self, roots: Path) -> x509.Certificate:
        """The certificate that a visitor is shown and accepts."""
        with self.published.house.call("out", FRONT, 443) as plain:
            context = ssl.create_default_context(cafile=str(roots))
            with context.wrap_socket(plain, server_hostname=WEBSITE) as channel:
                return x509.load_der_x509_certificate(channel.getpeercert(binary_form=True))

    def cut(self, renewal: OpeningState) -> Enforcement:
        """Everything closed but perhaps the way to the authority."""
        published = self.published
        shut = {opening.id: CLOSED for opening in published.site.openings}
        return replace(published.stand(**shut | {"certificate-renewal": renewal}), contained=True)


@pytest.fixture
def renewing(house, places, tmp_path: Path) -> Renewing:
    for program in ("certbot", "pebble"):
        if not shutil.which(program):
            pytest.skip(f"it needs {program}: scripts/setup")
    file = places.site.parent / "certificates" / "www.pem"
    text = (SITE + RENEWAL).replace("port = 8080 }", f'port = 8080, tls = {{ certificate = "{file}" }} }}', 1)
    places.site.write_text(text)
    places.challenges.mkdir(parents=True)
    published = Published(house, places, parse(text, "lab")).start()
    signer = Signer("Authority's page")
    trusted = signer.write_authority(tmp_path / "page-authority.pem")
    page = signer.write_lineage(tmp_path / "page", AUTHORITY)
    start_authority(house, tmp_path, page)
    return Renewing(published, tmp_path, trusted)


def start_authority(house, folder: Path, page: Path) -> None:
    """pebble and the name server that it asks, outside."""
    (folder / "names.json").write_text(json.dumps({WEBSITE: [["A", 60, FRONT]]}))
    (folder / "pebble.json").write_text(
        json.dumps(
            {
                "pebble": {
                    "listenAddress": f"{AUTHORITY}:14000",
                    "managementListenAddress": f"{AUTHORITY}:15000",
                    "certificate": str(page / "fullchain.pem"),
                    "privateKey": str(page / "privkey.pem"),
                    "httpPort": 80,
                    "tlsPort": 443,
                }
            }
        )
    )
    house.start("out", sys.executable, str(HERE / "authority.py"), str(folder / "names.json"), NAMES)
    with (folder / "pebble.log").open("w") as log:
        house.start(
            "out",
            *("env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"),
            *("pebble", "-strict", "-config", str(folder / "pebble.json"), "-dnsserver", f"{NAMES}:53"),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    until = time.monotonic() + 20
    for address, port in ((NAMES, 53), (AUTHORITY, 14000), (AUTHORITY, 15000)):
        while house.answer("out", address, port) != "yes":
            assert time.monotonic() < until, (folder / "pebble.log").read_text()
            time.sleep(0.05)


def test_a_certificate_is_obtained_and_renewed_in_the_middle_of_a_cut(
    renewing: Renewing, tmp_path: Path
) -> None:
    published = renewing.published
    file = Path(published.site.opening("website").publication.tls.certificate)
    assert published.ask(WEBSITE)[0] == 503  # never unencrypted

    done = renewing.obtain()
    assert done.returncode == 0, done.stderr
    renewing.look()  # the proxy was started without it, and takes it up
    roots = tmp_path / "roots.pem"
    roots.write_text(renewing.roots())
    first = renewing.served(roots)
    assert published.ask(WEBSITE, trust=roots)[0] == 200
    assert file.stat().st_mode & 0o007 == 0

    published.enforce(renewing.cut(CLOSED))
    before = file.read_bytes()
    assert renewing.renew().returncode != 0  # nobody is reached, and nothing changes
    assert file.read_bytes() == before

    published.enforce(renewing.cut(FILTERED))
    done = renewing.renew()
    assert done.returncode == 0, done.stderr
    assert previous(file).read_bytes() == before
    renewing.look()
    second = renewing.served(roots)
    assert second.serial_number != first.serial_number
    status, _, body = published.ask(WEBSITE, trust=roots)
    assert status == 503
    assert "04 000 00 40" in body
