"""One POST over HTTPS, to the very address that was checked; no redirection is followed."""

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from rempart.edge.patience import Patience
from rempart.errors import NotHandedOver

TIMEOUT = 15.0
"""Seconds that one step may take."""

WHOLE = 60.0
"""Seconds that all of them may take: other messages wait behind this one."""

_ANSWER = 4_096
"""Bytes of an answer that are read."""

_MOST = 1 << 18
"""Bytes that are taken in all, with what stands before the answer."""

_BUSY = frozenset({408, 425, 429})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Allowed = Callable[[Address], bool]


def post(
    url: str, body: Mapping[str, str], headers: Mapping[str, str], allowed: Allowed, authority: str = ""
) -> None:
    """Send ``body`` as JSON; done when the answer is 2xx. Raises `NotHandedOver`.

    The name is looked up once, every address is checked by ``allowed``, and the connection goes to that address: a
    name that changes its mind in between (DNS rebinding, CWE-918) gains nothing. Proxies of the environment are not
    used.
    """
    place = urlsplit(url)
    host, port = place.hostname or "", place.port or 443
    context = ssl.create_default_context(cafile=authority or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    patient = Patience(WHOLE, _MOST).tls(context)
    connection = _Pinned(host, port, _address(host, port, allowed), patient)
    try:
        path = place.path or "/"
        connection.request(
            "POST",
            f"{path}?{place.query}" if place.query else path,
            json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":")),
            {"Content-Type": "application/json", "User-Agent": "rempart", **headers},
        )
        answer = connection.getresponse()
        answer.read(_ANSWER)
    except (http.client.HTTPException, OSError) as fault:
        reason = getattr(fault, "reason", None) or str(fault) or type(fault).__name__
        raise NotHandedOver(f"no answer: {reason}", where=host) from fault
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise NotHandedOver(
            f"it answers {answer.status}"
            + (": redirections are not followed" if 300 <= answer.status < 400 else ""),
            where=host,
            lasting=400 <= answer.status < 500 and answer.status not in _BUSY,
        )


def _address(host: str, port: int, allowed: Allowed) -> str:
    try:
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as fault:
        raise NotHandedOver(f"its name is not found: {fault.strerror}", where=host) from fault
    forbidden = [each for each in found if not allowed(ipaddress.ip_address(each.partition("%")[0]))]
    if forbidden or not found:
        raise NotHandedOver(
            f"its address {', '.join(forbidden)} is not where site.toml says that it is",
            where=host,
            now="Name its opening when it is outside, none when it stands in one of the zones.",
        )
    return found[0]


class _Pinned(http.client.HTTPSConnection):
    """A connection to one address, with the certificate of the name."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=TIMEOUT, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        """Go to the address that was checked, and ask there for the name."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
