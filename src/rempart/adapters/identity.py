"""The identity provider: what it publishes, what it gives for a code, and whether it signed. Knows joserfc."""

import base64
import ipaddress
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from rempart.accounts.identity import LONGEST_TOKEN, IdentityRefused, Provider
from rempart.accounts.secret import Secret
from rempart.edge.patience import Patience
from rempart.errors import InputRefused
from rempart.instants import Instant

_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures with a private key. Neither *none* nor HS256, whose secret everybody could read (RFC 8725, 2.1)."""

_KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MOST = 256 * 1024
_PATIENCE = 5.0
_WHOLE = 15.0
"""Seconds for all of one answer: few may wait for it at once."""


def signed(token: str, provider: Provider) -> dict[str, Any]:
    """What the token says, when one of these keys signed it. Raises `IdentityRefused`.

    Only the pinned keys count: what a token's header says of keys (``jwk``, ``jku``, ``x5c``) is not looked at.
    """
    if len(token) > LONGEST_TOKEN:
        raise IdentityRefused("it is too long")
    try:
        told = jwt.decode(token, KeySet.import_key_set(provider.keys), algorithms=_ALGORITHMS)  # type: ignore[arg-type]  # a typed dictionary
    except (JoseError, ValueError, KeyError, TypeError) as fault:  # hostile bytes
        raise IdentityRefused(f"the signature does not hold: {fault}") from fault
    return dict(told.claims)


def kept(file: Path) -> Provider:
    """The provider as it was last fetched. Raises `IdentityRefused` when that is not there or not readable."""
    try:
        return msgspec.json.decode(file.read_bytes()[:_MOST], type=Provider)
    except (OSError, msgspec.MsgspecError) as fault:
        raise IdentityRefused(f"the provider's keys are not there: {fault}") from fault


_ASK = "Is the issuer in site.toml right? If it is, ask whoever runs the provider."


def fetched(issuer: str, now: Instant) -> Provider:
    """What the provider publishes of itself (OpenID Connect Discovery 1.0, 4). Raises `InputRefused`."""
    described = _asked(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if described.get("issuer") != issuer:
        raise InputRefused(
            f"the provider calls itself {described.get('issuer')!r}",
            where=issuer,
            now="Write the issuer in site.toml letter by letter as it calls itself.",
        )
    try:
        keys = _asked(described["jwks_uri"])["keys"]
        public = [key for key in keys if key.get("kty") in _KEY_TYPES and not _PRIVATE & key.keys()]
        provider = Provider(
            issuer=issuer,
            authorization=described["authorization_endpoint"],
            token=described["token_endpoint"],
            keys={"keys": public},
            fetched=now,
        )
        KeySet.import_key_set(provider.keys)  # type: ignore[arg-type]  # a typed dictionary
    except (KeyError, AttributeError, TypeError, ValueError, JoseError) as fault:
        raise InputRefused(f"its description cannot be used: {fault}", where=issuer, now=_ASK) from fault
    for address in (provider.authorization, provider.token):
        _ours_to_ask(address)
    if not public:
        raise InputRefused("it publishes no public key", where=issuer, now=_ASK)
    return provider


def exchanged(
    provider: Provider, client: str, secret: Secret | None, *, code: str, verifier: str, back: str
) -> str:
    """The ID token that the provider gives for a code (RFC 6749, 4.1.3; RFC 7636, 4.5). Raises `InputRefused`."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    headers = {}
    if secret is None:
        form["client_id"] = client
    else:
        pair = f"{quote(client, safe='')}:{quote(secret.text, safe='')}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    given = _asked(provider.token, urlencode(form).encode(), headers).get("id_token")
    if not isinstance(given, str):
        raise InputRefused("the provider gave no ID token", where=provider.token)
    return given


def secret_of(file: str) -> Secret | None:
    """The client's secret; None when the provider asks for none. Raises `InputRefused` when others may read it."""
    if not file:
        return None
    try:
        path = Path(file)
        if path.stat().st_mode & 0o007:
            raise InputRefused("others may read the client's secret", where=file, now=f"Run: chmod o= {file}")
        return Secret(path.read_text().strip())
    except OSError as fault:
        raise InputRefused(
            f"the client's secret cannot be read: {fault.strerror}",
            where=file,
            now="Is its path in site.toml right, and may this user read it?",
        ) from fault


class _NoDetour(urllib.request.HTTPRedirectHandler):
    """A redirect would take a code, or trust in keys, to an address that nobody wrote down."""

    def redirect_request(self, *_: Any) -> None:
        """None is followed."""
        return


def _asked(address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    _ours_to_ask(address)
    context = Patience(_WHOLE, 2 * _MOST).tls(ssl.create_default_context())
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _NoDetour
    )
    request = urllib.request.Request(address, body, {"accept": "application/json", **(headers or {})})  # noqa: S310  checked above
    try:
        with opener.open(request, timeout=_PATIENCE) as answer:
            told = json.loads(answer.read(_MOST))
    except (OSError, ValueError, RecursionError) as fault:
        raise InputRefused(
            f"the provider does not answer as it should: {fault}", where=urlsplit(address).netloc, now=_ASK
        ) from fault
    if not isinstance(told, dict):
        raise InputRefused("the provider's answer is no object", where=urlsplit(address).netloc, now=_ASK)
    return told


def _ours_to_ask(address: str) -> None:
    """TLS, or this very machine. Raises `InputRefused`."""
    parts = urlsplit(str(address))
    if parts.scheme == "https" and parts.hostname:
        return
    try:
        loopback = parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InputRefused(
            f"{address!r} is not reached over TLS", now="The provider's addresses must be https."
        )
