"""The test attack: one line as its kind of log would hold it, which means nothing to any program and bears a mark.

It names no machine and no person: its address is of those kept for examples (RFC 5737), its host does not exist. The
rules that find it (``rules/test/first_hour.yml``) say *low*: nobody is woken, nothing is closed.
"""

from collections.abc import Callable, Mapping

from rempart.instants import Instant, rfc3339

MARK = "rempart-test-attack"
"""What the rules look for."""

_NOBODY = "192.0.2.1"


def host(code: str) -> str:
    """The machine that the line tells of: by it the finding is known again. ``code``: small letters and figures."""
    return f"rempart-test-{code}"


def _syslog(told: str, code: str) -> str:
    return f"{told} {host(code)} rempart: {MARK}, sent by rempart setup: this means nothing"


def _sshd(told: str, code: str) -> str:
    return f"{told} {host(code)} sshd[1]: Invalid user {MARK} from {_NOBODY} port 9"


def _web(told: str, code: str) -> str:
    return f'{_NOBODY} - - [{told}] "GET /{MARK}/ HTTP/1.1" 404 0 "-" "-" "{host(code)}.invalid"'


_LINES: Mapping[str, Callable[[str, str], str]] = {"syslog": _syslog, "sshd": _sshd, "nginx": _web}

DECODERS = tuple(_LINES)
"""The kinds of log that a test attack can be written for, the commonest first."""


def line(decoder: str, code: str, now: Instant) -> bytes:
    """The line with its end, for a log of that kind."""
    return f"{_LINES[decoder](rfc3339(now), code)}\n".encode("ascii")
