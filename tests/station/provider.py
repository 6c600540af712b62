"""An OpenID provider on loopback, over real HTTP: describes itself, shows its keys, tokens for codes."""

import base64
import hashlib
import html
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "rempart", "a secret: of / the client"


class OpenIdProvider:
    """Signs in whoever comes, as ``subject``; ``claims`` are put over what it would honestly say.

    With ``page`` it first shows one of its own, as providers do: what leads back is then another site's link.
    """

    def __init__(self, now: Any) -> None:
        self.now = now
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self.subject = "s-1"
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.issuer = ""
        self.page = False
        self.answers = threading.Event()
        self.answers.set()
        self.exchanges = 0

    def authorised(self, query: dict[str, str]) -> str:
        """Where the browser is led to once its person has signed in here."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, str] | None:
        """The tokens for a code, good once, to whoever knows the secret and the verifier; while it ``answers``."""
        self.exchanges += 1
        self.answers.wait(30)
        name, _, word = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked is None or (name, word) != (CLIENT, "a%20secret%3A%20of%20%2F%20the%20client"):
            return None
        if asked["code_challenge"] != challenge.rstrip(b"=").decode():
            return None
        if asked["redirect_uri"] != form["redirect_uri"]:
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.signed(asked["nonce"])}

    def signed(self, nonce: str) -> str:
        """An ID token in answer to this nonce."""
        seconds = self.now() // 1_000_000
        said = {"iss": self.issuer, "aud": CLIENT, "sub": self.subject, "nonce": nonce}
        said |= {"iat": seconds, "exp": seconds + 300} | self.claims
        return jwt.encode({"alg": "ES256", "kid": "one"}, said, self.key)

    @property
    def described(self) -> dict[str, Any]:
        """Its description (OpenID Connect Discovery 1.0, 3)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }


@contextmanager
def provider(now: Any) -> Iterator[OpenIdProvider]:
    """A provider for as long as the block lasts."""
    told = OpenIdProvider(now)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize" and told.page:
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                link = html.escape(told.authorised(query))
                self.wfile.write(f'<title>Provider</title><a href="{link}">Go on</a>'.encode())
            elif parts.path == "/authorize":
                self.send_response(303)
                self.send_header("location", told.authorised(query))
                self.end_headers()
            elif parts.path == "/keys":
                self.say({"keys": [told.key.as_dict(private=False)]})
            else:
                self.say(told.described)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self.say(told.token(form, self.headers.get("authorization", "")))

        def say(self, what: Any) -> None:
            self.send_response(200 if what else 400)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(what or {"error": "invalid_grant"}).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    told.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
