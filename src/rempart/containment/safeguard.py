"""What may never be blocked or isolated, and why: the last word before any measure.

Two circles. Nobody, person or machine, takes away the operators' way in, the site's own addresses, or blocks what
is inside (that is what isolating is for). A machine moreover never touches what residents' lives hang on, nor what
the first openings of care need, nor more addresses than one attacker plausibly has.
"""

from collections.abc import Collection, Iterable, Iterator

from rempart.containment.holdings import network
from rempart.containment.names import Address
from rempart.containment.way import addresses
from rempart.errors import InputRefused
from rempart.phrase import Phrase, phrase
from rempart.site.address import Network
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Asset, Site

CARE_FIRST = 2
"""Openings up to this weight (`Opening.care`) are the first that care needs; machines leave their hosts alone."""
_WIDEST_BY_MACHINE = {4: 24, 6: 48}
"""Shortest prefix a machine may block. A home's or a rented server's network; wider hits bystanders."""
_WIDEST_BY_PERSON = {4: 8, 6: 16}
"""Shortest prefix anybody may block; who wants more wants containment."""


def protects(
    site: Site, target: str, *, by_machine: bool, named: Collection[Address] = frozenset()
) -> Phrase | None:
    """Why ``target`` (an outside address or network to block, or the id of an asset to isolate) must be left alone.

    ``named``: the addresses to which names that care needs lead now; no machine blocks them either. None: nothing
    stands against it. A target that is neither is refused too.
    """
    asset = next((asset for asset in site.assets if asset.id == target), None)
    try:
        reasons = (
            _against_isolating(site, asset, by_machine=by_machine)
            if asset
            else _against_blocking(site, network(target), named, by_machine=by_machine)
        )
        return next(reasons, None)
    except InputRefused:
        return phrase("guards-no-network", target=target)


def _against_blocking(
    site: Site, target: Network, named: Collection[Address], *, by_machine: bool
) -> Iterator[Phrase]:
    if _meets(target, _operators(site)):
        yield phrase("guards-way-in")
    if _meets(target, _own(site)):
        yield phrase("guards-gateway")
    if _meets(target, _inside(site)):
        yield phrase("guards-inside")
    if not _can_be_a_peer(target):
        yield phrase("guards-no-peer")
    if target.prefixlen < _WIDEST_BY_PERSON[target.version]:
        yield phrase("guards-too-wide")
    if by_machine:
        yield from _against_blocking_by_machine(site, target)
        if any(address in target for address in named):
            yield phrase("guards-named")


def _against_blocking_by_machine(site: Site, target: Network) -> Iterator[Phrase]:
    if target.prefixlen < _WIDEST_BY_MACHINE[target.version]:
        yield phrase("guards-many")
    for opening in site.openings:
        if opening.lifeline and _meets(target, addresses(opening.hosts)):
            yield phrase("guards-lifeline", opening=opening.id)
        if serves_care(opening) and _meets(target, addresses(opening.hosts)):
            yield phrase("guards-care", opening=opening.id)


def _against_isolating(site: Site, asset: Asset, *, by_machine: bool) -> Iterator[Phrase]:
    mine = [network(address) for address in asset.addresses]
    if any(_meets(address, _operators(site)) for address in mine):
        yield phrase("guards-way-in")
    if any(_meets(address, _own(site)) for address in mine):
        yield phrase("guards-gateway-address")
    if not mine:
        yield phrase("guards-no-known-address")
    if by_machine and asset.kind.lives_depend_on_it:
        yield phrase("guards-lives", sort=asset.kind.value)
    if by_machine and site.care_files and site.care_files.server == asset.id:
        yield phrase("guards-care-files")


def serves_care(opening: Opening) -> bool:
    """Whether care needs this opening among the first."""
    return opening.care <= CARE_FIRST and opening.normally is not OpeningState.CLOSED


def _operators(site: Site) -> Iterator[Network]:
    return (network(text) for safeguard in site.safeguards for text in safeguard.networks)


def _own(site: Site) -> Iterator[Network]:
    return (network(text.partition("/")[0]) for text in site.uplink.addresses)


def _inside(site: Site) -> Iterator[Network]:
    return (network(text) for zone in site.zones for text in zone.networks)


def _can_be_a_peer(target: Network) -> bool:
    return (
        not (target.is_loopback or target.is_link_local or target.is_multicast or target.is_unspecified)
        and str(target) != "255.255.255.255/32"
    )


def _meets(target: Network, others: Iterable[Network]) -> bool:
    return any(target.version == other.version and target.overlaps(other) for other in others)
