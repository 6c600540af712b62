from dataclasses import replace

from syrupy.assertion import SnapshotAssertion

from rempart.containment.render.unbound import config
from rempart.site.site import Site


def test_the_resolvers_of_the_opening_are_asked(resolving: Site, snapshot: SnapshotAssertion) -> None:
    assert config(resolving) == snapshot


def test_without_any_the_root_itself_is_asked(resolving: Site) -> None:
    openings = tuple(
        replace(each, hosts=("*",)) if each.id == "names" else each for each in resolving.openings
    )
    assert "forward-zone" not in config(replace(resolving, openings=openings))
