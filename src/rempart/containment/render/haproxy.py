"""A site's published services as a haproxy configuration and its maps; the pages of closed ones as haproxy fills them.

The front always answers. Which service a request is for comes from its Host header; whether that service answers
comes from a map, opening id to state, which is changed through the runtime socket without a reload. Words of the
site stand in files of their own (maps, pages), never inside the configuration. What changes in a page (since when,
when there is news) stands in a map too. The encrypted port is there before its first certificate: which services have
one that can be used stands in a third map, so that one obtained later needs no reload either.

Log lines are JSON objects of one line each, every captured value cut to a length and escaped by haproxy.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

from rempart.config import Places
from rempart.containment.acl import acl
from rempart.containment.holdings import network, spelled
from rempart.containment.limits import Limits, limited_by_proxy
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.refusal import HEADER
from rempart.containment.way import addresses
from rempart.errors import InputRefused
from rempart.site.opening import Opening, OpeningState, Publication, Tls
from rempart.site.site import Site

RETRY_AFTER = 600
"""Seconds after which visitors may ask again."""
_PACE = 10
"""Seconds over which a filtered service counts the requests of one source."""
PORT, TLS_PORT = 80, 443
ZONE = "TZ=CET-1CEST,M3.5.0,M10.5.0/3"
"""What haproxy's environment must say when it starts: hours of use are the house's, Belgian time by rule (POSIX), with
or without the machine's zone files. Said in its configuration it comes too late."""
_BUFFER = 16_384
"""Bytes of a buffer, as haproxy has them by itself (tune.bufsize)."""
_HEADERS = 4_096
"""Bytes left for what stands before a page."""
CERTIFICATES = "certificates.list"
"""File of the certificates, by the names they are for; it may be empty."""
ENCRYPTED = "encrypted.map"
"""File of the map from services with encryption to whether what they need for it can be used."""
USABLE, UNUSABLE = "usable", "unusable"
"""What that map says."""
HOSTS = "hosts.map"
"""File of the map from host names to openings."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_KEY = re.compile(r"[a-z0-9.:-]{1,80}")
_PATH = re.compile(r"/[A-Za-z0-9/._+@-]*")

_CAPTURED = {
    "host": ("req.hdr(host)", 256),
    "path": ("path", 1024),
    "query": ("query", 1024),
    "user_agent": ("req.hdr(user-agent)", 512),
    "referer": ("req.hdr(referer)", 512),
}
"""Log key: what is captured, and how many bytes of it; escaping makes at most six of one."""

_LOGGED = (
    '"time":%[date(0,ms)]',
    '"src":"%ci"',
    '"sport":%cp',
    '"dst":"%fi"',
    '"dport":%fp',
    '"method":"%[var(txn.method)]"',
    *(f'"{key}":"%[var(txn.{key})]"' for key in _CAPTURED),
    '"status":%ST',
    '"bytes_out":%B',
    '"bytes_in":%U',
    '"opening":"%[var(txn.opening)]"',
    '"refusal":"%[var(txn.refusal)]"',
    '"backend":"%b"',
    '"termination":"%ts"',
)


def config(site: Site, places: Places, *, run_as: str | None = None, largest: int = 0) -> str:
    """The configuration. ``run_as`` names the user and group to become, when started as root. Raises InputRefused.

    ``largest``: bytes of the largest page; haproxy does not start with one that its buffers do not hold.
    """
    folder = _path(str(places.proxy_config.parent))
    published = list(site.published())
    sections = [
        _global(places, run_as, largest),
        _defaults(),
        _front(site, published, places, folder),
        _challenges(places),
        *(section for opening in published for section in _backends(opening, places, folder)),
    ]
    return "\n".join(line for section in sections for line in [*section, ""])


def certificate_entries(site: Site, usable: Container[str]) -> Mapping[str, str]:
    """haproxy's crt-list by opening: a name's certificate, and whose certificates its visitors must show.

    ``usable``: the certificate files that can be read. A service whose own cannot is left out, and closed: unencrypted
    it would tell passwords to everybody, and a proxy that does not start would take the others and every page with it.
    """
    return {
        _id(opening.id): f"{_path(tls.certificate)} {_asked(opening, tls)}{_host(publication.host)}"
        for opening in site.published()
        if (publication := opening.publication) and (tls := publication.tls) and _is_usable(tls, usable)
    }


def encrypted_map(site: Site, usable: Container[str]) -> str:
    """Each service with encryption and whether it can be served so, one a line."""
    entries = certificate_entries(site, usable)
    return "".join(
        f"{_id(opening.id)} {USABLE if opening.id in entries else UNUSABLE}\n"
        for opening in site.published()
        if opening.publication and opening.publication.tls
    )


def _asked(opening: Opening, tls: Tls) -> str:
    if not tls.clients:
        return ""
    # Told whose certificates are wanted, a browser offers no other: a visit may name one of any authority.
    any_authority = " no-ca-names" if opening.takes_visits else ""
    return f"[ca-file {_path(tls.clients)} verify required{any_authority}] "


def _is_usable(tls: Tls, usable: Container[str]) -> bool:
    return tls.certificate in usable and (tls.clients is None or tls.clients in usable)


def openings_map(site: Site, wanted: Enforcement) -> str:
    """Opening id and state, one published opening a line; then who may come in through those for visits."""
    held = {**states(site, wanted), **visitors(site, wanted)}
    return "".join(f"{name} {value}\n" for name, value in held.items())


def states(site: Site, wanted: Enforcement) -> Mapping[str, OpeningState]:
    """How each published opening should stand in the proxy; closed when nobody said anything."""
    return {
        _id(opening.id): wanted.stands[opening.id].state
        if opening.id in wanted.stands
        else OpeningState.CLOSED
        for opening in site.published()
    }


def visitors(site: Site, wanted: Enforcement) -> Mapping[str, str]:
    """Who may come in through each published opening for visits: anybody, nobody, or one address with a certificate."""
    return {
        visitor_key(_id(opening.id)): _let_in(wanted.stands.get(opening.id))
        for opening in limited_by_proxy(site)
    }


def visitor_key(opening_id: str) -> str:
    """Under which name the map says who may come in: with a stroke, which neither ids nor notices' names hold."""
    return f"{opening_id}/visitor"


def stands(held: Mapping[str, str]) -> dict[str, Stand]:
    """How the published openings stand, from what the map holds; one that lets nobody in is closed."""
    known = {state.value: state for state in OpeningState}
    return {
        name: _read(known[value], held.get(visitor_key(name), _ANYBODY))
        for name, value in held.items()
        if value in known
    }


def _let_in(stand: Stand | None) -> str:
    if stand is None or stand.state is OpeningState.CLOSED:
        return _NOBODY
    if stand.limits is None:
        return _ANYBODY
    if not _FINGERPRINT.fullmatch(stand.limits.certificate):
        return _NOBODY  # limits of another kind: the site's description has changed
    return f"{spelled(network(stand.limits.source))}/{stand.limits.certificate}"


def _read(state: OpeningState, visitor: str) -> Stand:
    if visitor == _ANYBODY or state is OpeningState.CLOSED:
        return Stand(state=state)
    source, _, certificate = visitor.rpartition("/")
    if not source:
        return Stand(state=OpeningState.CLOSED)
    return Stand(state=state, limits=Limits(source=source, certificate=certificate))


_ANYBODY, _NOBODY = "*", "-"
_ANY_IPV4, _ANY_IPV6 = "0.0.0.0", "[::]"  # noqa: S104  the uplink's address is not known when this is written
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def hosts_map(site: Site) -> str:
    """Host name and opening id, one a line."""
    return "".join(
        f"{_host(opening.publication.host)} {_id(opening.id)}\n"
        for opening in site.openings
        if opening.publication
    )


def notices_map(notices: Mapping[str, str]) -> str:
    """What the holes of pages are filled with, one a line."""
    return "".join(f"{_name(name)} {words}\n" for name, words in notices.items())


def page_name(opening: Opening, *, dated: bool = True) -> str:
    """File name of an opening's maintenance page: the one that says since when, or the one that does not know."""
    return f"maintenance-{int(opening.mark)}{'' if dated else '-undated'}.html"


def server_names(opening: Opening) -> tuple[str, str]:
    """The opening's two ways in as the runtime socket names them: straight to its server, and through the filter."""
    return f"{_backend_name(opening)}/server", f"{_filtered_name(opening)}/filter"


def live(page: str, places: Places) -> str:
    """A page as haproxy's log format: its holes are looked up in the maps at each request.

    Words of the site are text there and nothing else: a percent sign is doubled, and the holes' names are ours.
    """
    return _HOLE.sub(
        lambda hole: f"%[str({_name(hole[1])}),{_looked_up(hole[1], places)}]", page.replace("%", "%%")
    )


def _looked_up(name: str, places: Places) -> str:
    if name.startswith(_STATE):
        return f"regsub({_STATE},),map_str({_path(str(places.proxy_map))},closed)"
    return f"map_str({_path(str(places.notices_map))},-)"


_HOLE = re.compile("\ue000([^\ue001]*)\ue001")
_STATE = "state:"


# -- sections -----------------------------------------------------------------------------------------------------


def _global(places: Places, run_as: str | None, largest: int) -> list[str]:
    who = [f"\tuser {_id(run_as)}", f"\tgroup {_id(run_as)}"] if run_as else []
    room = -(-(largest + _HEADERS) // _BUFFER) * _BUFFER
    return [
        "global",
        # haproxy cuts a line that is longer, and half an object is no JSON: 3328 bytes captured, times six, and room.
        "\tlog stdout len 32768 format raw local0",
        # Whoever is in haproxy's group may steer it: on a box that is the guard alone.
        f"\tstats socket {_path(str(places.proxy_socket))} mode 660 level admin",
        "\tstats timeout 10s",
        "\tmaxconn 2000",
        *([f"\ttune.bufsize {room}"] if room > _BUFFER else ()),
        # What browsers of the last ten years speak (Mozilla's intermediate profile, elliptic curves only).
        "\tssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
        f"\tssl-default-bind-ciphers {_CIPHERS}",
        f"\tssl-default-bind-ciphersuites {_SUITES}",
        *who,
    ]


def _defaults() -> list[str]:
    return [
        "defaults",
        "\tmode http",
        "\tlog global",
        f"\tlog-format {_quoted('{' + ','.join(_LOGGED) + '}')}",
        "\ttimeout connect 2s",
        "\ttimeout client 30s",
        "\ttimeout client-fin 5s",
        "\ttimeout server 60s",
        "\ttimeout http-request 10s",
        "\ttimeout http-keep-alive 10s",
        "\ttimeout queue 5s",
        # A leg that the kernel has cut refuses at once; asking twice would only keep the visitor waiting a second.
        "\tretries 0",
    ]


def _front(site: Site, published: Iterable[Opening], places: Places, folder: str) -> list[str]:
    captured = (
        f"\thttp-request set-var(txn.{key}) {fetch},bytes(0,{most}),json(utf8s)"
        for key, (fetch, most) in _CAPTURED.items()
    )
    unknown = f" {_OF_ANY_AUTHORITY}" if any(map(_asks_visitors, limited_by_proxy(site))) else ""
    return [
        "frontend outside",
        *_binds(site, PORT),
        *(
            f"{bind} ssl crt-list {folder}/{CERTIFICATES} strict-sni alpn h2,http/1.1{unknown}"
            for bind in (_binds(site, TLS_PORT) if encrypted_map(site, ()) else ())
        ),
        "\thttp-request set-var(txn.method) method,json(utf8s)",
        *captured,
        f"\thttp-request set-var(txn.opening) req.hdr(host),field(1,:),lower,map_str({folder}/{HOSTS})",
        f"\thttp-request set-var(txn.state) var(txn.opening),map_str({_path(str(places.proxy_map))},closed)",
        "\thttp-request return status 421 content-type text/plain string unknown-host "
        "unless { var(txn.opening) -m found }",
        # A certificate renews in the middle of a cut: whoever signs it asks for this, on port 80, from anywhere.
        f"\thttp-request allow if {_CHALLENGE}",
        *(_SHOWN if limited_by_proxy(site) else ()),
        *(line for opening in published for line in _front_rules(opening, folder)),
        *(line for opening in limited_by_proxy(site) for line in _visit(opening, places)),
        "\thttp-request del-header X-Forwarded-For",
        "\thttp-request set-header X-Forwarded-For %[src]",
        "\thttp-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]",
        "\thttp-request del-header X-Client-Certificate",
        "\thttp-request set-header X-Client-Certificate %[ssl_c_s_dn(cn)] if { ssl_c_used }",
        f"\tuse_backend challenges if {_CHALLENGE}",
        *(line for opening in published for line in _ways_in(opening)),
    ]


def _front_rules(opening: Opening, folder: str) -> Iterator[str]:
    """Who may ask, when, and how; what is closed answers before anybody is sent to the encrypted side."""
    publication = opening.publication
    assert publication is not None
    asks = _asks_for(opening)
    if "*" not in opening.hosts:
        callers = f"callers_{int(opening.mark)}"
        yield from acl(callers, "src", map(spelled, addresses(opening.hosts)))
        yield f"\thttp-request deny deny_status 403 if {asks} !{callers}"
    closed = _telling(opening, folder, dated=True)
    yield f"\thttp-request return {closed} if {asks} {{ var(txn.state) -m str closed }}"
    if publication.hours:
        shut = _telling(opening, folder, dated=False)
        days = " ".join(f"{day:d}" for day in publication.hours.days) or "0"  # which is no day: never
        first, last = _clock(publication.hours.begins), _clock(publication.hours.ends - 1)
        yield f"\thttp-request return {shut} if {asks} !{{ date,ltime(%u) {days} }}"
        yield f"\thttp-request return {shut} if {asks} !{{ date,ltime(%H%M) -m int {first}:{last} }}"
    if publication.tls:
        held = f"str({_id(opening.id)}),map_str({folder}/{ENCRYPTED},{UNUSABLE})"
        shut = _telling(opening, folder, dated=False)
        yield f"\thttp-request return {shut} if {asks} !{{ {held} -m str {USABLE} }}"
        yield f"\thttp-request redirect scheme https code 301 if {asks} !{{ ssl_fc }}"
        # One connection, one name: what was asked of the visitor's certificate was asked for that name.
        yield f"\thttp-request deny deny_status 421 if {asks} !{{ ssl_fc_sni,lower -m str {_host(publication.host)} }}"
        if publication.tls.clients:
            yield f"\thttp-request deny deny_status 403 if {asks} !{{ ssl_c_used }}"
            if not opening.takes_visits:
                yield f"\thttp-request deny deny_status 403 if {asks} !{{ ssl_c_verify 0 }}"


def _visit(opening: Opening, places: Places) -> Iterator[str]:
    """Who may come in during a visit with limits. It changes without a reload, so it is looked up in the map."""
    asks = _asks_for(opening)
    key, let_in = visitor_key(_id(opening.id)), "var(txn.let_in)"
    yield (
        f"\thttp-request set-var(txn.let_in) str({key}),map_str({_path(str(places.proxy_map))},{_NOBODY}) if {asks}"
    )
    named = "{ var(txn.visitor),strcmp(txn.let_in) eq 0 }"
    yield f"\thttp-request deny deny_status 403 if {asks} !{{ {let_in} -m str {_ANYBODY} }} !{named}"
    if _asks_visitors(opening):  # the one certificate of a visit needs nobody else's word
        yield f"\thttp-request deny deny_status 403 if {asks} !{{ ssl_c_verify 0 }} !{named}"


def _asks_visitors(opening: Opening) -> bool:
    publication = opening.publication
    return bool(publication and publication.tls and publication.tls.clients)


_OF_ANY_AUTHORITY = "crt-ignore-err 18,20,21 ca-ignore-err 2,19,20,21"
"""A handshake does not fail because nobody known signed the certificate (OpenSSL's X509_V_ERR_*): the rules judge that.
It still fails for one that is out of date or made for something else."""

_SHOWN = (
    "\thttp-request set-var(txn.certificate) ssl_c_der,sha2(256),hex,lower if { ssl_c_used }",
    "\thttp-request set-var(txn.visitor) src,concat(/,txn.certificate)",
)
"""Who asks: the address, and the fingerprint of the certificate that the handshake proved."""


def _telling(opening: Opening, folder: str, *, dated: bool) -> str:
    """The page of a closed service as the proxy's answer."""
    return (
        f"status 503 content-type {_HTML} lf-file {folder}/{page_name(opening, dated=dated)} "
        f"hdr Retry-After {RETRY_AFTER} hdr Cache-Control no-store {_POLICY}"
    )


def _clock(minute: int) -> int:
    """Hours and minutes as haproxy compares them: 830 for half past eight."""
    return minute // 60 * 100 + minute % 60


def _challenges(places: Places) -> list[str]:
    return [
        "backend challenges",
        "\thttp-request deny unless { method GET HEAD }",
        f"\tserver filter unix@{_path(str(places.challenges_socket))}",
    ]


def _ways_in(opening: Opening) -> Iterator[str]:
    """Filtered requests take the way through the filter; when it does not run, they reach nobody."""
    yield f"\tuse_backend {_filtered_name(opening)} if {_asks_for(opening)} {{ var(txn.state) -m str filtered }}"
    yield f"\tuse_backend {_backend_name(opening)} if {_asks_for(opening)}"


def _backends(opening: Opening, places: Places, folder: str) -> Iterator[list[str]]:
    publication = opening.publication
    assert publication is not None
    # The kernel cuts the leg to the server by itself (a trial that ends): visitors then read the same page.
    unreachable = f"\thttp-error {_telling(opening, folder, dated=False)}"
    # Only the filter may say that it refused; a server's word about it is dropped.
    yield [
        f"backend {_backend_name(opening)}",
        unreachable,
        f"\thttp-response del-header {HEADER}",
        *_insisting(publication),
        f"\tserver server {_server(publication)}",
    ]
    yield [
        f"backend {_filtered_name(opening)}",
        "\tstick-table type ipv6 size 100k expire 1m store http_req_rate(10s)",
        "\thttp-request track-sc0 src",
        "\thttp-request return status 429 content-type text/plain string too-many-requests "
        f"hdr Retry-After {_PACE} if {{ sc_http_req_rate(0) gt {int(publication.requests)} }}",
        unreachable,
        f"\thttp-response set-var(txn.refusal) res.hdr({HEADER}),bytes(0,20),json(utf8s)",
        f"\thttp-response del-header {HEADER}",
        *_insisting(publication),
        f"\tserver filter unix@{_path(str(places.filter_socket(opening.mark)))}",
    ]


def _insisting(publication: Publication) -> Iterator[str]:
    """Browsers insist on encryption when the site says so, and never else: taking it back takes as long as it lasts."""
    if publication.tls and publication.tls.hsts_days:
        seconds = int(publication.tls.hsts_days) * 86_400
        yield f"\thttp-response set-header Strict-Transport-Security max-age={seconds} if {{ ssl_fc }}"


# -- spelling: what the configuration may be made of --------------------------------------------------------------

_CHALLENGE = (
    "{ var(txn.opening) -m found } !{ ssl_fc } "
    "{ path -m reg ^/\\.well-known/acme-challenge/[A-Za-z0-9_-]{1,128}$ }"
)
"""RFC 8555 section 8.3, HTTP challenge; RFC 8737 and DNS are none of ours."""
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
_SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
_HTML = '"text/html; charset=utf-8"'
_POLICY = (
    "hdr Content-Security-Policy \"default-src 'none'; style-src 'unsafe-inline'\" "
    "hdr Referrer-Policy no-referrer"
)
"""A page of ours loads nothing from anywhere."""


def _backend_name(opening: Opening) -> str:
    return f"opening_{int(opening.mark)}"


def _filtered_name(opening: Opening) -> str:
    return f"{_backend_name(opening)}_filtered"


def _asks_for(opening: Opening) -> str:
    return f"{{ var(txn.opening) -m str {_id(opening.id)} }}"


def _binds(site: Site, port: int) -> Iterator[str]:
    """Where the front listens. A socket for each family: one for both would write IPv4 visitors as ::ffff:192.0.2.1."""
    for address in _front_addresses(site):
        yield f"\tbind {address}:{port}{' v6only' if address == _ANY_IPV6 else ''}"


def _front_addresses(site: Site) -> list[str]:
    return [_address(text.partition("/")[0]) for text in site.uplink.addresses] or [_ANY_IPV4, _ANY_IPV6]


def _server(publication: Publication) -> str:
    return f"{_address(publication.address)}:{int(publication.port)}"


def _address(text: str) -> str:
    ip: IPv4Address | IPv6Address = network(text).network_address
    return f"[{ip}]" if ip.version == 6 else str(ip)


def _quoted(text: str) -> str:
    """Our own text between single quotes, within which haproxy reads nothing specially."""
    return f"'{text}'"


def _id(text: str) -> str:
    return _matching(_ID, text, "an id", "Use letters, digits and the hyphen.")


def _host(text: str) -> str:
    return _matching(_HOST, text, "a host name", "Write it in lower case, as www.example.be.")


def _name(text: str) -> str:
    return _matching(_KEY, text, "a name in a page", "This is a mistake of ours.")


def _path(text: str) -> str:
    return _matching(_PATH, text, "a path the proxy can be given", "Use a folder without spaces or quotes.")


def _matching(pattern: re.Pattern[str], text: str, what: str, now: str) -> str:
    if not pattern.fullmatch(text):
        raise InputRefused(f"{text[:80]!r} is not {what}", now=now)
    return text
