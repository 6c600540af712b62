"""The filter between the proxy and the servers inside: nginx with ModSecurity and the Core Rule Set, as text.

A request for a *filtered* service goes proxy → filter → server. The proxy hands it over through a socket of the
opening's own, so that no header can choose the server. What is refused is answered with one short page and a header
that names the class of attack, which the proxy logs and removes. Neither requests nor what matched in them are
written anywhere: the set's own logs quote both, and a form holds residents' data.
"""

import re
from collections.abc import Iterator, Mapping

from rempart.config import Places
from rempart.containment.holdings import network
from rempart.containment.refusal import HEADER, Refusal
from rempart.errors import InputRefused
from rempart.site.opening import Opening
from rempart.site.site import Site

MODULE = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"
CORE_RULES = "/usr/share/modsecurity-crs/rules"
"""Where Debian and Ubuntu put them."""

RULES, OWN_RULES, PAGE = "modsecurity.conf", "webfilter.conf", "refused.html"
"""Files beside the configuration: the settings, what Rempart changes about the set, and what a visitor reads."""

LARGEST_BODY = 13_107_200
"""Bytes of a request with its files; a scanned letter has one or two million."""
LARGEST_TEXT = 1_048_576
"""Bytes of a request without its files."""

_PARTS = (
    "901",
    "905",
    "911",
    "913",
    "920",
    "921",
    "922",
    "930",
    "931",
    "932",
    "933",
    "934",
    "941",
    "942",
    "943",
    "944",
)
"""The parts of the set for requests. Left out: reputation and flooding (the proxy's and the kernel's), and answers."""

_PATH = re.compile(r"/[A-Za-z0-9/._+@-]*")


_SCORES: Mapping[Refusal, str] = {
    Refusal.SQL: "sql_injection_score",
    Refusal.SCRIPT: "xss_score",
    Refusal.COMMAND: "rce_score",
    Refusal.CODE: "php_injection_score",
    Refusal.FILE: "lfi_score",
    Refusal.REMOTE: "rfi_score",
    Refusal.SESSION: "session_fixation_score",
    Refusal.PROTOCOL: "http_violation_score",
}
_THRESHOLD = 5
"""Points at which a request is refused: one rule of the gravest kind."""
_STATUSES = {refusal: 460 + number for number, refusal in enumerate(Refusal)}
"""Between ModSecurity and nginx each refusal is a status of its own; outside it is always 403."""

_METHODS = "GET HEAD POST OPTIONS PUT PATCH DELETE"
_CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/related",
    "text/xml",
    "application/xml",
    "application/soap+xml",
    "application/fhir+xml",
    "application/json",
    "application/fhir+json",
    "application/csp-report",
)
"""Bodies that the filter can read. Another kind would pass unread: it is refused."""


def config(site: Site, places: Places, *, as_root: bool = False) -> str:
    """nginx.conf. Raises InputRefused.

    ``as_root``: it is started by root without a user of its own (a demo in a user namespace, where nobody else can be
    become), so it must not fork workers that would change their user.
    """
    work, folder = _path(str(places.filter_work)), _path(str(places.filter_config.parent))
    lines = [
        f"load_module {MODULE};",
        "daemon off;",
        f"pid {work}/nginx.pid;",
        # Below `crit` the module writes what matched, with the text of the form around it.
        "error_log stderr crit;",
        "master_process off;" if as_root else "worker_processes 2;",
        "events { worker_connections 1024; }",
        "http {",
        "\taccess_log off;",
        "\tserver_tokens off;",
        *(f"\t{kind}_temp_path {work}/{kind};" for kind in _TEMPORARY),
        f"\tclient_max_body_size {LARGEST_BODY};",
        "\tclient_header_timeout 10s;",
        "\tclient_body_timeout 30s;",
        "\tkeepalive_timeout 75s;",
        "\tset_real_ip_from unix:;",
        "\treal_ip_header X-Forwarded-For;",
        "\tmodsecurity on;",
        f"\tmodsecurity_rules_file {folder}/{RULES};",
        "\tmap $http_upgrade $connection_wanted { default upgrade; '' ''; }",
        *(f"\t{line}" for opening in site.published() for line in _server(opening, places, folder)),
        *(f"\t{line}" for line in _challenges(places)),
        "}",
    ]
    return "\n".join([*lines, ""])


def rules(places: Places) -> str:
    """The settings of ModSecurity around the Core Rule Set, and the verdict. Raises InputRefused."""
    work, folder = _path(str(places.filter_work)), _path(str(places.filter_config.parent))
    types = " ".join(f"|{kind}|" for kind in _CONTENT_TYPES)
    malformed = _STATUSES[Refusal.MALFORMED]
    return "\n".join(
        [
            "SecRuleEngine On",
            "SecRequestBodyAccess On",
            f"SecRequestBodyLimit {LARGEST_BODY}",
            f"SecRequestBodyNoFilesLimit {LARGEST_TEXT}",
            "SecRequestBodyLimitAction Reject",
            "SecRequestBodyJsonDepthLimit 64",
            "SecArgumentsLimit 1000",
            # Answers pass as they come: pages may be long, and reading them would hold back streams.
            "SecResponseBodyAccess Off",
            "SecPcreMatchLimit 250000",
            "SecPcreMatchLimitRecursion 250000",
            f"SecTmpDir {work}",
            f"SecDataDir {work}",
            f"SecUploadDir {work}",
            "SecUploadKeepFiles Off",
            "SecAuditEngine Off",
            'SecDefaultAction "phase:1,nolog,noauditlog,pass"',
            'SecDefaultAction "phase:2,nolog,noauditlog,pass"',
            'SecRule REQUEST_HEADERS:Content-Type "@rx (?i)^(?:application/(?:[a-z.-]+\\+)?|text/)xml" '
            '"id:190001,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"',
            'SecRule REQUEST_HEADERS:Content-Type "@rx (?i)^application/(?:[a-z.-]+\\+)?json" '
            '"id:190002,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"',
            f'SecRule REQBODY_ERROR "!@eq 0" "id:190003,phase:2,deny,nolog,status:{malformed}"',
            f'SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:190004,phase:2,deny,nolog,status:{malformed}"',
            f'SecRule &ARGS "@ge 1000" "id:190005,phase:2,deny,nolog,status:{malformed}"',
            'SecAction "id:190000,phase:1,pass,nolog,setvar:tx.crs_setup_version=334,setvar:tx.paranoia_level=1,'
            f"setvar:'tx.allowed_methods={_METHODS}',setvar:'tx.allowed_request_content_type={types}'\"",
            *(f"Include {CORE_RULES}/REQUEST-{part}-*.conf" for part in _PARTS),
            f"Include {folder}/{OWN_RULES}",
            *_verdict(),
            "",
        ]
    )


def files(site: Site, places: Places, *, as_root: bool = False) -> dict[str, str]:
    """What the filter reads beside webfilter.conf and refused.html, by name."""
    return {places.filter_config.name: config(site, places, as_root=as_root), RULES: rules(places)}


_REFUSED, _TOO_LARGE = "/-rempart-refused", "too-large"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _verdict() -> Iterator[str]:
    """The sum of all points, and the first class that reaches the threshold by itself."""
    yield (
        f'SecRule TX:ANOMALY_SCORE_PL1 "@lt {_THRESHOLD}" "id:190900,phase:2,pass,nolog,skipAfter:END-OF-THE-VERDICT"'
    )
    for number, (refusal, score) in enumerate(_SCORES.items(), start=190901):
        status = _STATUSES[refusal]
        yield f'SecRule TX:{score.upper()} "@ge {_THRESHOLD}" "id:{number},phase:2,deny,nolog,status:{status}"'
    yield f'SecAction "id:190990,phase:2,deny,nolog,status:{_STATUSES[Refusal.OTHER]}"'
    yield "SecMarker END-OF-THE-VERDICT"


def _server(opening: Opening, places: Places, folder: str) -> list[str]:
    publication = opening.publication
    assert publication is not None
    ip = network(publication.address).network_address
    where = f"[{ip}]" if ip.version == 6 else str(ip)
    return [
        "server {",
        f"\tlisten unix:{_path(str(places.filter_socket(opening.mark)))};",
        *(f"\terror_page {status} =403 {_REFUSED}/{refusal};" for refusal, status in _STATUSES.items()),
        f"\terror_page 413 =403 {_REFUSED}/{_TOO_LARGE};",
        *(line for refusal in (*Refusal, _TOO_LARGE) for line in _refused(str(refusal), folder)),
        "\tlocation / {",
        f"\t\tproxy_pass http://{where}:{int(publication.port)};",
        "\t\tproxy_http_version 1.1;",
        "\t\tproxy_set_header Host $http_host;",
        "\t\tproxy_set_header Upgrade $http_upgrade;",
        "\t\tproxy_set_header Connection $connection_wanted;",
        f"\t\tproxy_hide_header {HEADER};",
        "\t\tproxy_buffering off;",
        "\t\tproxy_connect_timeout 2s;",
        "\t\tproxy_read_timeout 60s;",
        "\t}",
        "}",
    ]


def _challenges(places: Places) -> list[str]:
    """Gives out what an ACME client left there (RFC 8555 section 8.3), and nothing else."""
    return [
        "server {",
        f"\tlisten unix:{_path(str(places.challenges_socket))};",
        "\tmodsecurity off;",
        "\tlocation ~ ^/\\.well-known/acme-challenge/[A-Za-z0-9_-]+$ {",
        f"\t\troot {_path(str(places.challenges))};",
        "\t\tdisable_symlinks on;",
        "\t\tdefault_type text/plain;",
        "\t}",
        "\tlocation / { return 404; }",
        "}",
    ]


def _refused(why: str, folder: str) -> list[str]:
    return [
        f"\tlocation = {_REFUSED}/{why} {{",
        "\t\tinternal;",
        "\t\tmodsecurity off;",
        f"\t\talias {folder}/{PAGE};",
        f"\t\tadd_header {HEADER} {why} always;",
        "\t\tadd_header Cache-Control no-store always;",
        "\t\ttypes { }",
        "\t\tdefault_type 'text/html; charset=utf-8';",
        "\t}",
    ]


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise InputRefused(
            f"{text[:80]!r} is not a path the filter can be given",
            now="Use a folder without spaces or quotes.",
        )
    return text
