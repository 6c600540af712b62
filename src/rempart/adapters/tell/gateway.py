"""Hands text messages to a provider over HTTPS."""

from dataclasses import dataclass

from rempart.adapters.tell.https import Allowed, post
from rempart.adapters.tell.secret import secret
from rempart.site.telling import TextGateway
from rempart.telling.message import Letter


@dataclass(frozen=True, slots=True)
class Gateway:
    """One provider that takes a number and a text as JSON, with a token."""

    gateway: TextGateway
    allowed: Allowed
    authority: str = ""

    def carry(self, address: str, letter: Letter) -> None:
        """Hand the short text over for that number."""
        body = {self.gateway.to_field: address, self.gateway.text_field: letter.short}
        headers = {
            "Authorization": f"Bearer {secret(self.gateway.token)}",
            "Idempotency-Key": letter.id,
        }
        post(self.gateway.url, body, headers, self.allowed, self.authority)
