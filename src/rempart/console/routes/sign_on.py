"""Single sign-on: to the identity provider and back. What it says, the guard checks; the console only carries it."""

import asyncio
import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from rempart.accounts.conversation import (
    IdentityAsked,
    IdentityQuestion,
    IdentitySignIn,
    SessionOpened,
    Turned,
    Why,
)
from rempart.accounts.identity import IdentityRefused
from rempart.accounts.session import LONGEST
from rempart.adapters import identity
from rempart.console.access import same
from rempart.console.signin import CameInPage, sign_in_page
from rempart.console.web import where
from rempart.errors import RempartError

if TYPE_CHECKING:
    from rempart.console.app import Console

_BACK = "/sign-in/return"
_LASTS = 600
"""Seconds for which a browser remembers that it went to the provider."""
_AT_ONCE = 2
"""Codes exchanged at once. Anybody may bring one, and a provider that is cut off keeps each waiting for seconds: the
threads are needed for papers, and for those who sign in otherwise."""


def routes(console: "Console") -> list[Route]:
    """The way to the provider and the way back; none when site.toml names no provider."""
    if console.site.sign_on is None:
        return []
    desk = _Desk(console)
    return [Route("/sign-in/provider", desk.leave), Route(_BACK, desk.come_back)]


@dataclass(frozen=True, slots=True)
class _Desk:
    console: "Console"
    exchanging: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def leave(self, request: Request) -> Response:
        """To the provider, with the guard's question (nonce), a state and a challenge for the code (RFC 7636, 4.2)."""
        sign_on = self.console.site.sign_on
        assert sign_on
        asked = await self.console.asked(request, IdentityAsked())
        try:
            provider = await asyncio.to_thread(identity.kept, Path(sign_on.keys_file))
        except IdentityRefused:
            return self._turned(request, Turned(why=Why.PROVIDER))
        if not isinstance(asked, IdentityQuestion):
            return self._turned(request, asked)
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": sign_on.client,
            "redirect_uri": _address(request),
            "scope": "openid" if sign_on.claim == "sub" else "openid email profile",
            "state": state,
            "nonce": asked.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in provider.authorization else "?"
        response = RedirectResponse(f"{provider.authorization}{joint}{urlencode(query)}", 303)
        # Lax: a strict cookie does not come along when another site leads back here.
        response.set_cookie(
            self._cookie,
            f"{state}~{verifier}~{asked.nonce}",
            max_age=_LASTS,
            httponly=True,
            samesite="lax",
            secure=self.console.tls,
            path="/",
        )
        return response

    async def come_back(self, request: Request) -> Response:
        """From the provider, with a code for this browser's state: exchanged for a token, which the guard checks."""
        sign_on, given = self.console.site.sign_on, request.query_params
        assert sign_on
        state, _, rest = request.cookies.get(self._cookie, "").partition("~")
        verifier, _, nonce = rest.partition("~")
        if not state or not same(given.get("state", "")[:256], state) or not given.get("code"):
            return self._turned(request, Turned(why=Why.IDENTITY))
        if given.get("iss", sign_on.issuer) != sign_on.issuer:  # RFC 9207, 2.4
            return self._turned(request, Turned(why=Why.IDENTITY))
        if not self.console.visitors.may_ask(where(request)):
            return self._turned(request, Turned(why=Why.WAIT, seconds=5))
        if self.exchanging.locked():
            return self._turned(request, Turned(why=Why.BUSY, seconds=5))
        try:
            async with self.exchanging:
                token = await asyncio.to_thread(
                    lambda: identity.exchanged(
                        identity.kept(Path(sign_on.keys_file)),
                        sign_on.client,
                        identity.secret_of(sign_on.secret_file),
                        code=given["code"][:4096],
                        verifier=verifier,
                        back=_address(request),
                    )
                )
        except (IdentityRefused, RempartError):
            return self._turned(request, Turned(why=Why.PROVIDER))
        opened = await self.console.asked(
            request, IdentitySignIn(token=token[:16_384], nonce=nonce[:256], where=where(request))
        )
        if not isinstance(opened, SessionOpened):
            return self._turned(request, opened)
        # A page, no redirect: browsers send the strict cookie only to what one of our own pages leads to.
        response = self.console.html(
            request, "came-in.html", CameInPage(texts=self.console.words(request).under("me"))
        )
        response.delete_cookie(self._cookie, path="/", secure=self.console.tls, samesite="lax")
        self.console.visitors.welcome(opened.secret, opened.visitor)
        self.console.keep(response, self.console.cookie, opened.secret, LONGEST // 1_000_000)
        return response

    @property
    def _cookie(self) -> str:
        return f"{'__Host-' if self.console.tls else ''}rempart-provider"

    def _turned(self, request: Request, answer: object) -> Response:
        """The form again, with why; the guard that does not answer is busy."""
        turned = answer if isinstance(answer, Turned) else Turned(why=Why.BUSY, seconds=5)
        page = sign_in_page(self.console.words(request), turned, sign_on=True)
        return self.console.html(request, "signin.html", page, 403)


def _address(request: Request) -> str:
    """Where the provider leads back to, as it was told to the provider."""
    return f"{request.url.scheme}://{request.headers['host']}{_BACK}"
