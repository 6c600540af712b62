"""Which names are resolved for whom, and what an answer opens: the policy of the station's own resolver.

An opening whose hosts are names exists only through the resolver's answers: what it resolved for a machine is that
machine's to reach, through that opening, for as long as the answer holds (a `Lease`). Only whole names that the site
lists are resolved, never what lies below them: a name that the asker may choose freely carries data out. Names that
nobody listed are resolved while an opening to anywhere stands open. docs/design/names.md says what this cannot stop.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network

from rempart.containment.measure import Enforcement, Stand
from rempart.instants import Instant
from rempart.site.address import Network
from rempart.site.opening import Direction, Opening, OpeningState, is_name
from rempart.site.site import Site

Address = IPv4Address | IPv6Address

GRACE = 30
"""Seconds that a lease outlives its answer: the time a program takes from the answer to its connection."""
LONGEST_ANSWER = 300
"""Seconds for which an answer holds at most; what a peer claims beyond that is cut."""
MOST_RECORDS = 32
LONGEST_CHAIN = 8
LARGEST = 4096
"""Bytes of an answer; what is larger carries something else than addresses."""

ADDRESS_KINDS = frozenset({"A", "AAAA"})
_OTHER_KINDS = frozenset({"CAA", "CNAME", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT"})
"""Resolved for names that nobody listed; mail servers and telephones ask for them."""
_HIDING_KINDS = frozenset({"HTTPS", "SVCB"})
"""They carry addresses of their own and the keys that hide a name in TLS (RFC 9460, ECH): answered with nothing."""
_CANARY = "use-application-dns.net"
"""Browsers that are told that it does not exist leave resolving to the network (Mozilla's canary domain)."""

_NOBODYS = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.88.99.0/24", "192.168.0.0/16", "224.0.0.0/3"),
            *(
                "::/8",
                "64:ff9b::/32",
                "100::/8",
                "2001::/23",
                "2002::/16",
                "fc00::/7",
                "fe80::/9",
                "ff00::/8",
            ),
        ),
    )
)
"""No peer outside has these (IANA's special-purpose registries, RFC 6890), or they hold another address within.

The networks kept for examples and measuring are left out: they lead nowhere, and laboratories use them as the outside.
"""


class Refusal(StrEnum):
    """Why a question or an answer is refused."""

    STRANGER = "stranger"
    """Whoever asks stands in no zone."""
    NAME = "name"
    """No opening of the asker's zone that lets anything through has this name."""
    KIND = "kind"
    """Nobody needs records of this kind."""
    ADDRESS = "address"
    """The answer leads inside, to the site itself, or where no peer can be (DNS rebinding)."""
    ALIAS = "alias"
    """The name is an alias of one that the opening does not list, or the aliases do not end."""
    OVERSIZED = "oversized"
    FAILED = "failed"
    """The guard or the kernel did not take what the answer opens."""


class Outcome(Enum):
    """What is done with a question that is not refused."""

    ASK = "ask"
    EMPTY = "empty"
    """The name is there, without such a record."""
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it was asked: the name in lower case without its last dot, and the kind of record."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks. ``zones`` None: a machine that asks for others, or the station itself."""

    address: Address
    zones: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A question that may be answered, and the openings that its answer opens."""

    outcome: Outcome
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for one question, as far as it concerns anybody: aliases and addresses, each with its owner."""

    size: int
    aliases: tuple[tuple[str, str], ...] = ()
    addresses: tuple[tuple[str, Address], ...] = ()
    seconds: int = 0
    """The shortest time for which any of it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The addresses that may be told, for how many seconds, and the openings that they open."""

    addresses: tuple[Address, ...]
    seconds: int
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One machine's right to reach one address through one opening, for so many seconds.

    ``client`` None: any machine of the opening's zones. It is of the same family as ``address``.
    """

    mark: int
    client: Address | None
    address: Address
    seconds: int


class Names:
    """A site's names, for looking up. Not changed after it was made."""

    def __init__(self, site: Site) -> None:
        self._zones = [(ip_network(net), zone.id) for zone in site.zones for net in zone.networks]
        self._relays = frozenset(_relays(site))
        self._openings = _by_name(site)
        self._anywhere = tuple(opening for opening in site.openings if _leads_anywhere(site, opening))
        self._published = frozenset(
            opening.publication.host for opening in site.openings if opening.publication
        )
        self._uplink = frozenset(ip_interface(text).ip for text in site.uplink.addresses)
        self._own = [network for network, _ in self._zones] + _guarded(site)

    def asker(self, address: Address) -> Asker | None:
        """Who asks from there; None when it stands in no zone. The station itself asks from loopback."""
        if address.is_loopback or address in self._relays:
            return Asker(address=address, zones=None)
        zones = frozenset(zone for network, zone in self._zones if address in network)
        return Asker(address=address, zones=zones) if zones else None

    def judge(
        self, question: Question, asker: Asker, standing: Enforcement, now: Instant
    ) -> Permit | Refusal:
        """Whether the question may be answered while openings stand so. Blocks do not matter here."""
        if question.name == _CANARY:
            return Permit(outcome=Outcome.ABSENT)
        listed = [each for each in self._openings.get(question.name, ()) if _may_use(each, asker)]
        openings = tuple(each for each in listed if _passes(standing.stands.get(each.id), now))
        if openings or (question.name in self._published and question.kind in ADDRESS_KINDS):
            asked = question.kind in ADDRESS_KINDS
            return Permit(outcome=Outcome.ASK if asked else Outcome.EMPTY, openings=openings)
        if listed:
            return Refusal.NAME  # closed by itself: browsing does not open it again
        return self._judge_unlisted(question, asker, standing, now)

    def _judge_unlisted(
        self, question: Question, asker: Asker, standing: Enforcement, now: Instant
    ) -> Permit | Refusal:
        """Names that no opening has. A lifeline that a cut left filtered is no reason to resolve any of them."""
        browsing = any(
            _may_use(opening, asker) and _passes(standing.stands.get(opening.id), now)
            for opening in self._anywhere
            if not (standing.contained and opening.lifeline)
        )
        if not browsing or "." not in question.name:
            return Refusal.NAME
        if question.kind in _HIDING_KINDS:
            return Permit(outcome=Outcome.EMPTY)
        if question.kind in ADDRESS_KINDS | _OTHER_KINDS:
            return Permit(outcome=Outcome.ASK)
        return Refusal.KIND

    def admit(self, question: Question, permit: Permit, answer: Answer) -> Admitted | Refusal:
        """What of an answer may be told and opened.

        1. Its size and number of records are those of an answer. 2. The chain of aliases from the name asked ends,
        and for an opening it leads only to names that the opening has, or below them; an opening on shared
        addresses may be anywhere, because there the name itself is proved at the gate. 3. Addresses count only at
        the end of the chain: what else came along is dropped. 4. One bad address spoils all of them.
        """
        if answer.size > LARGEST or len(answer.aliases) + len(answer.addresses) > MOST_RECORDS:
            return Refusal.OVERSIZED
        chain = _chain(question.name, dict(answer.aliases))
        openings = tuple(opening for opening in permit.openings if _keeps(opening, chain))
        if len(chain) > LONGEST_CHAIN or (permit.openings and not openings):
            return Refusal.ALIAS
        addresses = tuple(address for owner, address in answer.addresses if owner == chain[-1])
        if not all(self._outside(address, question) for address in addresses):
            return Refusal.ADDRESS
        return Admitted(
            addresses=addresses, seconds=max(0, min(answer.seconds, LONGEST_ANSWER)), openings=openings
        )

    def _outside(self, address: Address, question: Question) -> bool:
        if address in self._uplink:
            return (
                question.name in self._published
            )  # inside, too, the site's own website is asked for by its name
        return not any(address in network for network in (*_NOBODYS, *self._own))


def leases(admitted: Admitted, asker: Asker, grace: int = GRACE) -> Iterator[Lease]:
    """The leases that an answer gives.

    A machine's IPv6 addresses are not known from its question over IPv4, nor the other way round: such a lease is
    for every machine of the opening's zones. So is one of shared addresses, where the gate asks for the name.
    """
    for opening in admitted.openings:
        for address in admitted.addresses:
            alone = asker.zones is not None and not opening.shared_addresses
            known = alone and asker.address.version == address.version
            yield Lease(
                mark=opening.mark,
                client=asker.address if known else None,
                address=address,
                seconds=admitted.seconds + grace,
            )


def resolved(site: Site, opening: Opening) -> tuple[str, ...]:
    """The names among an opening's hosts that lead out by resolving; none without a resolver."""
    if site.resolver is None or opening.direction is Direction.IN:
        return ()
    return tuple(host for host in opening.hosts if is_name(host))


def _by_name(site: Site) -> Mapping[str, tuple[Opening, ...]]:
    found: dict[str, tuple[Opening, ...]] = {}
    for opening in site.openings:
        for name in resolved(site, opening):
            found[name] = (*found.get(name, ()), opening)
    return found


def _relays(site: Site) -> Iterator[Address]:
    for asset in site.assets:
        if site.resolver and asset.id in site.resolver.relays:
            yield from map(ip_address, asset.addresses)


def _guarded(site: Site) -> list[Network]:
    return [ip_network(text) for safeguard in site.safeguards for text in safeguard.networks]


def _leads_anywhere(site: Site, opening: Opening) -> bool:
    resolvers = site.resolver is not None and opening.id == site.resolver.opening
    return "*" in opening.hosts and opening.direction is not Direction.IN and not resolvers


def _may_use(opening: Opening, asker: Asker) -> bool:
    return asker.zones is None or not asker.zones.isdisjoint(opening.zones)


def _passes(stand: Stand | None, now: Instant) -> bool:
    """Whether anything passes; after its time a stand is what follows, or closed."""
    if stand is None:
        return False
    over = stand.until is not None and stand.until <= now
    return ((stand.then or OpeningState.CLOSED) if over else stand.state) is not OpeningState.CLOSED


def _chain(name: str, aliases: Mapping[str, str]) -> list[str]:
    """The name and what it is an alias of, one link longer than allowed at most."""
    chain = [name]
    while chain[-1] in aliases and len(chain) <= LONGEST_CHAIN:
        chain.append(aliases[chain[-1]])
    return chain


def _keeps(opening: Opening, chain: list[str]) -> bool:
    """Whether the aliases stay with the opening's own names and what lies below them."""
    return opening.shared_addresses or all(
        any(target == host or target.endswith(f".{host}") for host in opening.hosts) for target in chain[1:]
    )
