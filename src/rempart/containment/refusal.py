"""Why the web filter refuses a request, and how it tells the proxy."""

from enum import StrEnum

HEADER = "X-Rempart-Filter"
"""The header of a refusal: from the filter to the proxy, never further."""


class Refusal(StrEnum):
    """The class of an attack, as the Core Rule Set tells it. The first that applies gives the name."""

    SQL = "sql"
    SCRIPT = "script"
    COMMAND = "command"
    CODE = "code"
    FILE = "file"
    REMOTE = "remote"
    SESSION = "session"
    PROTOCOL = "protocol"
    MALFORMED = "malformed"
    OTHER = "other"
