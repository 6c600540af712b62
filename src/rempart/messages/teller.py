"""Teller and guard: messages for people out, and what became of them in."""

from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.telling.alert import Delivery
from rempart.telling.message import Message


class MessageSettled(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A message was handed over, or given up."""

    alert: str
    delivery: Delivery


class CodeReplied(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Somebody answered a text message from the number to which it went."""

    role: Annotated[str, Meta(max_length=40)]
    code: Annotated[str, Meta(max_length=40)]


FromTeller = MessageSettled | CodeReplied


class TellPeople(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send these; what is known by its id is not sent twice."""

    messages: list[Message]


ToTeller = TellPeople
