"""Parts of a site that do not agree are told, each with what would mend it."""

import pytest

from rempart.errors import SiteInvalid
from rempart.site.description import parse

RESOLVER = """
[resolver]
opening = "names"
relays = ["files"]
[[openings]]
id = "names"
name = "Noms"
direction = "out"
zones = ["servers"]
hosts = ["198.51.100.53", "2001:db8:9::53"]
services = ["udp/53", "tcp/53"]
care = 0
lifeline = true
fallback = { text = "papier", phone = "0470 00 00 03" }
[[openings]]
id = "care-file"
name = "Dossier"
direction = "out"
zones = ["wards"]
hosts = ["care.example"]
services = ["tcp/443"]
care = 1
shared_addresses = true
fallback = { text = "papier", phone = "0470 00 00 03" }
"""


def test_a_site_that_resolves(good: str) -> None:
    site = parse(good + RESOLVER, "site.toml")
    assert site.resolver
    assert (site.resolver.opening, site.resolver.relays) == ("names", ("files",))
    assert site.opening("care-file").shared_addresses


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('opening = "names"', 'opening = "name"', "there is no opening 'name'"),
        ('relays = ["files"]', 'relays = ["file"]', "there is no asset 'file'"),
        ('opening = "names"', 'opening = "website"', "does not lead to resolvers"),
        ('"198.51.100.53"', '"dns.example"', "does not lead to resolvers"),
        ('"198.51.100.53"', '"198.51.100.0/24"', "does not lead to resolvers"),
        ('"udp/53", "tcp/53"', '"udp/53"', "does not lead to resolvers"),
        ('["care.example"]', '["care.example", "192.0.2.1"]', "names are told apart in TLS"),
        ('["care.example"]', '["*"]', "names are told apart in TLS"),
        ('["tcp/443"]', '["tcp/443", "udp/443"]', "names are told apart in TLS"),
        ('["tcp/443"]', '["tcp/443-444"]', "names are told apart in TLS"),
    ],
)
def test_a_resolver_that_cannot_be(good: str, right: str, wrong: str, told: str) -> None:
    assert right in RESOLVER
    with pytest.raises(SiteInvalid) as refused:
        parse(good + RESOLVER.replace(right, wrong), "site.toml")
    assert told in str(refused.value.problems)
