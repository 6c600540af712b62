"""Which findings belong to one attack.

Two findings belong together when they share, within a day, an address outside that acted, a machine inside that
acted or told of itself what happened on it, or an account whose sign-in succeeded. Sharing a victim alone proves
nothing: the website is everybody's victim. An unrelated scanner therefore stays an incident of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.events.observable import ObservableKind, Role
from rempart.incidents.incident import Incident, IncidentState
from rempart.instants import Duration, Instant, hours
from rempart.site.address import meant
from rempart.site.site import Site

TOGETHER: Duration = hours(24)
"""How long after its last finding an incident still takes in another; one that the site is contained for, always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who takes part in a finding, sorted by side."""

    outside: frozenset[str]
    """Addresses outside that acted, or to which something inside went."""
    inside: frozenset[str]
    """Addresses of machines inside that acted."""
    victims: frozenset[str]
    accounts: frozenset[str]
    """Accounts concerned; they link findings only where the sign-in succeeded."""
    hosts: frozenset[str] = frozenset()
    """Machines that told of themselves what happened on them, by name: lower case, without their domain."""


def parties(site: Site, finding: Finding) -> Parties:
    """The parties of a finding, as this site sees its addresses."""
    actors = frozenset(finding.those(Role.ACTOR, ObservableKind.ADDRESS))
    victims = frozenset(finding.those(Role.VICTIM, ObservableKind.ADDRESS))
    related = frozenset(finding.those(Role.RELATED, ObservableKind.ADDRESS))
    own = _own(site)
    inside_actors = frozenset(a for a in actors if inside(site, a)) - own
    outside = frozenset(a for a in actors if not inside(site, a)) - own
    if inside_actors:  # what a machine inside talks to outside took part; what an outsider aims at did not
        outside |= frozenset(a for a in victims | related if not inside(site, a)) - own
    accounts = frozenset(
        o.value
        for o in finding.observables
        if o.kind is ObservableKind.ACCOUNT and not _is_the_machines(o.value)
    )
    return Parties(
        outside=outside, inside=inside_actors, victims=victims, accounts=accounts, hosts=_hosts(finding)
    )


def _hosts(finding: Finding) -> frozenset[str]:
    """A server at which somebody knocks is everybody's victim; what ran on a machine is that machine's affair."""
    if finding.kind in _KNOCKING:
        return frozenset()
    names = (o.value for o in finding.observables if o.kind is ObservableKind.HOST)
    return frozenset(name.partition(".")[0].lower() for name in names) - {""}


_KNOCKING = frozenset({Kind.SCAN, Kind.PROBE, Kind.GUESSING, Kind.SIGN_IN, Kind.DEVICE})


def _is_the_machines(account: str) -> bool:
    """Accounts that every Windows machine has, or is: sharing one links nothing."""
    name = account.rpartition("\\")[2].casefold()
    return name in _EVERYWHERE or name.endswith("$")


# In the four languages of Windows here; see `rempart.detection.languages`.
_EVERYWHERE = frozenset(
    name.casefold()
    for name in (
        *("", "-", "SYSTEM", "Système", "LOCAL SERVICE", "SERVICE LOCAL", "Lokale service", "LOKALER DIENST"),
        *("NETWORK SERVICE", "SERVICE RÉSEAU", "Netwerkservice", "NETZWERKDIENST"),
        *("ANONYMOUS LOGON", "ANONYMOUS-ANMELDUNG", "root", "S-1-5-18", "S-1-5-19", "S-1-5-20"),
    )
)


def inside(site: Site, address: str) -> bool:
    """True when the address lies in one of the site's zones."""
    try:
        wanted = meant(ip_address(address))
    except ValueError:
        return False
    return any(wanted in _network(text) for zone in site.zones for text in zone.networks)


@lru_cache(maxsize=1 << 10)
def _network(text: str) -> IPv4Network | IPv6Network:
    """Parsed once: a finding asks for all the networks of a site a dozen times, and the block waits for it."""
    return ip_network(text, strict=False)


def matching(incidents: Iterable[Incident], finding: Finding, who: Parties, now: Instant) -> tuple[str, ...]:
    """Ids of the incidents the finding belongs to, oldest first; more than one means that they are one attack."""
    linking = who.accounts if finding.outcome is Outcome.SUCCESS else frozenset[str]()
    joined = [
        incident
        for incident in incidents
        if incident.state is not IncidentState.CLOSED
        # Weeks of containment do not make strangers of the attacker's own: who comes back is the same attack.
        and (incident.state is IncidentState.CONTAINED or now - incident.last_seen <= TOGETHER)
        and (
            incident.actors & who.outside
            or incident.assets & who.inside
            or incident.hosts & who.hosts
            or incident.accounts & linking
        )
    ]
    return tuple(i.id for i in sorted(joined, key=lambda i: (i.opened, i.id)))


def opens(finding: Finding) -> bool:
    """True when a finding that belongs to no incident is news by itself."""
    return finding.kind is not Kind.SIGN_IN and finding.level >= Level.LOW


def _own(site: Site) -> frozenset[str]:
    """The site's own faces: the uplink and the servers it publishes. They are stages, not parties."""
    published = {o.publication.address for o in site.openings if o.publication}
    return frozenset(published | {address.split("/")[0] for address in site.uplink.addresses})
