"""Whether the parts of ``site.toml`` agree with one another: names, networks, addresses, ways to tell people."""

import ipaddress
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import combinations
from typing import Any

from rempart.site.flaw import flaw
from rempart.site.opening import Direction, Opening, Transport, is_name
from rempart.site.page import Page, Path
from rempart.site.site import Site
from rempart.site.telling import Channel

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def cross_check(page: Page, site: Site) -> None:
    """Everything that can only be judged with the whole file in hand. Blank values were reported already."""
    for kind in ("zones", "openings", "assets", "safeguards", "wards", "probes"):
        _distinct(page, kind, "id", "id", [entry.id for entry in getattr(site, kind)])
    written = [entry.get("mark") for entry in page.values.get("openings", ())]
    _distinct(page, "openings", "mark", "mark", written)
    _references(page, site)
    _no_overlap(page, site)
    _in_the_path(page, site)
    _publications(page, site)
    _resolution(page, site)
    _machines(page, site)
    _told(page, site)
    _enough(page, site)


def _distinct(page: Page, kind: str, key: str, called: str, values: list[Any]) -> None:
    first: dict[Any, int] = {}
    for number, value in enumerate(values):
        if not value or not isinstance(value, str | int):
            continue
        if value in first:
            before = page.line((kind, first[value], key))
            page.disagrees(
                (kind, number, key),
                flaw(f"{called}-twice", advice="first-given", line=before, value=value),
            )
        first.setdefault(value, number)


def _references(page: Page, site: Site) -> None:
    zones = {zone.id for zone in site.zones}
    openings = {opening.id for opening in site.openings}
    for number, zone in enumerate(site.zones):
        _known(page, ("zones", number, "reaches"), zone.reaches, zones, "zone")
    for number, opening in enumerate(site.openings):
        _known(page, ("openings", number, "zones"), opening.zones, zones, "zone")
        _known(page, ("openings", number, "needs"), opening.needs, openings, "opening")
        _known(
            page,
            ("openings", number, "fallback", "depends_on"),
            opening.fallback.depends_on,
            openings,
            "opening",
        )
        if opening.publication:
            _known(
                page, ("openings", number, "publication", "zone"), (opening.publication.zone,), zones, "zone"
            )
    for number, asset in enumerate(site.assets):
        _known(page, ("assets", number, "zone"), (asset.zone,), zones, "zone")
    for number, probe in enumerate(site.probes):
        _known(page, ("probes", number, "opening"), (probe.opening or "",), openings, "opening")
    if site.care_files:
        assets = {asset.id for asset in site.assets}
        _known(page, ("care_files", "server"), (site.care_files.server,), assets, "asset")
    if site.resolver:
        assets = {asset.id for asset in site.assets}
        _known(page, ("resolver", "opening"), (site.resolver.opening,), openings, "opening")
        _known(page, ("resolver", "relays"), site.resolver.relays, assets, "asset")


def _known(page: Page, path: Path, names: Iterable[str], known: set[str], called: str) -> None:
    for name in names:
        if name and name not in known:
            near = get_close_matches(name, known, n=1)
            page.disagrees(
                path,
                flaw(
                    f"no-{called}",
                    advice="near" if near else "known",
                    near=near[0] if near else "",
                    known=sorted(known),
                    **{called: name},
                ),
            )


def _no_overlap(page: Page, site: Site) -> None:
    held = [
        (ipaddress.ip_network(network), number, zone.id)
        for number, zone in enumerate(site.zones)
        for network in zone.networks
    ]
    for (one, _, first), (other, number, _) in combinations(held, 2):
        if _overlap(one, other):
            path = ("zones", number, "networks")
            page.disagrees(path, flaw("overlap", network=str(other), other=str(one), zone=first))
    for address in site.uplink.addresses:
        outside = ipaddress.ip_interface(address)
        for network, _, zone in held:
            if outside.ip in network:
                page.disagrees(
                    ("uplink", "addresses"), flaw("uplink-inside", address=str(outside.ip), zone=zone)
                )


def _in_the_path(page: Page, site: Site) -> None:
    """A gateway tells inside from outside by its interfaces; beside another one the networks say it."""
    for number, zone in enumerate(site.zones):
        if site.enforces and zone.interface and zone.interface == site.uplink.interface:
            page.disagrees(("zones", number, "interface"), flaw("uplink-twice", interface=zone.interface))


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _publications(page: Page, site: Site) -> None:
    hosts = [opening.publication.host if opening.publication else "" for opening in site.openings]
    _distinct(page, "openings", "publication", "host", hosts)
    for number, opening in enumerate(site.openings):
        if opening.publication is None:
            continue
        if opening.direction is Direction.OUT:
            page.disagrees(("openings", number, "direction"), flaw("published-out"))
        path = ("openings", number, "publication", "address")
        _standing(page, site, path, opening.publication.zone, opening.publication.address)


def _resolution(page: Page, site: Site) -> None:
    """The way to the resolvers outside, and openings whose names share their addresses."""
    for number, opening in enumerate(site.openings):
        if opening.shared_addresses and not _all_names_over_one_port(opening):
            page.disagrees(("openings", number, "shared_addresses"), flaw("shared-names"))
        if site.resolver and site.resolver.opening == opening.id and not _leads_to_resolvers(opening):
            page.disagrees(("resolver", "opening"), flaw("not-to-resolvers", opening=opening.id))


def _all_names_over_one_port(opening: Opening) -> bool:
    one = [each for each in opening.services if each.transport is Transport.TCP]
    alone = len(opening.services) == len(one) == 1 and one[0].first_port == one[0].last_port
    return opening.direction is Direction.OUT and alone and all(map(is_name, opening.hosts))


def _leads_to_resolvers(opening: Opening) -> bool:
    ports = {(each.transport, each.first_port, each.last_port) for each in opening.services}
    asked = ports == {(transport, 53, 53) for transport in Transport}
    several = any(is_name(host) or "/" in host for host in opening.hosts)  # one resolver has one address
    return opening.direction is Direction.OUT and asked and not several


def _machines(page: Page, site: Site) -> None:
    holders: dict[str, str] = {}
    for number, asset in enumerate(site.assets):
        for address in asset.addresses:
            _standing(page, site, ("assets", number, "addresses"), asset.zone, address)
            if address in holders:
                path = ("assets", number, "addresses")
                page.disagrees(path, flaw("address-twice", address=address, asset=holders[address]))
            holders[address] = asset.id


def _told(page: Page, site: Site) -> None:
    """Whom to tell: each role once, each with an address whose channel the station has."""
    telling = site.telling
    _distinct(page, "tell", "role", "id", [one.role for one in telling.recipients])
    for number, recipient in enumerate(telling.recipients):
        if not recipient.channels:
            page.disagrees(("tell", number), flaw("no-channel"))
        for channel in recipient.channels:
            if not telling.serves(channel):
                path = ("tell", number, channel.value)
                page.disagrees(path, flaw("no-sender", channel=channel.value, table=_SENDS[channel]))
    openings = {opening.id for opening in site.openings}
    for name, way in (("mail", telling.mail), ("gateway", telling.gateway), ("webhook", telling.webhook)):
        if way and way.opening:
            _known(page, ("telling", name, "opening"), (way.opening,), openings, "opening")


_SENDS = {
    Channel.TEXT: "[telling.modem] or [telling.gateway]",
    Channel.MAIL: "[telling.mail]",
    Channel.WEBHOOK: "[telling.webhook]",
}


def _standing(page: Page, site: Site, path: Path, zone_id: str, address: str) -> None:
    """An address inside must lie in a network of its zone."""
    zone = next((zone for zone in site.zones if zone.id == zone_id), None)
    if zone is None or not address or not zone.networks:
        return
    if not any(ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in zone.networks):
        page.disagrees(path, flaw("not-in-zone", address=address, zone=zone_id, networks=zone.networks))


def _enough(page: Page, site: Site) -> None:
    """What a site cannot be without."""
    for key in ("zones", "openings"):
        if not page.values.get(key):
            page.disagrees((), flaw(f"no-{key}"))
    if site.languages == () and page.values.get("languages") == []:
        page.disagrees(("languages",), flaw("no-language"))
    for number, opening in enumerate(site.openings):
        for key in ("zones", "hosts", "services"):
            if page.values["openings"][number].get(key) == []:
                page.disagrees(("openings", number, key), flaw("empty-list", key=key))
        if "*" in opening.hosts and len(opening.hosts) > 1:
            page.disagrees(("openings", number, "hosts"), flaw("star-beside"))
