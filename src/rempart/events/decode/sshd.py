"""Reads what sshd says about sign-ins, with or without a syslog head before it."""

import re
from typing import Any

from rempart.events import line as lines
from rempart.events import syslog_header
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="linux", service="sshd")

# The name is chosen by the stranger and may itself read "x from 192.0.2.1 port 22": the last address is the true one.
_FROM = r"(?P<user>.*) from (?P<ip>[0-9A-Fa-f.:]{2,45}(?:%\w+)?|UNKNOWN) port (?P<port>\d{1,5})"
_SAYINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "failure",
        re.compile(rf"Failed (?P<method>\S+) for (?:invalid user )?{_FROM}(?: ssh2)?(?:: .*)?", re.DOTALL),
    ),
    ("success", re.compile(rf"Accepted (?P<method>\S+) for {_FROM}(?: ssh2)?(?:: .*)?", re.DOTALL)),
    ("unknown-user", re.compile(rf"Invalid user {_FROM}", re.DOTALL)),
    (
        "too-many",
        re.compile(
            rf"(?:error: )?maximum authentication attempts exceeded for (?:invalid user )?{_FROM}.*",
            re.DOTALL,
        ),
    ),
)
_OTHER = re.compile(
    r"(?:Server listening|Connection|Disconnect|Received|Starting session|Close session|Accepted key|Postponed"
    r"|Could not|User child|Unable|error:|fatal:|banner|kex_|debug\d:|pam_|srclimit|drop connection)"
)
_REPEATED = re.compile(r"message repeated (?P<times>\d{1,6}) times: \[ (?P<message>.*)\]", re.DOTALL)


def decode(line: bytes, source: str, record: int) -> Event | None:
    """The event of one line; None for a line of ``sshd -e`` that tells of no sign-in.

    Raises `DecodeError` when the line is another program's or, having no head, not known to be sshd's.

    ``outcome`` is failure, success, unknown-user, too-many, or absent for everything else sshd says. ``attempts`` is
    how many tries the line stands for (Ubuntu's rsyslog folds repeated lines).
    """
    text = lines.text(line, source, record)
    head = syslog_header.parse(text)
    if head is not None and not head.program.startswith("sshd"):
        raise lines.refused("this line is not sshd's", source, record)
    message = head.message if head else text
    sign_in = _sign_in(message)
    if head is None and sign_in is None:
        if _OTHER.match(message):
            return None
        raise lines.refused("this is no line of sshd that is known", source, record)
    fields: dict[str, Any] = {"message": lines.capped(message)} | (sign_in or {})
    if head:
        fields["host"] = head.host
    return Event(LOGSOURCE, fields, source, record, head.time if head else None)


def _sign_in(message: str) -> dict[str, Any] | None:
    """Who tried to sign in from where, and how it went."""
    attempts = 1
    if folded := _REPEATED.fullmatch(message):
        attempts, message = int(folded["times"]), folded["message"]
    for outcome, saying in _SAYINGS:
        if found := saying.fullmatch(message):
            fields = {
                "outcome": outcome,
                "user": lines.capped(found["user"]),
                "src_ip": found["ip"],
                "src_port": int(found["port"]),
                "attempts": attempts,
            }
            return fields | {name: found[name] for name in ("method",) if name in saying.groupindex}
    return None
