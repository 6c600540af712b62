"""What an identity provider must have said for somebody to be let in (OpenID Connect Core 1.0, 3.1.3.7).

Its signature is checked elsewhere, with keys that root fetched: here is what the signed words must say.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from rempart.instants import Duration, Instant, after, hours, minutes
from rempart.site.sign_on import SignOn

SKEW: Duration = minutes(2)
"""How far the provider's clock may be from ours."""

KEYS_LAST: Duration = hours(24 * 30)
"""How long fetched keys are believed: one that the provider took back must not open doors for ever."""

LONGEST_TOKEN = 16_384
"""Characters of the longest token that is looked at."""


class IdentityRefused(Exception):
    """The provider's word is not believed, or says nothing about anybody here."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An identity provider as it describes itself: its addresses and its public keys."""

    issuer: str
    authorization: str
    token: str
    keys: dict[str, Any]
    """A JSON Web Key Set (RFC 7517), public keys only."""
    fetched: Instant


def account(sign_on: SignOn, claims: Mapping[str, Any], nonce: str, now: Instant) -> str:
    """The account that these signed claims let in, for the flow that began with ``nonce``. Raises `IdentityRefused`.

    1. The provider is ours (``iss``), and speaks to us alone (``aud``, ``azp``).
    2. It speaks now (``exp``, ``iat``, ``nbf``), in answer to this very question (``nonce``).
    3. Whom it names has an account in site.toml. An account's roles come from here, never from the token.
    """
    _require(claims.get("iss") == sign_on.issuer, "another provider")
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    _require(sign_on.client in listed, "it is for somebody else")
    _require(len(listed) == 1 or "azp" in claims, "it is for several, and does not say for whom")
    _require(claims.get("azp", sign_on.client) == sign_on.client, "it was asked for by somebody else")
    _require(now < after(_instant(claims, "exp"), SKEW), "it is over")
    _require(_instant(claims, "iat") <= after(now, SKEW), "it is of a time to come")
    _require("nbf" not in claims or _instant(claims, "nbf") <= after(now, SKEW), "it is not good yet")
    _require(nonce and claims.get("nonce") == nonce, "it answers another question")
    # An address is what its owner says until the provider has checked it, and no lasting name (5.7).
    _require(
        sign_on.claim != "email" or claims.get("email_verified") is True, "the provider did not check it"
    )
    subject = claims.get(sign_on.claim)
    _require(isinstance(subject, str) and subject in sign_on.accounts, "it names nobody here")
    return sign_on.accounts[str(subject)]


def _instant(claims: Mapping[str, Any], name: str) -> Instant:
    """A NumericDate (RFC 7519, 2)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise IdentityRefused(f"{name} is no time")
    return Instant(int(value * 1_000_000))


def _require(holds: object, why: str) -> None:
    if not holds:
        raise IdentityRefused(why)
