"""A site and its wanted state as one nftables table: the whole of it, or the difference between two states.

Every connection is named once, in the low 12 bits of its mark, with the mark of its opening; every packet of it is
then judged by that mark, before anything is let through for being established. docs/design/ruleset.md explains the
order. Names in the text are made of marks and numbers; the site's own words appear only in log prefixes, cleaned.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from rempart.containment import gate
from rempart.containment.barrier import Between, OneWay
from rempart.containment.holdings import Holdings, Trial, close, holdings, network, spelled
from rempart.containment.limits import limited_by_kernel
from rempart.containment.measure import Enforcement
from rempart.containment.names import resolved
from rempart.containment.way import Way, port_ranges, ways
from rempart.errors import InputRefused
from rempart.instants import Instant
from rempart.site.address import Network
from rempart.site.opening import Opening, OpeningState, Transport
from rempart.site.site import Safeguard, Site, Zone

TABLE = "inet rempart"
MASK = 0xFFF
"""The bits of the connection mark that are ours; other tools keep theirs."""
RESPONDER = 4094
"""Mark of connections to the proxy's front, which always answers: with the service or the maintenance page."""
CONTAINED_FLAG = 0x1000
"""In the containment set, says that the site is cut. Outside MASK: no packet matches it."""
FRONT_PORTS = "{ 80, 443 }"
VISIT = "visit"
"""What the chains and sets of visits with limits are called after, in the place of a state."""

_NEW_FLOWS = "limit rate over 20/second burst 50 packets"
"""What one source may begin through one filtered opening."""
_REPORTS = "limit rate 50/second burst 200 packets"
"""How much of one kind is reported to user space; the counters count everything."""
_MOST_LEASES = 65535
"""Leases that one set takes."""
_NAME_PORTS = "{ 53, 853 }"
"""Names in the clear and over TLS (RFC 7858) or QUIC (RFC 9250)."""
_QUIC = "meta l4proto udp ct original proto-dst 443"
_BEGUN = "ct state new ct status ! confirmed"
"""The first packet of a connection. `new` alone is every packet of a stream that nobody answers (an alarm, a one-way
voice), and a filtered lifeline would lose all but twenty of them a second."""
_OURS = f"ct mark and {MASK:#x}"
_NEIGHBOURS = (
    "{ nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report }"
)
_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")


def ruleset(site: Site, wanted: Enforcement, now: Instant) -> str:
    """The whole table as one transaction that replaces only itself. Raises InputRefused."""
    lines = [*_layout(site), *_fill(holdings(site, wanted, now), now)]
    head = (f"table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{", f"\tchain {layout(site)} {{ }}")
    return "\n".join([*head, *(f"\t{line}" for line in lines), "}", ""])


def layout(site: Site) -> str:
    """The name of an empty chain that tells which layout the kernel holds: same name, same rules, only sets differ."""
    return f"layout_{hashlib.sha256(chr(10).join(_layout(site)).encode()).hexdigest()[:24]}"


Element = tuple[str, Instant | None]
"""Of a set or map: the chain that it leads to, or nothing, and when it ends."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes of one set or map: keys that go, elements that come by key. A changed element does both."""

    gone: tuple[str, ...]
    come: Mapping[str, Element]


def differences(before: Holdings, after: Holdings) -> dict[str, Difference]:
    """What turns ``before`` into ``after`` within one layout, by set or map; those that stay are left out."""
    old, new = _elements(before), _elements(after)
    found = ((name, _difference(old[name], new[name])) for name in old)
    return {name: change for name, change in found if change.gone or change.come}


def changes(found: Mapping[str, Difference], now: Instant) -> str:
    """Differences as one transaction.

    A changed element is deleted and added again: before Linux 6.12 adding does not renew a timeout.
    """
    return "\n".join(line for name, change in found.items() for line in _changed(name, change, now))


# -- the changing part: sets and maps -----------------------------------------------------------------------------


def _elements(held: Holdings) -> dict[str, dict[str, Element]]:
    blocked = {target: ("", until) for target, until in held.blocked.items()}
    isolated = {target: ("", until) for target, until in held.isolated.items()}
    flag = {str(CONTAINED_FLAG): ("", held.contained_until)} if held.contained else {}
    return {
        "contained": {str(mark): ("", None) for mark in sorted(held.cut)} | flag,
        "trial": {str(mark): _on_trial(mark, trial) for mark, trial in held.trials.items()},
        "state": {str(mark): _verdict(mark, state, None) for mark, state in held.states.items()},
        "blocked4": _those(blocked, lambda text: "/" not in text and ":" not in text),
        "blocked6": _those(blocked, lambda text: "/" not in text and ":" in text),
        "blocked_nets4": _those(blocked, lambda text: "/" in text and ":" not in text),
        "blocked_nets6": _those(blocked, lambda text: "/" in text and ":" in text),
        "isolated4": _those(isolated, lambda text: ":" not in text),
        "isolated6": _those(isolated, lambda text: ":" in text),
        "barred_zones": {
            f"{_interface(barrier.source.interface)} . {_interface(barrier.target.interface)}": ("", until)
            for barrier, until in held.barred.items()
            if isinstance(barrier, Between)
        },
        "barred_in": _one_way(held, inward=True),
        "barred_out": _one_way(held, inward=False),
    } | {
        visit_set(mark, family): {
            f"{outside} . {inside}": ("", None)
            for outside, inside in sorted(pairs)
            if network(outside).version == network(inside).version == family
        }
        for mark, pairs in held.visits.items()
        for family in (4, 6)
    }


def _one_way(held: Holdings, *, inward: bool) -> dict[str, Element]:
    return {
        str(barrier.opening.mark): ("", until)
        for barrier, until in held.barred.items()
        if isinstance(barrier, OneWay) and barrier.inward is inward
    }


def visit_set(mark: int, family: int) -> str:
    """Name of the set of those who may speak while a limited visit stands: an address outside with one inside."""
    return f"{VISIT}{family}_{mark}"


def _on_trial(mark: int, trial: Trial) -> Element:
    return (f"{VISIT}_{mark}", trial.until) if trial.limited else _verdict(mark, trial.state, trial.until)


def _verdict(mark: int, state: OpeningState, until: Instant | None) -> Element:
    return f"{state}_{mark}", until


def _those(elements: Mapping[str, Element], wanted: Callable[[str], bool]) -> dict[str, Element]:
    return {key: element for key, element in elements.items() if wanted(key)}


def _spell(key: str, element: Element, now: Instant) -> str:
    chain, until = element
    timeout = "" if until is None else f" timeout {_period(lasting(until, now))}"
    return f"{key}{timeout} : goto {chain}" if chain else f"{key}{timeout}"


def lasting(until: Instant, now: Instant) -> int:
    """Milliseconds that an element has to live; the kernel takes 0 for ever."""
    return max(1, (until - now) // 1000)


def _period(milliseconds: int) -> str:
    """As nft spells it. It reads eight digits of a unit and no more: "100000000ms", 28 hours, is an error to it."""
    seconds, rest = divmod(milliseconds, 1000)
    days, seconds = divmod(seconds, 86_400)
    return "".join(
        f"{number}{unit}" for number, unit in ((days, "d"), (seconds, "s"), (rest, "ms")) if number
    )


def _difference(old: Mapping[str, Element], new: Mapping[str, Element]) -> Difference:
    kept = {key for key, element in new.items() if key in old and _alike(old[key], element)}
    return Difference(
        gone=tuple(key for key in old if key not in kept),
        come={key: element for key, element in new.items() if key not in kept},
    )


def _changed(name: str, change: Difference, now: Instant) -> Iterator[str]:
    if change.gone:
        yield f"delete element {TABLE} {name} {{ {', '.join(change.gone)} }}"
    if change.come:
        come = (_spell(key, element, now) for key, element in change.come.items())
        yield f"add element {TABLE} {name} {{ {', '.join(come)} }}"


def _alike(one: Element, other: Element) -> bool:
    return one[0] == other[0] and close(one[1], other[1])


_SETS = {
    "contained": "set contained { type mark; flags timeout;",
    "trial": "map trial { type mark : verdict; flags timeout;",
    "state": "map state { type mark : verdict;",
    "blocked4": "set blocked4 { type ipv4_addr; flags timeout;",
    "blocked6": "set blocked6 { type ipv6_addr; flags timeout;",
    "blocked_nets4": "set blocked_nets4 { type ipv4_addr; flags interval,timeout;",
    "blocked_nets6": "set blocked_nets6 { type ipv6_addr; flags interval,timeout;",
    "isolated4": "set isolated4 { type ipv4_addr; flags timeout;",
    "isolated6": "set isolated6 { type ipv6_addr; flags timeout;",
    "barred_zones": "set barred_zones { type ifname . ifname; flags timeout;",
    "barred_in": "set barred_in { type mark; flags timeout;",
    "barred_out": "set barred_out { type mark; flags timeout;",
}


def _heads(held: Holdings) -> Mapping[str, str]:
    """How each set that changes begins."""
    return _SETS | {
        visit_set(mark, family): f"set {visit_set(mark, family)} {{ type ipv{family}_addr . ipv{family}_addr;"
        for mark in held.visits
        for family in (4, 6)
    }


def _fill(held: Holdings, now: Instant) -> Iterator[str]:
    """The sets with their elements, and the map of verdicts, which also holds what never changes."""
    elements = _elements(held)
    for name, head in _heads(held).items():
        spelled_out = [_spell(key, element, now) for key, element in elements[name].items()]
        if name == "state":
            spelled_out += [f"0 : goto unclassified, {RESPONDER} : goto responder"]
        filling = f" elements = {{ {', '.join(spelled_out)} }}" if spelled_out else ""
        yield f"{head}{filling} }}"


# -- the fixed part: chains ---------------------------------------------------------------------------------------


def _layout(site: Site) -> list[str]:
    return [
        *_fixed_sets(site),
        *_counters(site),
        *_refusals(site),
        *(line for opening in site.openings for line in _opening_chains(site, opening)),
        *(line for opening in limited_by_kernel(site) for line in _visit(site, opening)),
        *_judgement(site),
        *_isolation(site),
        *_blocking(site),
        *_safeguards(site),
        *_classification(site),
        *_to_the_gate(site),
        *_forward(site),
        *_input(site),
        *_output(site),
    ]


def _fixed_sets(site: Site) -> Iterator[str]:
    pairs = sorted({(one.interface, other.interface) for one in site.zones for other in _reached(site, one)})
    reaches = ", ".join(f"{_interface(one)} . {_interface(other)}" for one, other in pairs)
    yield f"set inside {{ type ifname; elements = {_interfaces(site.zones)} }}"
    yield f"set reaches {{ type ifname . ifname; elements = {{ {reaches} }} }}"
    for family in (4, 6):
        yield (
            f"set rate{family} {{ type ipv{family}_addr . mark; size 65535; flags dynamic,timeout; timeout 1m; }}"
        )
    for opening in site.openings:
        if resolved(site, opening):
            yield from _lease_sets(opening)


def _lease_sets(opening: Opening) -> Iterator[str]:
    """What the opening's names resolved to, for one machine or for any. Bounded: what finds no room is not answered."""
    for family in (4, 6):
        for alone, kind in ((True, f"ipv{family}_addr . ipv{family}_addr"), (False, f"ipv{family}_addr")):
            name = lease_set(opening.mark, family, alone=alone)
            yield f"set {name} {{ type {kind}; size {_MOST_LEASES}; flags timeout; }}"


def lease_set(mark: int, family: int, *, alone: bool) -> str:
    """Name of the set of an opening's leases of one family: those of one machine each, or those of any machine."""
    return f"{'leased' if alone else 'common'}{family}_{mark}"


def _reached(site: Site, zone: Zone) -> Iterator[Zone]:
    """The zones that ``zone`` may begin connections to; itself too, when its networks meet at the gateway."""
    return (other for other in site.zones if other is zone or other.id in zone.reaches)


def _counters(site: Site) -> Iterator[str]:
    names = [f"{state}_{opening.mark}" for opening in site.openings for state in OpeningState]
    names += [f"limited_{opening.mark}" for opening in site.openings]
    names += [f"safeguard_{number}" for number, _ in enumerate(site.safeguards)]
    names += ["responder", "blocked", "isolated", "unclassified", "between_zones", "barred"]
    names += ["past_the_resolver"] if site.resolver else []
    return (f"counter {name} {{ }}" for name in names)


def _refusals(site: Site) -> list[str]:
    """Begun inside: refused, so that applications fail at once. Begun outside: dropped without a word."""
    begun_inside = f"iifname != {_interface(site.uplink.interface)} ct direction original"
    return [
        *_chain(
            "refuse",
            f"{begun_inside} meta l4proto tcp reject with tcp reset",
            f"{begun_inside} reject with icmpx type admin-prohibited",
            "drop",
        ),
        *_refusing("unclassified", "unclassified", site),
        *_refusing("between_zones", "denied:zones", site),
        *_refusing("barred", "barred:zones", site),
        *(_refusing("past_the_resolver", "denied:resolver", site) if site.resolver else ()),
    ]


def _refusing(counter: str, prefix: str, site: Site) -> list[str]:
    """A chain that counts, reports and refuses. Chatter to everybody (mDNS, NetBIOS) is counted, not reported."""
    uplink = _interface(site.uplink.interface)
    reports = (
        [_report(f"{prefix}:in", f"iifname {uplink}"), _report(f"{prefix}:out", f"iifname != {uplink}")]
        if ":" not in prefix
        else [_report(prefix)]
    )
    silence = f"meta pkttype {{ broadcast, multicast }} counter name {counter} drop"
    return _chain(counter, silence, *reports, f"counter name {counter} goto refuse")


def _report(prefix: str, when: str = "") -> str:
    text = re.sub(r"[^A-Za-z0-9:._-]", "_", prefix)[:80]
    return f'{when} {_REPORTS} log prefix "{text}" group 1 snaplen 128'.strip()


def _opening_chains(site: Site, opening: Opening) -> list[str]:
    mark, name = opening.mark, opening.id
    # QUIC hides the name it asks for, and what is filtered by name must show it.
    hidden = [f"{_QUIC} goto closed_{mark}"] if resolved(site, opening) else []
    if opening in gate.gated(site):
        # Nothing passes beside the gate; and it is the machine that is counted, not the gate's leg for all of them.
        hidden += [f"iifname @inside oifname {_interface(site.uplink.interface)} goto closed_{mark}"]
        hidden += [f"oifname {_interface(site.uplink.interface)} counter name filtered_{mark} accept"]
    rates = (
        f"{_BEGUN} meta nfproto ipv{family} update @rate{family} "
        f"{{ {address} saddr . ct mark {_NEW_FLOWS} }} goto limited_{mark}"
        for family, address in ((4, "ip"), (6, "ip6"))
    )
    refused = f"counter name closed_{mark} goto refuse"
    return [
        *_chain(f"closed_{mark}", _report(f"closed:{name}"), refused),
        *_chain(f"limited_{mark}", _report(f"limited:{name}"), f"counter name limited_{mark} goto refuse"),
        *_chain(
            f"filtered_{mark}",
            *hidden,
            *rates,
            _report(f"filtered:{name}", _BEGUN),
            f"counter name filtered_{mark} accept",
        ),
        *_chain(f"open_{mark}", _report(f"open:{name}", _BEGUN), f"counter name open_{mark} accept"),
    ]


def _visit(site: Site, opening: Opening) -> list[str]:
    """A visit with limits: between its one address and the machines it may reach, as filtered; else as closed."""
    uplink, mark = _interface(site.uplink.interface), opening.mark
    return _chain(
        f"{VISIT}_{mark}",
        *(
            f"{side} {protocol} {outside} . {protocol} {inside} @{visit_set(mark, family)} goto filtered_{mark}"
            for protocol, family in (("ip", 4), ("ip6", 6))
            for side, outside, inside in (
                (f"iifname {uplink}", "saddr", "daddr"),
                (f"oifname {uplink}", "daddr", "saddr"),
            )
        ),
        f"goto closed_{mark}",
    )


def _judgement(site: Site) -> list[str]:
    """Containment wins over trials, trials over the standing state."""
    marks = ", ".join(f"{opening.mark} : goto closed_{opening.mark}" for opening in site.openings)
    uplink = _interface(site.uplink.interface)
    return [
        *_chain("responder", _report("responder:in", _BEGUN), "counter name responder accept"),
        *_chain("cut", *([f"{_OURS} vmap {{ {marks} }}"] if marks else []), "goto unclassified"),
        *_chain(
            "openings",
            # One way of an opening: who began it, told by the uplink's side and the packet's direction.
            f"iifname {uplink} ct direction original {_OURS} == @barred_in goto cut",
            f"oifname {uplink} ct direction reply {_OURS} == @barred_in goto cut",
            f"oifname {uplink} ct direction original {_OURS} == @barred_out goto cut",
            f"iifname {uplink} ct direction reply {_OURS} == @barred_out goto cut",
            f"{_OURS} == @contained goto cut",
            f"{_OURS} vmap @trial",
            f"{_OURS} vmap @state",
            "goto unclassified",
        ),
    ]


def _isolation(site: Site) -> list[str]:
    """Nothing of an isolated machine passes but what the operators begin to it: as they may reach it otherwise too."""
    return [
        *_chain("isolated", _report("isolated:asset"), "counter name isolated goto refuse"),
        *_chain(
            "isolation",
            *(rule for safeguard in site.safeguards for rule in _begun_by_operators(safeguard)),
            "ip saddr @isolated4 goto isolated",
            "ip daddr @isolated4 goto isolated",
            "ip6 saddr @isolated6 goto isolated",
            "ip6 daddr @isolated6 goto isolated",
        ),
    ]


def _begun_by_operators(safeguard: Safeguard) -> Iterator[str]:
    interface = _interface(safeguard.interface)
    for hosts in _families(safeguard.networks):
        protocol, members = _protocol(hosts[0]), _set(map(spelled, hosts))
        yield f"iifname {interface} {protocol} saddr {members} ct direction original return"
        yield f"oifname {interface} {protocol} daddr {members} ct direction reply return"


def _blocking(site: Site) -> list[str]:
    """Blocks concern the uplink only: no block, however wide, touches the inside."""
    uplink = _interface(site.uplink.interface)
    sides = ((f"iifname {uplink}", "saddr", "blocked_in"), (f"oifname {uplink}", "daddr", "blocked_out"))
    return [
        *_chain("blocked_in", _report("blocked:in"), "counter name blocked drop"),
        *_chain("blocked_out", _report("blocked:out"), "counter name blocked goto refuse"),
        *_chain(
            "blocking",
            *(
                f"{side} {protocol} {field} @{kind}{family} goto {target}"
                for side, field, target in sides
                for protocol, family in (("ip", 4), ("ip6", 6))
                for kind in ("blocked", "blocked_nets")
            ),
        ),
    ]


def _safeguards(site: Site) -> list[str]:
    """The operators' way in: exact addresses and ports, both directions, metered, whatever the connection's state."""
    rules = [rule for number, safeguard in enumerate(site.safeguards) for rule in _safe(safeguard, number)]
    return [
        *_chain("safeguards_in", *(inward for inward, _ in rules)),
        *_chain("safeguards_out", *(outward for _, outward in rules)),
    ]


def _safe(safeguard: Safeguard, number: int) -> Iterator[tuple[str, str]]:
    interface, verdict = _interface(safeguard.interface), f"counter name safeguard_{number} accept"
    for hosts in _families(safeguard.networks):
        protocol, members = _protocol(hosts[0]), _set(map(spelled, hosts))
        for transport in Transport:
            if ranges := port_ranges(safeguard.services, transport):
                ports = _port_set(ranges)
                yield (
                    f"iifname {interface} {protocol} saddr {members} {transport} dport {ports} {verdict}",
                    f"oifname {interface} {protocol} daddr {members} {transport} sport {ports} {verdict}",
                )


def _forward(site: Site) -> list[str]:
    return _hook(
        "forward",
        "jump isolation",
        "ct direction original iifname . oifname @barred_zones goto barred",
        "ct direction reply oifname . iifname @barred_zones goto barred",
        # A reaches B; what comes back from B passes because A began. Judged without the connection's mark, so that
        # nothing done to openings can touch it.
        "iifname . oifname @reaches accept",
        "oifname . iifname @reaches ct direction reply accept",
        "iifname @inside oifname @inside goto between_zones",
        "jump blocking",
        *_past_the_resolver(site),
        f"{_OURS} == 0 ct direction original jump classify",
        # A connection older than this table whose first packet seen is an answer (a server's push).
        f"{_OURS} == 0 ct direction reply jump classify_replies",
        "goto openings",
    )


def _past_the_resolver(site: Site) -> Iterator[str]:
    """The station alone asks for names outside, whatever openings say."""
    if site.resolver:
        path = f"iifname @inside oifname {_interface(site.uplink.interface)} ct direction original"
        yield f"{path} meta l4proto {{ tcp, udp }} th dport {_NAME_PORTS} goto past_the_resolver"


def _input(site: Site) -> list[str]:
    uplink = _interface(site.uplink.interface)
    return _hook(
        "input",
        'iifname "lo" accept',
        "jump safeguards_in",
        "jump isolation",
        "jump blocking",
        f"icmpv6 type {_NEIGHBOURS} ip6 hoplimit {{ 1, 255 }} accept",
        f"iifname {uplink} udp sport 67 udp dport 68 accept",
        f"iifname {uplink} udp sport 547 udp dport 546 accept",
        "iifname @inside udp dport { 53, 67, 123, 547 } accept",
        "iifname @inside tcp dport 53 accept",
        *_staff_page(site),
        "iifname @inside icmp type echo-request limit rate 50/second accept",
        "iifname @inside icmpv6 type echo-request limit rate 50/second accept",
        # Answers to what the gateway itself asked inside (probes): never named, because no opening is concerned.
        f"iifname @inside ct direction reply {_OURS} == 0 accept",
        f"{_OURS} == 0 ct direction original jump classify_in",
        "goto openings",
    )


def _staff_page(site: Site) -> Iterator[str]:
    """Read by anybody in the house, however the openings stand; never from outside."""
    if page := site.staff_page:
        address = network(page.address)
        yield f"iifname @inside {_protocol(address)} daddr {spelled(address)} tcp dport {page.port} accept"


def _output(site: Site) -> list[str]:
    uplink = _interface(site.uplink.interface)
    return _hook(
        "output",
        'oifname "lo" accept',
        "jump safeguards_out",
        f"icmpv6 type {_NEIGHBOURS} accept",
        # Our own refusals carry the mark of the refused connection and would otherwise be refused in turn.
        "oifname @inside ct state related accept",
        "jump isolation",
        "jump blocking",
        f"oifname {uplink} udp sport 68 udp dport 67 accept",
        f"oifname {uplink} udp sport 546 udp dport 547 accept",
        f"oifname @inside {_OURS} == 0 ct direction original jump classify_backends",
        f"oifname @inside {_OURS} == 0 accept",
        f"oifname {uplink} {_OURS} == 0 ct direction original jump classify_out",
        "goto openings",
    )


# -- naming connections -------------------------------------------------------------------------------------------


def _classification(site: Site) -> list[str]:
    """Chains that give a connection its opening's mark, the narrowest description of it first."""
    known = ways(site)
    published = [opening for opening in site.openings if opening.publication]
    return [
        *_chain("classify", *(rule for way in known for rule in _through(site, way, answers=False))),
        *_chain("classify_replies", *(rule for way in known for rule in _through(site, way, answers=True))),
        *_chain(
            "classify_in",
            *(_fronts(site) if published else ()),
            *_at_the_gate(site),
            *_ending_here(site, known),
        ),
        *_chain(
            "classify_out",
            *_under_other_names(site),
            *(rule for way in known if way.outward for rule in _to(way)),
        ),
        *_chain("classify_backends", *(rule for opening in published for rule in _backend(site, opening))),
    ]


def _through(site: Site, way: Way, *, answers: bool) -> Iterator[str]:
    """Forwarded packets of a way: those that follow it, or the answers to them."""
    interfaces = [zone for zone in site.zones if zone.id in way.opening.zones]
    if not interfaces:
        return
    outbound = way.outward is not answers
    inside, outside = _interfaces(interfaces), _interface(site.uplink.interface)
    path = f"iifname {inside} oifname {outside}" if outbound else f"iifname {outside} oifname {inside}"
    host, client = ("daddr", "saddr") if outbound else ("saddr", "daddr")
    for rule in _matches(way, client=client, host=host, port="sport" if answers else "dport"):
        yield f"{path} {rule}"


def _ending_here(site: Site, known: Iterable[Way]) -> Iterator[str]:
    """Connections from outside that end at the gateway itself (a VPN)."""
    uplink = _interface(site.uplink.interface)
    inward = (way for way in known if not way.outward)
    return (
        f"iifname {uplink} {rule}" for way in inward for rule in _matches(way, host="saddr", port="dport")
    )


def _to(way: Way) -> Iterator[str]:
    """Connections that the gateway itself begins (its resolver, its clock) belong to openings like any other."""
    return _matches(way, host="daddr", port="dport")


def _matches(way: Way, *, client: str = "", host: str, port: str) -> Iterator[str]:
    """Rules for packets of a way; ``client`` is where the machine inside stands in the packet, if there is one."""
    return (
        f"{peers}{way.transport} {port} {_port_set(way.ports)} {_named(way.opening.mark)}"
        for peers in _peers(way, client, host)
    )


def _peers(way: Way, client: str, host: str) -> Iterator[str]:
    if way.by_name:
        yield from _leased(way.opening.mark, client, host)
    elif way.hosts:
        yield f"{_protocol(way.hosts[0])} {host} {_set(map(spelled, way.hosts))} "
    else:
        yield ""


def _fronts(site: Site) -> Iterator[str]:
    """The proxy's front on the uplink's addresses, from outside and from inside."""
    mine = [network(address.partition("/")[0]) for address in site.uplink.addresses]
    matches = [f"{_protocol(address)} daddr {spelled(address)}" for address in mine]
    return (
        f"{match} tcp dport {FRONT_PORTS} {_named(RESPONDER)}"
        for match in matches or ["fib daddr type local"]
    )


def _to_the_gate(site: Site) -> list[str]:
    """Connections to what a gated opening's names resolved to are turned to the gate, whatever address they name."""
    turned = [
        f"iifname {_interfaces(_zones_of(site, opening))} {peers}tcp dport {gate.port(opening)} "
        f"redirect to :{gate.gate_port(opening)}"
        for opening in gate.gated(site)
        for peers in _leased(opening.mark, client="saddr", host="daddr")
    ]
    hook = "type nat hook prerouting priority dstnat; policy accept;"
    return _chain("to_the_gate", hook, *turned) if turned else []


def _at_the_gate(site: Site) -> Iterator[str]:
    """What was turned to the gate belongs to the opening; nobody else may speak to it."""
    for opening in gate.gated(site):
        inside = _interfaces(_zones_of(site, opening))
        yield (
            f"iifname {inside} tcp dport {gate.gate_port(opening)} ct status dnat "
            f"ct original proto-dst {gate.port(opening)} {_named(opening.mark)}"
        )


def _under_other_names(site: Site) -> Iterator[str]:
    """The gate's legs under names that the opening does not have: judged without what names lead to."""
    if gate.gated(site):
        ports = _port_set([gate.OTHERS_PORTS])
        for way in ways(site):
            if way.outward and not way.by_name and way.transport is Transport.TCP:
                yield from (f"tcp sport {ports} {rule}" for rule in _to(way))
        yield f"tcp sport {ports} return"


def _zones_of(site: Site, opening: Opening) -> list[Zone]:
    return [zone for zone in site.zones if zone.id in opening.zones]


def _backend(site: Site, opening: Opening) -> Iterator[str]:
    """The leg from the proxy to the server of a published opening."""
    publication = opening.publication
    assert publication is not None
    server, port = network(publication.address), int(publication.port)
    for zone in site.zones:
        if zone.id == publication.zone:
            yield (
                f"oifname {_interface(zone.interface)} {_protocol(server)} daddr {spelled(server)} "
                f"tcp dport {port} {_named(opening.mark)}"
            )


def _named(mark: int) -> str:
    return f"ct mark set ct mark and {0xFFFFFFFF ^ MASK:#x} or {mark:#x} return"


def _leased(mark: int, client: str, host: str) -> Iterator[str]:
    """What an opening's names lead to: the machine's own leases, where there is a machine, and those of any."""
    for protocol, family in (("ip", 4), ("ip6", 6)):
        if client:
            yield f"{protocol} {client} . {protocol} {host} @{lease_set(mark, family, alone=True)} "
        yield f"{protocol} {host} @{lease_set(mark, family, alone=False)} "


# -- spelling -----------------------------------------------------------------------------------------------------


def _chain(name: str, *rules: str) -> list[str]:
    return [f"chain {name} {{", *(f"\t{rule}" for rule in rules), "}"]


def _hook(name: str, *rules: str) -> list[str]:
    return _chain(name, f"type filter hook {name} priority filter; policy drop;", *rules)


def _interface(name: str) -> str:
    if not _INTERFACE.fullmatch(name):
        raise InputRefused(
            f"{name[:40]!r} cannot be the name of a network interface",
            now="Use a name as `ip link` shows it.",
        )
    return f'"{name}"'


def _interfaces(zones: Iterable[Zone]) -> str:
    return _set(sorted({_interface(zone.interface) for zone in zones}))


def _protocol(target: Network) -> str:
    return "ip" if target.version == 4 else "ip6"


def _set(members: Iterable[str]) -> str:
    return f"{{ {', '.join(members)} }}"


def _families(networks: Iterable[str]) -> Iterator[list[Network]]:
    """The networks by family, without overlaps."""
    known = [network(text) for text in networks]
    four = collapse_addresses(found for found in known if isinstance(found, IPv4Network))
    six = collapse_addresses(found for found in known if isinstance(found, IPv6Network))
    return (list(family) for family in (list(four), list(six)) if family)


def _port_set(ranges: Iterable[tuple[int, int]]) -> str:
    return _set(f"{first:d}" if first == last else f"{first:d}-{last:d}" for first, last in ranges)
