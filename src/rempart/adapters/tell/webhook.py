"""Tells a program by an HTTPS POST of JSON, signed so that it knows who speaks."""

import hashlib
import hmac
import json
from dataclasses import dataclass

from rempart.adapters.tell.https import Allowed, post
from rempart.adapters.tell.secret import secret
from rempart.ports import Clock
from rempart.site.telling import Webhook
from rempart.telling.message import Letter


@dataclass(frozen=True, slots=True)
class Webhooks:
    """All webhooks of a site; they share the key of their signature."""

    webhook: Webhook
    clock: Clock
    allowed: Allowed
    authority: str = ""

    def carry(self, address: str, letter: Letter) -> None:
        """Tell the program at that URL. ``Idempotency-Key`` is the letter's id: sent twice, it is one message.

        ``Rempart-Signature: t=<seconds>,v1=<hex>``: the HMAC-SHA-256, under the shared secret, of ``<seconds>.<body>``.
        """
        facts = dict(letter.facts)
        seconds = self.clock.now() // 1_000_000
        headers = {
            "Idempotency-Key": letter.id,
            "Rempart-Signature": signature(secret(self.webhook.secret), seconds, facts),
        }
        post(address, facts, headers, self.allowed, self.authority)


def signature(key: str, seconds: int, body: dict[str, str]) -> str:
    """The header's value for a body."""
    text = json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    digest = hmac.new(key.encode(), f"{seconds}.{text}".encode(), hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
