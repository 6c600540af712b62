"""A reply: what a person on a ward says when asked. "I don't know" is one, and is never taken for a yes."""

from enum import StrEnum


class Reply(StrEnum):
    """The three replies."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
