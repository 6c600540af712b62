"""Says whether a site, as described, can be defended: what is refused, what is doubtful, what is still blank."""

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from rempart.errors import Problem
from rempart.site import reach
from rempart.site.flaw import Flaw, flaw
from rempart.site.opening import Direction, Opening, OpeningState, Service, is_name
from rempart.site.site import Site
from rempart.site.trial import TrialLength, spelled

_NOBODYS = tuple(map(ipaddress.ip_network, ("198.18.0.0/15", "192.0.2.0/24")))
"""Networks kept for benchmarks and examples (RFC 2544, RFC 5737), which the templates use as blanks."""


def check(site: Site) -> tuple[Flaw, ...]:
    """What makes the site unfit to be defended; empty when nothing does."""
    return (
        *_without_safeguard(site),
        *_wide_safeguards(site),
        *_published_to_names(site),
        *_dead_fallbacks(site),
        *_lifelines_by_name(site),
        *_staff_page_outside(site),
    )


def advise(site: Site) -> tuple[Problem, ...]:
    """What is doubtful, but may be so on purpose."""
    return (
        *_without_lifeline(site),
        *_lifelines_without_phone(site),
        *_names_only(site),
        *_past_the_resolver(site),
        *_lifelines_anywhere(site),
        *_shared(site),
        *_nobody_to_call(site),
        *_clear_text(site),
        *_unfiltered(site),
        *_no_ward(site),
        *_trials(site),
        *_beside_the_path(site),
        *reach.advise(site),
    )


def blanks(site: Site) -> tuple[Flaw, ...]:
    """What a template could not know and nobody has filled in yet."""
    return (*_blank_phones(site), *_blank_hosts(site), *_blank_networks(site))


def _opening(opening: Opening) -> str:
    return f"openings '{opening.id}'"


# -- refused -----------------------------------------------------------------------------------------------------


def _without_safeguard(site: Site) -> Iterator[Flaw]:
    if not site.safeguards:
        yield flaw("no-safeguard", "safeguards")


def _wide_safeguards(site: Site) -> Iterator[Flaw]:
    """A safeguard is never cut, so one that covers the whole world would be a hole in the wall."""
    for safeguard in site.safeguards:
        for network in safeguard.networks:
            if ipaddress.ip_network(network).prefixlen == 0:
                yield flaw("wide-safeguard", "safeguards", safeguard=safeguard.id, network=network)


def _published_to_names(site: Site) -> Iterator[Flaw]:
    """The proxy sees addresses: a list of names alone would let nobody in."""
    for opening in site.published():
        if all(map(is_name, opening.hosts)):
            yield flaw("to-names", "openings", opening.id)


def _dead_fallbacks(site: Site) -> Iterator[Flaw]:
    """A fallback may lean on a lifeline only, and the chain must end outside the wall.

    The default cut leaves lifelines filtered; a named person may still close one, and then what leans on it must
    have somewhere to go.
    """
    for opening in site.openings:
        for needed in opening.fallback.depends_on:
            if not site.opening(needed).lifeline:
                yield flaw("dead-fallback", "openings", opening.id, opening=needed)
        if _never_ends(site, opening):
            yield flaw("endless-fallback", "openings", opening.id, chain=" → ".join(_chain(site, opening)))


def _lifelines_by_name(site: Site) -> Iterator[Flaw]:
    """A lifeline that is found by its name must still be found while the site is cut."""
    if site.resolver is None or site.opening(site.resolver.opening).lifeline:
        return
    for opening in site.lifelines():
        if any(map(is_name, opening.hosts)):
            yield flaw("lifeline-by-name", "openings", opening.id, opening=site.resolver.opening)


def _staff_page_outside(site: Site) -> Iterator[Flaw]:
    """What anybody may read without an account is for the house: it must not lie where outside begins."""
    if site.staff_page is None:
        return
    mine = {ipaddress.ip_interface(each).ip for each in site.uplink.addresses}
    address = ipaddress.ip_address(site.staff_page.address)
    if address.is_unspecified or (site.enforces and address in mine):
        yield flaw("staff-page-outside", "staff_page", address=str(address))


def _never_ends(site: Site, opening: Opening) -> bool:
    return len(_chain(site, opening)) > 1 and _chain(site, opening)[-1] == opening.id


def _chain(site: Site, opening: Opening) -> list[str]:
    """A way from the opening through fallbacks back to itself, or only itself when there is none."""
    paths = [[opening.id]]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        for needed in site.opening(path[-1]).fallback.depends_on:
            if needed == opening.id:
                return [*path, needed]
            if needed not in seen:
                seen.add(needed)
                paths.append([*path, needed])
    return [opening.id]


# -- doubtful ----------------------------------------------------------------------------------------------------


def _beside_the_path(site: Site) -> Iterator[Problem]:
    """An observer cuts nothing: whoever is told so at night needs to know what to do instead."""
    if site.enforces:
        return
    if not site.by_hand.cut:
        yield Problem(
            "the station only watches, and nobody wrote down how to cut by hand",
            "by_hand",
            'Add [by_hand] with `cut = ["…", "…"]`: the steps at your firewall or switch, one a line.',
        )
    if site.resolver or any(True for _ in site.published()):
        yield Problem(
            "the station only watches: it answers for no names, and publishes nothing",
            "placement",
            "What site.toml says of it holds once the station is the gateway.",
        )


def _without_lifeline(site: Site) -> Iterator[Problem]:
    if not any(site.lifelines()):
        yield Problem(
            "no opening is a lifeline: a cut stops the telephone and the alarms too",
            "openings",
            "Mark those on which residents' safety hangs with `lifeline = true`.",
        )


def _lifelines_without_phone(site: Site) -> Iterator[Problem]:
    for opening in site.lifelines():
        if opening.fallback.phone is None:
            yield Problem(
                "a lifeline whose fallback has no telephone number",
                _opening(opening),
                "Add `phone` to its fallback, if somebody can be called.",
            )


def _names_only(site: Site) -> Iterator[Problem]:
    for opening in site.openings:
        hosts = [host for host in opening.hosts if not host.endswith(".invalid")]
        if opening.publication is None and hosts and all(map(is_name, hosts)):
            yield Problem(
                "it has names but no address: it passes only while names resolve"
                if site.resolver
                else "it has names but no address, and the site has no [resolver]: nothing passes by it",
                _opening(opening),
                "Add the addresses, when the other side can tell them."
                if site.resolver
                else "Add a [resolver] with the opening through which names are asked, or the addresses.",
            )


def _past_the_resolver(site: Site) -> Iterator[Problem]:
    """With a resolver of its own, the station lets nobody inside ask another one outside (ports 53 and 853)."""
    for opening in site.openings:
        asks = any(
            service.first_port <= port <= service.last_port
            for service in opening.services
            for port in (53, 853)
        )
        outward = opening.direction is not Direction.IN
        if site.resolver and opening.id != site.resolver.opening and outward and asks:
            yield Problem(
                "its ports 53 and 853 stay closed: the station alone asks for names outside",
                _opening(opening),
                f"Remove those ports, or let '{site.resolver.opening}' lead to these hosts.",
            )


def _lifelines_anywhere(site: Site) -> Iterator[Problem]:
    for opening in site.lifelines():
        if "*" in opening.hosts:
            yield Problem(
                "a lifeline that leads anywhere: filtering it stops nothing",
                _opening(opening),
                "List the hosts it needs.",
            )


def _shared(site: Site) -> Iterator[Problem]:
    for one, other in combinations(site.openings, 2):
        if one.publication or other.publication or one.direction is not other.direction:
            continue
        shared = sorted((set(one.hosts) & set(other.hosts)) - {"*"})
        if shared and set(one.zones) & set(other.zones) and _services_meet(one, other):
            yield Problem(
                f"it shares {', '.join(shared)} with '{one.id}', which takes its traffic",
                _opening(other),
                "Packets cannot tell the two apart: they open and close together, as the first.",
            )


def _services_meet(one: Opening, other: Opening) -> bool:
    return any(_meet(mine, theirs) for mine in one.services for theirs in other.services)


def _meet(one: Service, other: Service) -> bool:
    return (
        one.transport is other.transport
        and one.first_port <= other.last_port
        and other.first_port <= one.last_port
    )


def _nobody_to_call(site: Site) -> Iterator[Problem]:
    if not site.contacts:
        yield Problem(
            "there is nobody to call", "contacts", "Add a [[contacts]] with a role, a name and a number."
        )


def _no_ward(site: Site) -> Iterator[Problem]:
    if not site.wards:
        yield Problem(
            "no ward is named: nobody can say whether care goes on, and no cut can be rehearsed",
            "wards",
            "Add a [[wards]] for each part of the house where people are cared for.",
        )


def _trials(site: Site) -> Iterator[Problem]:
    usual = TrialLength()
    if site.trial.shortest < usual.shortest or site.trial.longest > usual.longest:
        yield Problem(
            f"a trial may last from {spelled(site.trial.shortest)} to {spelled(site.trial.longest)}",
            "trial",
            "What reopens is watched for 24 to 72 hours; remove [trial], unless this is an exercise.",
        )


def _clear_text(site: Site) -> Iterator[Problem]:
    for opening in site.published():
        publication = opening.publication
        if publication and publication.tls is None and not _blank_host(publication.host):
            yield Problem(
                "it is published without encryption: anybody on the way reads what is typed",
                _opening(opening),
                "Add `tls = { certificate = … }` to its publication.",
            )


def _unfiltered(site: Site) -> Iterator[Problem]:
    for opening in site.published():
        publication = opening.publication
        if publication and opening.normally is OpeningState.OPEN and not _blank_host(publication.host):
            yield Problem(
                "it is normally open: its requests do not pass the web filter",
                _opening(opening),
                'Write `normally = "filtered"`, unless the filter stands in its way.',
            )


def _blank_host(host: str) -> bool:
    return host.endswith(".invalid")


# -- blank -------------------------------------------------------------------------------------------------------


def _blank_phones(site: Site) -> Iterator[Flaw]:
    if not site.phone:
        yield flaw("blank-phone", "phone")
    for contact in site.contacts:
        if not contact.phone:
            yield flaw("blank-contact", "contacts", contact.name)


def _blank_hosts(site: Site) -> Iterator[Flaw]:
    for opening in site.openings:
        hosts = [*opening.hosts, *([opening.publication.host] if opening.publication else [])]
        blank = [host for host in hosts if host.endswith(".invalid") or _is_nobodys(host)]
        if blank:
            yield flaw("blank-host", "openings", opening.id, blank=blank)


def _blank_networks(site: Site) -> Iterator[Flaw]:
    held = [("uplink", "", site.uplink.addresses)]
    held += [("zones", zone.id, zone.networks) for zone in site.zones]
    held += [("safeguards", safeguard.id, safeguard.networks) for safeguard in site.safeguards]
    for kind, of, networks in held:
        if blank := [network for network in networks if _is_nobodys(network)]:
            yield flaw("blank-network", kind, of, blank=blank)


def _is_nobodys(host: str) -> bool:
    network = _network(host)
    return isinstance(network, ipaddress.IPv4Network) and any(
        network.subnet_of(kept) for kept in _NOBODYS if isinstance(kept, ipaddress.IPv4Network)
    )


def _network(host: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_interface(host).network
    except ValueError:
        return None
