from dataclasses import replace

from rempart.containment.measure import Enforcement
from rempart.containment.render.nftables import ruleset
from rempart.instants import Instant
from rempart.site.site import Site
from rempart.site.staff_page import StaffPage

NOW = Instant(1_000_000_000)


def test_the_staff_page_is_read_from_inside_only(site: Site) -> None:
    page = replace(site, staff_page=StaffPage(address="10.1.0.1"))
    before, after = (ruleset(each, Enforcement(stands={}), NOW).splitlines() for each in (site, page))
    (rule,) = (line.strip() for line in after if line not in before and "chain layout" not in line)
    assert rule == "iifname @inside ip daddr 10.1.0.1 tcp dport 8421 accept"
