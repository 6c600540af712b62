from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.config import Places
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render.gate import config, servers, states, states_map
from rempart.errors import InputRefused
from rempart.site.opening import OpeningState
from rempart.site.site import Site

PLACES = Places(site=Path("/etc/site.toml"), state=Path("/state"), run=Path("/run/rempart"), rules=())
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


def test_the_gate_of_a_hosted_care_file(resolving: Site, snapshot: SnapshotAssertion) -> None:
    assert config(resolving, PLACES) == snapshot
    assert list(servers(resolving)) == [("named_9/server", "care-file"), ("others_9_3/server", "browsing")]


def test_states_are_closed_until_somebody_says_otherwise(resolving: Site) -> None:
    wanted = Enforcement(stands={"care-file": Stand(state=FILTERED), "telephone": Stand(state=OPEN)})
    assert states(resolving, wanted) == {"browsing": CLOSED, "care-file": FILTERED}
    assert states_map(resolving, wanted) == "browsing closed\ncare-file filtered\n"


def test_a_site_without_shared_addresses_or_without_resolver_has_no_gate(site: Site, resolving: Site) -> None:
    assert states(site, Enforcement(stands={})) == {}
    assert "frontend" not in config(replace(resolving, resolver=None), PLACES)


@pytest.mark.parametrize("hostile", ["a b", "a\n\tserver evil 192.0.2.66:443", "-m", "a;b", "é"])
def test_a_name_that_would_say_more_is_refused(resolving: Site, hostile: str) -> None:
    openings = tuple(
        replace(each, hosts=(hostile,)) if each.id == "care-file" else each for each in resolving.openings
    )
    with pytest.raises(InputRefused):
        config(replace(resolving, openings=openings), PLACES)
