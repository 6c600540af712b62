from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from rempart.config import Places
from rempart.containment.limits import Limits
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render.haproxy import (
    certificate_entries,
    config,
    encrypted_map,
    hosts_map,
    live,
    openings_map,
    stands,
)
from rempart.errors import InputRefused
from rempart.instants import Instant
from rempart.site.hours import Hours
from rempart.site.opening import Fallback, OpeningState, Tls
from rempart.site.site import Site

PLACES = Places(site=Path("/etc/site.toml"), state=Path("/var/lib/r"), run=Path("/run/r"), rules=())


def test_the_configuration(site: Site, snapshot: SnapshotAssertion) -> None:
    assert config(site, PLACES, run_as="haproxy") == snapshot


def test_where_the_uplinks_address_is_not_known_the_front_listens_on_every_one_of_both_families(
    site: Site,
) -> None:
    leased = config(replace(site, uplink=replace(site.uplink, addresses=())), PLACES, run_as="haproxy")
    binds = [line.strip() for line in leased.splitlines() if "bind " in line]
    assert binds == ["bind 0.0.0.0:80", "bind [::]:80 v6only"]


def test_the_maps(site: Site) -> None:
    wanted = Enforcement(stands={"website": Stand(state=OpeningState.FILTERED)})
    assert openings_map(site, wanted) == "website filtered\ngp-portal closed\n"
    assert hosts_map(site) == "www.tilleuls.example website\nportail.tilleuls.example gp-portal\n"


HOSTILE = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["'\n\tbind :22", "%[env(HOME)]", "</h1><script>", "\u202e", "\x1b[2J", '" } use_backend x']
    ),
)


@given(text=HOSTILE)
def test_words_of_the_site_never_reach_the_configuration(site: Site, text: str) -> None:
    spoken = replace(
        site,
        name=text,
        phone=text,
        openings=tuple(
            replace(opening, name=text, fallback=Fallback(text=text, phone=text)) for opening in site.openings
        ),
    )
    assert config(spoken, PLACES) == config(site, PLACES)


def test_holes_of_a_page_are_looked_up_and_its_percent_signs_stay() -> None:
    page = "100 % \ue000website.fr\ue001 \ue000state:gp-portal\ue001"
    assert live(page, PLACES) == (
        "100 %% %[str(website.fr),map_str(/run/r/proxy/notices.map,-)] "
        "%[str(state:gp-portal),regsub(state:,),map_str(/run/r/proxy/openings.map,closed)]"
    )


@pytest.mark.parametrize("name", ["a),env(HOME", "é", "", "a b"])
def test_a_hole_can_name_nothing_else(name: str) -> None:
    with pytest.raises(InputRefused):
        live(f"\ue000{name}\ue001", PLACES)


@pytest.mark.parametrize("hostile", ["a b", "x\n", "", "é", "a'b", "-x", "a" * 64])
def test_an_id_or_a_host_that_could_break_out_is_refused(site: Site, hostile: str) -> None:
    website = site.opening("website")
    assert website.publication
    for bad in (
        replace(website, id=hostile),
        replace(website, publication=replace(website.publication, host=hostile + "!")),
        replace(website, publication=replace(website.publication, address=f"fe80::1%{hostile}")),
    ):
        house = replace(site, openings=(bad,))
        with pytest.raises(InputRefused):
            _ = (config(house, PLACES), hosts_map(house))


def test_a_service_for_named_callers_only(site: Site) -> None:
    portal = replace(site.opening("gp-portal"), hosts=("192.0.2.0/28",))
    rendered = config(replace(site, openings=(portal,)), PLACES)
    assert "\tacl callers_5 src 192.0.2.0/28\n" in rendered
    assert "deny deny_status 403 if { var(txn.opening) -m str gp-portal } !callers_5\n" in rendered


@pytest.mark.parametrize(("largest", "room"), [(0, None), (12_288, None), (12_289, 32_768), (60_000, 65_536)])
def test_the_largest_page_has_room(site: Site, largest: int, room: int | None) -> None:
    rendered = config(site, PLACES, largest=largest)
    assert ("tune.bufsize" in rendered) is (room is not None)
    assert room is None or f"\ttune.bufsize {room}\n" in rendered


TLS = Tls(certificate="/etc/rempart/www.pem", clients="/etc/rempart/gps.pem", hsts_days=10)


def encrypted(site: Site, **more: object) -> Site:
    portal = site.opening("gp-portal")
    assert portal.publication
    publication = replace(portal.publication, **{"tls": TLS, "requests": 40, **more})  # type: ignore[arg-type]
    return replace(site, openings=(site.opening("website"), replace(portal, publication=publication)))


def test_the_configuration_with_encryption_and_hours(site: Site, snapshot: SnapshotAssertion) -> None:
    hours = Hours(days=(1, 2, 3, 4, 5), begins=7 * 60 + 30, ends=20 * 60)
    house = encrypted(site, hours=hours)
    assert config(house, PLACES) == snapshot
    usable = {TLS.certificate, TLS.clients}
    assert certificate_entries(house, usable) == {
        "gp-portal": "/etc/rempart/www.pem [ca-file /etc/rempart/gps.pem verify required] portail.tilleuls.example"
    }
    assert encrypted_map(house, usable) == "gp-portal usable\n"


@pytest.mark.parametrize(
    ("tls", "usable"),
    [(TLS, {TLS.certificate}), (TLS, {TLS.clients}), (replace(TLS, clients=None), {TLS.clients})],
)
def test_a_certificate_that_cannot_be_used_closes_its_service_and_no_other(
    site: Site, tls: Tls, usable: set[str]
) -> None:
    house = encrypted(site, tls=tls)
    assert certificate_entries(house, usable) == {}
    assert encrypted_map(house, usable) == "gp-portal unusable\n"
    rendered = config(house, PLACES).splitlines()
    looks = [line for line in rendered if "encrypted.map" in line]
    assert len(looks) == 1
    assert "return status 503" in looks[0]
    assert "if { var(txn.opening) -m str gp-portal } !{ str(gp-portal),map_str(" in looks[0]
    (redirect,) = (number for number, line in enumerate(rendered) if "redirect scheme https" in line)
    assert rendered.index(looks[0]) < redirect  # nobody is sent to where nothing is served


CLOSED = Stand(state=OpeningState.CLOSED)
VISIT = Stand(
    state=OpeningState.FILTERED,
    until=Instant(60_000_000),
    then=OpeningState.CLOSED,
    limits=Limits(source="198.51.100.7", certificate="ab" * 32),
)


@pytest.fixture
def visited(site: Site) -> Site:
    """The portal is for visits."""
    portal = replace(encrypted(site).opening("gp-portal"), normally=OpeningState.CLOSED)
    return replace(site, openings=(site.opening("website"), portal))


@pytest.mark.parametrize(
    ("stand", "let_in", "read"),
    [
        (CLOSED, "-", CLOSED),
        (Stand(state=OpeningState.FILTERED), "*", Stand(state=OpeningState.FILTERED)),
        (VISIT, f"198.51.100.7/{'ab' * 32}", replace(VISIT, until=None, then=None)),
        # Limits of another kind, from before the opening was published, let nobody in.
        (replace(VISIT, limits=Limits(source="198.51.100.7", hosts=("10.3.0.3",))), "-", CLOSED),
    ],
)
def test_who_is_let_in_stands_in_the_map_and_reads_back(
    visited: Site, stand: Stand, let_in: str, read: Stand
) -> None:
    text = openings_map(visited, Enforcement(stands={"gp-portal": stand}))
    assert text.splitlines()[-1] == f"gp-portal/visitor {let_in}"
    held = dict(line.split() for line in text.splitlines())
    assert stands(held)["gp-portal"] == read


def test_only_a_service_for_visits_hears_certificates_of_any_authority(site: Site, visited: Site) -> None:
    usable = {TLS.certificate, TLS.clients}
    assert "no-ca-names" in certificate_entries(visited, usable)["gp-portal"]
    assert "no-ca-names" not in certificate_entries(encrypted(site), usable)["gp-portal"]
    assert "crt-ignore-err" in config(visited, PLACES)
    assert "crt-ignore-err" not in config(encrypted(site), PLACES)
    for house in (site, visited):
        trusting = [line for line in config(house, PLACES).splitlines() if "ssl_c_verify" in line]
        assert len(trusting) == (house is visited)


def test_a_visit_with_limits_is_asked_for_its_certificate(visited: Site, snapshot: SnapshotAssertion) -> None:
    rendered = config(visited, PLACES)
    assert [
        line.strip() for line in rendered.splitlines() if "visitor" in line or "let_in" in line
    ] == snapshot
