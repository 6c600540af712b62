from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.config import Places
from rempart.containment.refusal import Refusal
from rempart.containment.render.modsecurity import config, rules
from rempart.errors import InputRefused
from rempart.site.site import Site

PLACES = Places(site=Path("/etc/site.toml"), state=Path("/var/lib/r"), run=Path("/run/r"), rules=())


def test_the_configuration(site: Site, snapshot: SnapshotAssertion) -> None:
    assert config(site, PLACES) == snapshot


def test_the_rules(snapshot: SnapshotAssertion) -> None:
    assert rules(PLACES) == snapshot


def test_every_published_service_has_a_socket_of_its_own(site: Site) -> None:
    sockets = [str(PLACES.filter_socket(opening.mark)) for opening in site.published()]
    assert sockets == ["/run/r/filtering/4.sock", "/run/r/filtering/5.sock"]
    assert all(f"listen unix:{path};" in config(site, PLACES) for path in sockets)


def test_nothing_of_a_request_is_written(site: Site) -> None:
    assert "access_log off;" in config(site, PLACES)
    assert "error_log stderr crit;" in config(site, PLACES)
    assert "SecAuditEngine Off" in rules(PLACES)
    assert "SecUploadKeepFiles Off" in rules(PLACES)


def test_it_refuses_and_does_not_only_watch() -> None:
    assert rules(PLACES).splitlines()[0] == "SecRuleEngine On"
    statuses = [line for line in rules(PLACES).splitlines() if "deny" in line]
    assert len(statuses) == len(Refusal) + 2


def test_a_server_of_the_sixth_family(site: Site) -> None:
    website = site.opening("website")
    assert website.publication
    moved = replace(website, publication=replace(website.publication, address="fd00:3::2"))
    assert "proxy_pass http://[fd00:3::2]:8080;" in config(replace(site, openings=(moved,)), PLACES)


@pytest.mark.parametrize("folder", ["/run/a b", "/run/;load_module", "/run/$host"])
def test_a_folder_that_could_break_out_is_refused(site: Site, folder: str) -> None:
    places = replace(PLACES, run=Path(folder))
    with pytest.raises(InputRefused):
        config(site, places)
    with pytest.raises(InputRefused):
        rules(places)
