"""A message to one person over one channel, as data: its words are chosen where it is sent, in that person's language.

It says what, where, how urgent, what to do and which code to give. `rempart.engine.tell` puts names of zones and doors
from site.toml and numbers into it, and nothing that a log said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rempart.incidents.incident import Sentence
from rempart.instants import Instant
from rempart.site.telling import Channel
from rempart.telling.alert import Urgency


class MessageKind(StrEnum):
    """What a message is for."""

    ALERT = "alert"
    AGAIN = "again"
    """The same, because nobody has answered."""
    TAKEN = "taken"
    """Somebody has taken it: the others need not."""
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message put into words, ready to be carried. Plain text without any line that could be taken for a header."""

    id: str
    subject: str
    body: str
    """For mail: lines of their own."""
    short: str
    """For a text message."""
    facts: Mapping[str, str]
    """For a program: what, since when, how urgent; no code that could take the alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. Its id is made of what it is about, to whom and how: sent twice, it is told once."""

    id: str
    kind: MessageKind
    alert: str
    role: str
    channel: Channel
    urgency: Urgency
    code: str
    about: Sentence
    todo: str
    raised: Instant
    until: Instant
    """When it is of no more use to anybody and is given up."""
