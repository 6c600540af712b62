from dataclasses import replace

import pytest

from rempart.containment.render.nftables import layout
from rempart.errors import InputRefused
from rempart.site.site import Site


@pytest.mark.parametrize("hostile", ['a"; flush ruleset; "', "wan\n", "a b", "", "x" * 16, "*"])
def test_an_interface_that_is_no_name_is_refused(site: Site, hostile: str) -> None:
    with pytest.raises(InputRefused):
        layout(replace(site, uplink=replace(site.uplink, interface=hostile)))
