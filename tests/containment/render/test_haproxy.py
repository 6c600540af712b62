from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from rempart.config import Places
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render.haproxy import config, hosts_map, maintenance_page, openings_map
from rempart.site.opening import OpeningState
from rempart.site.site import Site

PLACES = Places(site=Path("/etc/site.toml"), state=Path("/var/lib/r"), run=Path("/run/r"), rules=())


def test_the_configuration(site: Site, snapshot: SnapshotAssertion) -> None:
    assert config(site, PLACES, run_as="haproxy") == snapshot


def test_the_maps(site: Site) -> None:
    wanted = Enforcement(stands={"website": Stand(state=OpeningState.FILTERED)})
    assert openings_map(site, wanted) == "website filtered\ngp-portal closed\n"
    assert hosts_map(site) == "www.tilleuls.example website\nportail.tilleuls.example gp-portal\n"


def test_the_page(site: Site, snapshot: SnapshotAssertion) -> None:
    assert maintenance_page(site, site.opening("website")) == snapshot
