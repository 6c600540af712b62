"""Indicators: addresses, networks, domains, URLs and hashes that others found to be bad, looked up in every event.

A million of them must fit a small box, so no text is kept: each is a 128-bit digest in a sorted array, with its list
and its end beside it. How a value is looked up:

1. It is brought to one form: lower case, no trailing dot, an IPv4 address inside IPv6 as what it is, a URL without
   scheme, port 80 or 443, user and fragment.
2. Its keys are made: an address has one for each prefix length that any list holds; a domain one for itself and each of
   its parents; a URL one with and one without its query, and those of its host.
3. Each key's digest is sought by halving. The answer is remembered for the value: logs repeat themselves.

What names no one stranger (a private address, half of the Internet, a top-level domain) is refused: one such line in a
list made by others would raise an alarm for everything.
"""

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Self

import numpy as np

from rempart.detection.explain import finding
from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
from rempart.detection.meaning import Meaning
from rempart.detection.quiet import Quiet
from rempart.detection.rule import RuleCard
from rempart.detection.surroundings import normal
from rempart.events.event import Event
from rempart.events.observable import Observable, ObservableKind, Role
from rempart.instants import Duration, Instant, minutes, rfc3339, seconds

QUIET = minutes(10)
"""The same indicator about the same machine is told again after so long a pause, or when doubled."""
MAX_LISTS = 65_535
"""Names of lists kept; those beyond are all called "more"."""

_REMEMBERED = 65_536
_MAX_REMEMBERED_TEXT = 128
_MAX_PARTS = 64  # values of one field that are looked up: more would let one event take long
_MAX_LABELS = 32
_NEVER = 0xFFFF_FFFF
_HASH_LENGTHS = frozenset({32, 40, 64, 128})  # MD5 and imphash, SHA-1, SHA-256, SHA-512 in hexadecimal digits
_WIDEST = {4: 8, 6: 19}
_OURS = {
    version: [
        (int(network[0]), int(network[-1])) for network in map(ip_network, texts.split())
    ]
    for version, texts in (
        (4, "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/3"),
        (6, "::/96 ::ffff:0:0/96 fc00::/7 fe80::/10 ff00::/8"),
    )
}  # fmt: skip
"""First and last address of networks that are ours, everybody's or nobody's."""
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{32,128}(?![0-9A-Za-z])")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}://", re.IGNORECASE)
_PORT = re.compile(r":(?:80|443)$")
_ANY_PORT = re.compile(r":\d{1,5}$")


class IndicatorKind(StrEnum):
    """What an indicator names. A network is an address with a prefix length."""

    ADDRESS = "address"
    DOMAIN = "domain"
    URL = "url"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One thing found to be bad by ``source`` (the list's name), until ``expires``."""

    kind: IndicatorKind
    value: str
    source: str
    expires: Instant | None = None


# -- one form for each value ---------------------------------------------------------------------------------------


def key(kind: IndicatorKind, value: str) -> str | None:
    """The one form of an indicator's value; None when it names nothing, or too much."""
    match kind:
        case IndicatorKind.ADDRESS:
            return _network_key(value)
        case IndicatorKind.DOMAIN:
            domain = _domain(value)
            return domain and f"d {domain}"
        case IndicatorKind.URL:
            url = _url(value)
            return url and f"u {url}"
        case IndicatorKind.HASH:
            digits = value.strip().lower()
            return f"h {digits}" if len(digits) in _HASH_LENGTHS and _HEX.fullmatch(digits) else None


def _network_key(value: str) -> str | None:
    try:
        network = ip_network(value.strip().strip("[]"), strict=False)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and (mapped := network.network_address.ipv4_mapped):
        network = IPv4Network(f"{mapped}/{max(0, network.prefixlen - 96)}", strict=False)
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.prefixlen < _WIDEST[network.version] or any(
        start <= last and first <= end for start, end in _OURS[network.version]
    ):
        return None
    return _address_key(network.version, network.prefixlen, first)


def _address_key(version: int, prefix: int, number: int) -> str:
    return f"a {version}/{prefix}/{number:x}"


def _domain(value: str) -> str | None:
    """The domain in lower case without dots around it; None when it is none, or has no parent."""
    name = value.strip().strip(".").lower().removeprefix("*.")
    if len(name) > 253:
        return None
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return None
    labels = name.split(".")
    if not 2 <= len(labels) <= _MAX_LABELS or labels[-1].isdigit() or len(name) > 253:
        return None
    return name if all(_LABEL.fullmatch(label) for label in labels) else None


def _url(value: str) -> str | None:
    """Host and path; None when there is no path worth the name: then the host should have been listed."""
    rest = _SCHEME.sub("", value.strip(), count=1).partition("#")[0]
    host, slash, path = rest.partition("/")
    host = _PORT.sub("", host.rpartition("@")[2].lower())
    return f"{host}/{path}" if host and slash and path else None


def _host(value: str) -> str:
    """The host of a URL, of ``host:port``, or what the value is."""
    host = _SCHEME.sub("", value, count=1).partition("/")[0].rpartition("@")[2]
    return host if normal(host) is not None else _ANY_PORT.sub("", host)


# -- the lists in memory -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Looked:
    """One field that is looked at: as what, and whether it names who began (a stranger at our door)."""

    field: str
    kind: IndicatorKind
    began: bool = False


def _fields(kind: IndicatorKind, names: str, *, began: bool = False) -> list[_Looked]:
    return [_Looked(name, kind, began) for name in names.split()]


_LOOKED = (
    *_fields(
        IndicatorKind.ADDRESS,
        "c-ip src_ip SourceIp SourceAddress IpAddress ClientAddress id.orig_h id_orig_h sourceIPAddress ClientIP",
        began=True,
    ),
    *_fields(
        IndicatorKind.ADDRESS,
        "dst_ip dest_ip DestinationIp DestAddress id.resp_h id_resp_h QueryResults answers",
    ),
    *_fields(
        IndicatorKind.DOMAIN,
        "query QueryName cs-host DestinationHostname server_name rrname r-dns QueryResults answers",
    ),
    *_fields(IndicatorKind.URL, "c-uri url"),
    *_fields(IndicatorKind.HASH, "Hashes Hash hashes md5 sha1 sha256 Imphash"),
)
_MACHINES = ("src_ip", "SourceIp", "SourceAddress", "id.orig_h", "id_orig_h", "c-ip", "Computer", "Hostname")
_DOORS = ("dst_ip", "dest_ip", "DestinationIp", "id.resp_h", "id_resp_h", "cs-host", "Computer", "Hostname")
_THINGS = {
    IndicatorKind.ADDRESS: ObservableKind.ADDRESS,
    IndicatorKind.DOMAIN: ObservableKind.DOMAIN,
    IndicatorKind.URL: ObservableKind.URL,
    IndicatorKind.HASH: ObservableKind.HASH,
}


def _card(name: str, title: str, level: Level, kind: Kind, *tags: str) -> RuleCard:
    return RuleCard(
        id=f"indicator.{name}",
        name="",
        title=title,
        level=level,
        author="Rempart",
        tags=tags,
        path="",
        # A list made by others, or one line in it, must never by itself make a machine act.
        meaning=Meaning(kind=kind, outcome=Outcome.ATTEMPT, spoofable=True),
    )


_CARDS = {
    IndicatorKind.ADDRESS: _card(
        "address",
        "A machine spoke with a listed address",
        Level.HIGH,
        Kind.COMMAND,
        "attack.command-and-control",
        "attack.t1071",
    ),
    IndicatorKind.DOMAIN: _card(
        "domain",
        "A machine asked for a listed domain",
        Level.HIGH,
        Kind.COMMAND,
        "attack.command-and-control",
        "attack.t1071",
    ),
    IndicatorKind.URL: _card(
        "url",
        "A machine asked for a listed page",
        Level.HIGH,
        Kind.COMMAND,
        "attack.command-and-control",
        "attack.t1105",
    ),
    IndicatorKind.HASH: _card(
        "hash", "A listed file was seen", Level.HIGH, Kind.INTRUSION, "attack.execution", "attack.t1204"
    ),
}
_PARTS = {Kind.COMMAND: (Role.VICTIM, Role.ACTOR), Kind.PROBE: (Role.ACTOR, Role.VICTIM)}
"""Which parts the listed thing and the other side play: a machine of ours that calls outside acts."""
_VISITOR = _card(
    "visitor",
    "A listed address came to the door",
    Level.LOW,
    Kind.PROBE,
    "attack.reconnaissance",
    "attack.t1595",
)
Row = int


class Indicators:
    """All indicators of all lists, packed: 22 bytes each, whatever their length."""

    def __init__(self, rows: Iterable[Indicator] = ()) -> None:
        """What cannot be used is left out and counted in ``refused``; ``rows`` is gone through once."""
        self.refused = 0
        self._names: list[str] = []
        self._prefixes: dict[int, set[int]] = {4: set(), 6: set()}
        self._pack(rows)
        self._known: dict[tuple[IndicatorKind, str], tuple[tuple[IndicatorKind, str, Row], ...]] = {}
        self._quiet = Quiet(QUIET)
        self._latest = Instant(0)

    @classmethod
    def of(cls, rows: Iterable[Indicator]) -> Self:
        """The indicators of the lists."""
        return cls(rows)

    def afresh(self) -> Self:
        """The same indicators with nothing told."""
        other = copy(self)
        other._quiet, other._latest = Quiet(QUIET), Instant(0)
        return other

    def feed(self, event: Event, time: Instant) -> Iterator[Finding]:
        """The findings of one event that counts as of ``time``."""
        return self.matches(event, time)

    def __len__(self) -> int:
        return len(self._high)

    @property
    def memory(self) -> Duration:
        """How long an event still matters: feed those of so long again after a restart."""
        return Duration(2 * QUIET)

    def _pack(self, rows: Iterable[Indicator]) -> None:
        high, low = array("Q"), array("Q")
        lists, ends = array("H"), array("I")
        numbers: dict[str, int] = {}
        for row in rows:
            form = key(row.kind, row.value)
            if form is None:
                self.refused += 1
                continue
            if row.kind is IndicatorKind.ADDRESS:
                version, prefix, _ = form[2:].split("/")
                self._prefixes[int(version)].add(int(prefix))
            first, second = _digest(form)
            high.append(first)
            low.append(second)
            lists.append(self._number(row.source, numbers))
            ends.append(_NEVER if row.expires is None else min(_NEVER - 1, max(0, row.expires // seconds(1))))
        order = np.argsort(np.frombuffer(high, np.uint64), kind="stable") if high else np.zeros(0, np.int64)
        self._high, self._low = _ordered(high, order), _ordered(low, order)
        self._lists, self._ends = _ordered(lists, order), _ordered(ends, order)

    def _number(self, source: str, numbers: dict[str, int]) -> int:
        source = source[:120] if len(numbers) < MAX_LISTS else "more"
        if source not in numbers and len(numbers) <= MAX_LISTS:
            numbers[source] = len(self._names)
            self._names.append(source)
        return numbers.get(source, 0)

    # -- looking up ------------------------------------------------------------------------------------------------

    def matches(self, event: Event, time: Instant | None = None) -> Iterator[Finding]:
        """The findings of one event. Without a time, neither given nor the event's, the latest one seen counts."""
        when = time if time is not None else event.time if event.time is not None else self._latest
        self._latest = max(self._latest, when)
        if not self._high:
            return
        said: set[str] = set()
        for looked, value in _values(event.fields):
            for kind, form, row in self._held(looked.kind, value):
                if self._ends[row] * seconds(1) > when and form not in said:
                    said.add(form)
                    yield from self._told(event, when, looked, kind, form, value)

    def _told(
        self, event: Event, time: Instant, looked: _Looked, kind: IndicatorKind, form: str, value: str
    ) -> Iterator[Finding]:
        card = _VISITOR if looked.began and event.fields.get("from") != "inside" else _CARDS[kind]
        other = _first(event.fields, _DOORS if card is _VISITOR else _MACHINES, but=value)
        if not self._quiet.news((form, other), time):
            return
        listed, machine = _PARTS.get(card.meaning.kind, (Role.RELATED, Role.VICTIM))
        things = [Observable(_THINGS[kind], listed, _named(kind, form, value))]
        if other:
            thing = ObservableKind.ADDRESS if normal(other) is not None else ObservableKind.HOST
            things.append(Observable(thing, machine, other))
        yield finding(
            card,
            event,
            time,
            group=(form, other),
            things=things,
            proofs=self._proofs(looked, form, value, time),
        )

    def _proofs(self, looked: _Looked, form: str, value: str, time: Instant) -> Iterator[Proof]:
        yield Proof(looked.field, value)
        rows = [row for row in self._find(form) if self._ends[row] * seconds(1) > time]
        yield Proof("lists", ", ".join(dict.fromkeys(self._names[self._lists[row]] for row in rows)))
        end = max(self._ends[row] for row in rows)
        yield Proof("listed until", "withdrawn" if end == _NEVER else rfc3339(Instant(end * seconds(1))))

    def _held(self, kind: IndicatorKind, value: str) -> tuple[tuple[IndicatorKind, str, Row], ...]:
        """What the lists say of a value, expired or not: of each form the row that ends last."""
        remembered = self._known.get((kind, value))
        if remembered is None:
            forms = self._forms(kind, value)
            remembered = tuple(
                (each, form, max(rows, key=self._ends.__getitem__))
                for each, form in forms
                if (rows := self._find(form))
            )
            if len(value) <= _MAX_REMEMBERED_TEXT:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[kind, value] = remembered
        return remembered

    def _forms(self, kind: IndicatorKind, value: str) -> Iterator[tuple[IndicatorKind, str]]:
        match kind:
            case IndicatorKind.ADDRESS:
                yield from ((kind, form) for form in self._address_forms(value))
            case IndicatorKind.DOMAIN:
                yield from self._host_forms(value)
            case IndicatorKind.URL:
                yield from self._url_forms(value)
            case IndicatorKind.HASH:
                yield from (
                    (kind, f"h {found.lower()}")
                    for found in _HEX.findall(value)
                    if len(found) in _HASH_LENGTHS
                )

    def _address_forms(self, value: str) -> Iterator[str]:
        if (address := normal(value)) is None:
            return
        number, bits = int(address), address.max_prefixlen
        for prefix in sorted(self._prefixes[address.version], reverse=True):
            yield _address_key(address.version, prefix, number >> (bits - prefix) << (bits - prefix))

    def _host_forms(self, value: str) -> Iterator[tuple[IndicatorKind, str]]:
        """The domain and its parents, or the address, that a name of a machine is."""
        host = _host(value)
        if normal(host) is not None:
            yield from ((IndicatorKind.ADDRESS, form) for form in self._address_forms(host))
        elif domain := _domain(host):
            labels = domain.split(".")
            for start in range(len(labels) - 1):
                yield IndicatorKind.DOMAIN, f"d {'.'.join(labels[start:])}"

    def _url_forms(self, value: str) -> Iterator[tuple[IndicatorKind, str]]:
        if url := _url(value):
            yield IndicatorKind.URL, f"u {url}"
            if "?" in url:
                yield IndicatorKind.URL, f"u {url.partition('?')[0]}"
        yield from self._host_forms(value)

    def _find(self, form: str) -> list[Row]:
        """The rows of one form: one for each list that holds it."""
        first, second = _digest(form)
        rows, at = [], bisect_left(self._high, first)
        while at < len(self._high) and self._high[at] == first:
            if self._low[at] == second:
                rows.append(at)
            at += 1
        return rows


def _digest(form: str) -> tuple[int, int]:
    whole = hashlib.blake2b(form.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(whole[:8], "big"), int.from_bytes(whole[8:], "big")


def _ordered(column: "array[int]", order: "np.ndarray[Any, np.dtype[np.int64]]") -> "array[int]":
    sorted_column = array(column.typecode)
    if column:
        sorted_column.frombytes(np.frombuffer(column, column.typecode)[order].tobytes())
    return sorted_column


def _values(fields: Mapping[str, Any]) -> Iterator[tuple[_Looked, str]]:
    """Every value that is looked up, with the field it stands in."""
    for looked in _LOOKED:
        value = fields.get(looked.field)
        if value is None:
            continue
        if isinstance(value, str):
            for part in (
                value.split(";", _MAX_PARTS)[:_MAX_PARTS] if looked.field == "QueryResults" else (value,)
            ):
                yield looked, part
        elif isinstance(value, list):
            yield from ((looked, part) for part in value[:_MAX_PARTS] if isinstance(part, str))
    host, uri = fields.get("cs-host"), fields.get("cs-uri")
    if isinstance(host, str) and isinstance(uri, str) and uri.startswith("/"):
        yield _WEB, host + uri


_WEB = _Looked("cs-uri", IndicatorKind.URL)
LOOKED_AT = frozenset(looked.field for looked in _LOOKED)
"""In an event with none of these fields nothing is looked up."""


def _first(fields: Mapping[str, Any], names: Iterable[str], *, but: str) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value not in ("", "-", but):
            return value[:200]
    return ""


def _named(kind: IndicatorKind, form: str, value: str) -> str:
    """What the observable is called: the address seen, or the listed domain, URL or hash."""
    if kind is IndicatorKind.ADDRESS:
        return str(normal(_host(value)) or value)[:200]
    return form[2:202]
