"""Published services: encryption, visitors' certificates, hours, allow-lists, rates, renewal in the middle of a cut."""

import contextlib
import hashlib
import http.client
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.signer import Signer
from rempart.adapters.enforce.certificates import certificates
from rempart.adapters.enforce.gateway import Gateway
from rempart.adapters.enforce.nftables import Kernel
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.limits import Limits
from rempart.containment.measure import Enforcement, Stand, disagreements
from rempart.containment.render.haproxy import ZONE
from rempart.errors import EnforcementFailed
from rempart.instants import Instant, from_datetime
from rempart.site.belgian_time import on_the_wall
from rempart.site.hours import Hours
from rempart.site.opening import Opening, OpeningState, Tls
from rempart.site.site import Site

pytestmark = pytest.mark.lab
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED
WEBSITE, PORTAL = "www.lab.example", "portail.lab.example"
FRONT, FRONT6 = "203.0.113.2", "2001:db8:1::2"
_DAY = timedelta(days=1)


class Published:
    """The house with its two services behind the proxy, as one site describes them."""

    def __init__(self, house, places: Places, site: Site) -> None:
        self.house, self.places, self.site = house, places, site
        with house.inside("gw"):
            self.gateway = Gateway(site, places, PublicFace(site))

    def stand(self, **states: OpeningState) -> Enforcement:
        stands = {opening.id: Stand(state=OPEN) for opening in self.site.openings}
        named = {name.replace("_", "-"): Stand(state=state) for name, state in states.items()}
        return Enforcement(stands={**stands, **named})

    def enforce(self, wanted: Enforcement) -> None:
        self.gateway.enforce(wanted, Instant(time.time_ns() // 1000))

    def start(self) -> "Published":
        for name, address in (("website", "10.3.0.2"), ("portal", "10.3.0.3")):
            web = str(Path(__file__).with_name("web.py"))
            self.house.start("dmz", sys.executable, web, name, address, "8080")
        with pytest.raises(EnforcementFailed):
            self.enforce(self.stand())
        work = self.places.filter_work
        self.house.start(
            "gw", "nginx", "-p", f"{work}/", "-e", "stderr", "-c", str(self.places.filter_config)
        )
        self._start_proxy()
        until = time.monotonic() + 30
        while len(list(work.glob("*.sock"))) < 3 or not self._up():
            assert time.monotonic() < until, self.places.proxy_log.read_text()
            time.sleep(0.05)
        time.sleep(0.3)
        return self

    def restart_proxy(self) -> None:
        self.house.end([self.proxy])
        self._start_proxy()
        until = time.monotonic() + 10
        while not self._up():
            assert time.monotonic() < until, self.places.proxy_log.read_text()
            time.sleep(0.05)

    def _start_proxy(self) -> None:
        words = ("env", ZONE, "haproxy", "-db", "-f", str(self.places.proxy_config))
        with self.places.proxy_log.open("w") as log:
            self.proxy = self.house.start("gw", *words, stdout=log, stderr=subprocess.STDOUT)

    def _up(self) -> bool:
        try:
            self.enforce(self.stand())
        except EnforcementFailed:
            return False
        return True

    def ask(
        self,
        host: str,
        path: str = "/",
        *,
        trust: Path | None = None,
        shown: Path | None = None,
        named: str = "",
        address: str = FRONT,
        source: str = "",
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """One request from outside, encrypted when ``trust`` is given; ``named`` is the name of the handshake."""
        with self.house.inside("out"):
            raw = http.client.HTTPConnection(address, 443 if trust else 80, timeout=10)
            if source:
                raw.source_address = (source, 0)
            raw.connect()
        with contextlib.closing(raw):
            if trust:
                context = ssl.create_default_context(cafile=str(trust))
                if shown:
                    context.load_cert_chain(shown)
                raw.sock = context.wrap_socket(raw.sock, server_hostname=named or host)
            raw.putrequest("GET", path, skip_host=True)
            raw.putheader("Host", host)
            raw.endheaders()
            answer = raw.getresponse()
            return answer.status, answer.headers, answer.read().decode()


def changed(site: Site, name: str, **fields: object) -> Site:
    """The site with one opening's publication, or the opening itself, otherwise."""

    def other(opening: Opening) -> Opening:
        if opening.id != name or opening.publication is None:
            return opening
        own = {key: value for key, value in fields.items() if hasattr(opening, key)}
        rest = {key: value for key, value in fields.items() if key not in own}
        return replace(opening, publication=replace(opening.publication, **rest), **own)  # type: ignore[arg-type]

    return replace(site, openings=tuple(map(other, site.openings)))


@pytest.fixture
def folder(places: Places) -> Path:
    found = places.site.parent / "certificates"
    found.mkdir()
    return found


@pytest.fixture
def authority(folder: Path) -> tuple[Signer, Path]:
    signer = Signer("Lab authority")
    return signer, signer.write_authority(folder / "authority.pem")


@pytest.fixture
def encrypted(house, places, site, folder, authority) -> Iterator[Published]:
    signer, trusted = authority
    www, portal = signer.write(folder / "www.pem", WEBSITE), signer.write(folder / "portal.pem", PORTAL)
    described = changed(site, "website", tls=Tls(certificate=str(www), hsts_days=10))
    described = changed(described, "gp-portal", tls=Tls(certificate=str(portal), clients=str(trusted)))
    return Published(house, places, described).start()


def test_what_is_encrypted_is_served_so_and_nowhere_else(encrypted: Published, authority) -> None:
    _, trusted = authority
    for address in (FRONT, FRONT6):
        status, headers, body = encrypted.ask(WEBSITE, trust=trusted, address=address)
        assert (status, body.split()[0]) == (200, "website")
        assert headers["Strict-Transport-Security"] == "max-age=864000"
    status, headers, _ = encrypted.ask(WEBSITE, "/menus?week=2")
    assert (status, headers["Location"]) == (301, f"https://{WEBSITE}/menus?week=2")
    with pytest.raises(ssl.SSLError):
        encrypted.ask("unknown.example", trust=trusted)


def test_an_uplink_with_a_leased_address_serves_both_families(house, places, site) -> None:
    leased = Published(house, places, replace(site, uplink=replace(site.uplink, addresses=()))).start()
    for states, status in (({}, 200), ({"website": CLOSED}, 503)):
        leased.enforce(leased.stand(**states))
        assert [leased.ask(WEBSITE, address=each)[0] for each in (FRONT, FRONT6)] == [status, status]
    leased.enforce(leased.stand())
    seen = [leased.ask(WEBSITE, address=each)[2].rpartition("for ")[2] for each in (FRONT, FRONT6)]
    assert seen == ["['203.0.113.1']", "['2001:db8:1::1']"]


def test_a_closed_service_answers_on_both_sides(encrypted: Published, authority) -> None:
    _, trusted = authority
    encrypted.enforce(encrypted.stand(website=CLOSED))
    for trust in (None, trusted):
        status, headers, body = encrypted.ask(WEBSITE, trust=trust)
        assert (status, headers["Retry-After"]) == (503, "600")
        assert "04 000 00 40" in body
        assert "Strict-Transport-Security" not in headers


def test_a_visitor_shows_a_certificate_or_stays_outside(encrypted: Published, authority, folder) -> None:
    signer, trusted = authority
    doctor = signer.write(folder / "doctor.pem", "Dr Lambert")
    stranger = Signer("Somebody").write(folder / "stranger.pem", "Dr Lambert")
    assert encrypted.ask(PORTAL, trust=trusted, shown=doctor)[0] == 200
    for shown in (None, stranger):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            encrypted.ask(PORTAL, trust=trusted, shown=shown)
    # The handshake for a service that asks for nothing does not open the one that does.
    assert encrypted.ask(PORTAL, trust=trusted, named=WEBSITE)[0] == 421
    assert encrypted.ask(PORTAL)[0] == 301


@pytest.mark.parametrize(("version", "accepted"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_old_encryption_is_refused(encrypted: Published, version: str, accepted: bool) -> None:
    arguments = ["s_client", "-connect", f"{FRONT}:443", "-servername", WEBSITE, "-cipher", "ALL:@SECLEVEL=0"]
    command = ["ip", "netns", "exec", encrypted.house.space("out"), "openssl", *arguments, version]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    assert (b"BEGIN CERTIFICATE" in done.stdout) is accepted


def test_a_certificate_renews_in_the_middle_of_a_cut(encrypted: Published, authority, folder) -> None:
    signer, trusted = authority
    cut = replace(encrypted.stand(website=CLOSED, gp_portal=CLOSED), contained=True)
    encrypted.enforce(cut)
    answers = encrypted.places.challenges / ".well-known/acme-challenge"
    answers.mkdir(parents=True)
    (answers / "tok-EN_1").write_text("tok-EN_1.thumbprint")
    status, _, body = encrypted.ask(WEBSITE, "/.well-known/acme-challenge/tok-EN_1")
    assert (status, body) == (200, "tok-EN_1.thumbprint")
    for path in ("absent", "../../../site.toml", "%2e%2e/site.toml", ""):
        assert encrypted.ask(WEBSITE, f"/.well-known/acme-challenge/{path}")[0] in {404, 503}
    assert encrypted.ask("unknown.example", "/.well-known/acme-challenge/tok-EN_1")[0] == 421
    (first,) = (found for found in certificates(encrypted.site) if found.opening == "website")
    now = from_datetime(datetime.now(UTC))
    assert not first.ends_soon(now)
    signer.write(folder / "www.pem", WEBSITE, ends=5 * _DAY)
    with encrypted.house.inside("gw"):  # a guard that was started after the renewal sees it too
        Gateway(encrypted.site, encrypted.places, PublicFace(encrypted.site)).read(now)
    (second,) = (found for found in certificates(encrypted.site) if found.opening == "website")
    assert second.ends_soon(now)
    with encrypted.house.call("out", FRONT, 443) as plain:
        context = ssl.create_default_context(cafile=str(trusted))
        with context.wrap_socket(plain, server_hostname=WEBSITE) as channel:
            ends = ssl.cert_time_to_seconds(channel.getpeercert()["notAfter"])
    assert abs(ends - (time.time() + 5 * 86_400)) < 3600


def test_without_its_certificate_a_service_is_closed_and_the_others_are_not(
    house, places, site, folder
) -> None:
    missing = changed(site, "website", tls=Tls(certificate=str(folder / "none.pem")))
    published = Published(house, places, missing).start()
    status, _, body = published.ask(WEBSITE)
    assert status == 503
    assert "04 000 00 40" in body
    assert published.ask(PORTAL)[0] == 200
    assert next(iter(certificates(missing))).trouble


@pytest.mark.timed
def test_a_first_certificate_needs_no_restart_and_loses_no_request(
    house, places, site, folder, authority
) -> None:
    signer, trusted = authority
    www, portal, signers = folder / "www.pem", folder / "portal.pem", folder / "gps.pem"
    described = changed(site, "website", tls=Tls(certificate=str(www)))
    described = changed(described, "gp-portal", tls=Tls(certificate=str(portal), clients=str(signers)))
    published = Published(house, places, described).start()
    assert [published.ask(host)[0] for host in (WEBSITE, PORTAL)] == [503, 503]
    with pytest.raises((ssl.SSLError, ConnectionError)):  # the port is there and serves nothing
        published.ask(WEBSITE, trust=trusted)

    def look() -> None:
        """What the guard does every three seconds."""
        published.gateway.read(Instant(time.time_ns() // 1000))

    signer.write(www, WEBSITE)
    look()
    assert published.ask(WEBSITE, trust=trusted)[0] == 200
    assert published.ask(WEBSITE)[0] == 301
    assert published.ask(PORTAL)[0] == 503

    with ThreadPoolExecutor() as visitors:
        slow = visitors.submit(published.ask, WEBSITE, "/slow", trust=trusted)
        time.sleep(0.3)  # half of its second and a half is left
        signer.write(portal, PORTAL)
        look()
        assert published.ask(PORTAL)[0] == 503  # nobody could show a certificate yet
        signer.write_authority(signers)
        look()
        signer.write(www, WEBSITE, ends=5 * _DAY)
        look()
        assert slow.result()[0] == 200
    doctor = signer.write(folder / "doctor.pem", "Dr Lambert")
    assert published.ask(PORTAL, trust=trusted, shown=doctor)[0] == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        published.ask(PORTAL, trust=trusted)

    published.restart_proxy()  # what a start loads is on the disk
    assert published.ask(WEBSITE, trust=trusted)[0] == 200
    assert published.ask(PORTAL, trust=trusted, shown=doctor)[0] == 200


def test_another_authority_for_visitors_needs_no_restart(encrypted: Published, authority, folder) -> None:
    signer, trusted = authority
    own, other = folder / "own.pem", Signer("Other authority")
    own.write_bytes(trusted.read_bytes())  # who signed the servers' certificates does not change
    doctor = signer.write(folder / "doctor.pem", "Dr Lambert")
    newcomer = other.write(folder / "newcomer.pem", "Dr Maes")

    def lets_in(gateway: Gateway, shown: Path, refused: Path) -> None:
        gateway.read(Instant(time.time_ns() // 1000))
        assert encrypted.ask(PORTAL, trust=own, shown=shown)[0] == 200
        with pytest.raises((ssl.SSLError, ConnectionError)):
            encrypted.ask(PORTAL, trust=own, shown=refused)
        assert encrypted.ask(WEBSITE, trust=own)[0] == 200

    lets_in(encrypted.gateway, doctor, newcomer)
    other.write_authority(trusted)
    lets_in(encrypted.gateway, newcomer, doctor)
    signer.write_authority(trusted)
    with encrypted.house.inside("gw"):  # a guard that was started after the change sees it too
        later = Gateway(encrypted.site, encrypted.places, PublicFace(encrypted.site))
    lets_in(later, doctor, newcomer)


def test_a_proxy_starts_when_a_certificate_has_gone_since(encrypted: Published, authority, folder) -> None:
    _, trusted = authority
    (folder / "www.pem").unlink()
    now = Instant(time.time_ns() // 1000)
    encrypted.gateway.read(now)
    assert encrypted.ask(WEBSITE, trust=trusted)[0] == 200  # what is loaded stays in use
    encrypted.restart_proxy()
    assert encrypted.ask(WEBSITE)[0] == 503
    assert encrypted.ask(PORTAL)[0] == 301


def test_who_is_not_on_the_list_stays_outside(house, places, site) -> None:
    published = Published(
        house, places, changed(site, "gp-portal", hosts=("192.0.2.10", "2001:db8:f::/64"))
    ).start()
    assert published.ask(PORTAL)[0] == 403
    assert published.ask(PORTAL, source="192.0.2.10")[0] == 200
    assert published.ask(PORTAL, address=FRONT6)[0] == 403
    assert published.ask(PORTAL, address=FRONT6, source="2001:db8:f::20")[0] == 200
    assert published.ask(WEBSITE)[0] == 200


def test_hours_of_use_and_rates_are_the_sites(house, places, site) -> None:
    wall = on_the_wall(Instant(time.time_ns() // 1000))
    minute = wall.hour * 60 + wall.minute
    now = Hours(days=(wall.isoweekday(),), begins=max(0, minute - 2), ends=min(24 * 60, minute + 3))
    past = Hours(days=(wall.isoweekday() % 7 + 1,), begins=0, ends=24 * 60)
    described = changed(changed(site, "website", hours=now, requests=10), "gp-portal", hours=past)
    published = Published(house, places, described).start()
    published.enforce(published.stand(website=FILTERED))
    status, headers, body = published.ask(PORTAL)
    assert (status, headers["Retry-After"]) == (503, "600")
    assert "04 000 00 50" in body
    answers = [published.ask(WEBSITE)[0] for _ in range(14)]
    assert answers[0] == 200
    assert answers[-1] == 429
    assert published.ask(WEBSITE, source="192.0.2.10")[0] == 200


@pytest.mark.timed
def test_a_suppliers_visit_is_ended_by_the_kernel_alone(house, places, site) -> None:
    supplier = "198.51.100.5"
    described = replace(
        site,
        openings=tuple(replace(o, normally=CLOSED) if o.id == "vendor" else o for o in site.openings),
    )
    published = Published(house, places, described).start()
    listening = house.listen("servers", "10.2.0.5", 3389)
    with contextlib.closing(listening):
        published.enforce(published.stand(vendor=CLOSED))
        assert house.answer("out", "10.2.0.5", 3389, supplier) == "silence"
        now = time.time_ns() // 1000
        visit = Stand(state=FILTERED, until=Instant(now + 1_500_000), then=CLOSED)
        wanted = published.stand()
        published.enforce(replace(wanted, stands={**wanted.stands, "vendor": visit}))
        with house.call("out", "10.2.0.5", 3389, supplier) as session:
            assert house.answer("out", "10.2.0.5", 3389, "192.0.2.10") == "silence"
            held, _ = listening.accept()
            with held:
                time.sleep(1.6)  # nobody of ours does anything
                held.sendall(b"are you there?")
                session.settimeout(0.5)
                with pytest.raises(TimeoutError):
                    session.recv(64)
        assert house.answer("out", "10.2.0.5", 3389, supplier) == "silence"


def letting_in(published: Published, opening: str, limits: Limits) -> Enforcement:
    """A visit of a minute with these limits; everything else is open."""
    until = Instant(time.time_ns() // 1000 + 60_000_000)
    visit = Stand(state=FILTERED, until=until, then=CLOSED, limits=limits)
    standing = published.stand()
    return replace(standing, stands={**standing.stands, opening: visit})


def for_visits(site: Site, name: str, **fields: object) -> Site:
    opened = tuple(
        replace(each, normally=CLOSED, **fields) if each.id == name else each  # type: ignore[arg-type]
        for each in site.openings
    )
    return replace(site, openings=opened)


def test_a_limited_visit_reaches_its_machine_and_not_the_neighbour(house, places, site) -> None:
    supplier, colleague = "198.51.100.5", "192.0.2.10"
    described = for_visits(site, "vendor", hosts=(supplier, colleague, "2001:db8:f::20"))
    with house.inside("gw"):
        kernel = Kernel(described)
    published = Published(house, places, described)
    house.at("servers", "ip", "addr", "replace", "10.2.0.6/24", "dev", "eth0")
    with (
        contextlib.closing(house.listen("servers", "10.2.0.5", 3389)) as listening,
        contextlib.closing(house.listen("servers", "10.2.0.6", 3389)),
        contextlib.closing(house.listen("servers", "fd00:2::5", 3389)),
    ):

        def reached(source: str) -> list[str]:
            family = ("fd00:2::5",) if ":" in source else ("10.2.0.5", "10.2.0.6")
            return [host for host in family if house.answer("out", host, 3389, source) == "yes"]

        def admit(*hosts: str, source: str = supplier) -> None:
            wanted = letting_in(published, "vendor", Limits(source=source, hosts=hosts))
            kernel.enforce(wanted, Instant(time.time_ns() // 1000))

        admit("10.2.0.5")
        assert (reached(supplier), reached(colleague), reached("2001:db8:f::20")) == (["10.2.0.5"], [], [])
        with house.call("out", "10.2.0.5", 3389, supplier) as session:
            held, _ = listening.accept()
            while held.getpeername() != session.getsockname():  # those of `reached` came before
                held.close()
                held, _ = listening.accept()
            with held:
                admit("10.2.0.6")
                assert (reached(supplier), reached(colleague)) == (["10.2.0.6"], [])
                held.sendall(b"are you there?")
                session.settimeout(0.5)
                with pytest.raises(TimeoutError):
                    session.recv(64)
        admit("fd00:2::5", source="2001:db8:f::20")
        assert (reached("2001:db8:f::20"), reached(supplier)) == (["fd00:2::5"], [])


def test_a_limited_visit_shows_its_own_certificate(house, places, site, folder, authority) -> None:
    signer, trusted = authority
    supplier, colleague = "198.51.100.5", "192.0.2.10"
    portal = signer.write(folder / "portal.pem", PORTAL)
    described = changed(
        for_visits(site, "gp-portal"), "gp-portal", tls=Tls(certificate=str(portal), clients=str(trusted))
    )
    published = Published(house, places, described).start()
    mine, other = (
        signer.write(folder / "peeters.pem", "J. Peeters"),
        signer.write(folder / "maes.pem", "K. Maes"),
    )
    der = ssl.PEM_cert_to_DER_cert(x509(mine))
    limits = Limits(source=supplier, certificate=hashlib.sha256(der).hexdigest())

    def asked(shown: Path, source: str) -> int:
        return published.ask(PORTAL, trust=trusted, shown=shown, source=source)[0]

    published.enforce(published.stand(gp_portal=CLOSED))
    assert asked(mine, supplier) == 503
    wanted = letting_in(published, "gp-portal", limits)
    published.enforce(wanted)
    now = Instant(time.time_ns() // 1000)
    assert disagreements(wanted, published.gateway.read(now), now) == ()
    assert (asked(mine, supplier), asked(other, supplier), asked(mine, colleague)) == (200, 403, 403)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        published.ask(PORTAL, trust=trusted, source=supplier)
    published.enforce(published.stand(gp_portal=FILTERED))
    assert asked(other, colleague) == 200


def test_a_visit_may_name_a_certificate_of_the_suppliers_own_authority(
    house, places, site, folder, authority
) -> None:
    signer, trusted = authority
    supplier, theirs = "198.51.100.5", Signer("Supplier")
    portal = signer.write(folder / "portal.pem", PORTAL)
    described = changed(
        for_visits(site, "gp-portal"), "gp-portal", tls=Tls(certificate=str(portal), clients=str(trusted))
    )
    published = Published(house, places, described).start()
    chained, alone, over = folder / "chained.pem", folder / "alone.pem", folder / "over.pem"
    theirs.write(chained, "J. Peeters")
    chained.write_bytes(chained.read_bytes() + theirs.write_authority(folder / "theirs.pem").read_bytes())
    theirs.write(alone, "J. Peeters")
    theirs.write(over, "J. Peeters", ends=-_DAY / 2)
    himself = theirs.write_self(folder / "self.pem")
    known = signer.write(folder / "known.pem", "K. Maes")

    def asked(shown: Path) -> int:
        return published.ask(PORTAL, trust=trusted, shown=shown, source=supplier)[0]

    def visit(named: Path) -> None:
        der = ssl.PEM_cert_to_DER_cert(x509(named))
        limits = Limits(source=supplier, certificate=hashlib.sha256(der).hexdigest())
        published.enforce(letting_in(published, "gp-portal", limits))

    for named, other in ((chained, alone), (alone, himself), (himself, chained)):
        visit(named)
        assert (asked(named), asked(other), asked(known)) == (200, 403, 403)
    visit(over)
    with pytest.raises((ssl.SSLError, ConnectionError)):  # out of date is out of date, whoever is named
        asked(over)
    published.enforce(published.stand(gp_portal=FILTERED))  # with no certificate named, the authority counts
    assert (asked(known), asked(chained), asked(himself)) == (200, 403, 403)


def x509(path: Path) -> str:
    """The first certificate of a PEM file that holds a key too."""
    return re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", path.read_text(), re.DOTALL)[
        0
    ]  # type: ignore[index]
