"""The proxy's part: its files, its map of states through the runtime socket, and the sessions a closing must end."""

import errno
import os
import pwd
import socket
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from time import monotonic

from rempart.config import Places
from rempart.containment.measure import Enforcement
from rempart.containment.render import modsecurity
from rempart.containment.render.haproxy import config, files, openings_map, refused_page, server_names, states
from rempart.errors import EnforcementFailed
from rempart.site.opening import OpeningState
from rempart.site.site import Site

_PATIENCE = 1.0
"""Seconds for a whole exchange, a hundred times what it takes: whoever waits for it, orders wait for."""

_LONGEST_ANSWER = 1 << 20
"""Bytes; a site's map has a few thousand."""

USER = "haproxy"
"""The user and group that haproxy becomes when it is started as root."""


class Proxy:
    """The haproxy of one site, reached through its runtime socket; it may start after us, and restart."""

    def __init__(self, site: Site, places: Places) -> None:
        self._site = site
        self._places = places

    def prepare(self, wanted: Enforcement) -> None:
        """Write what haproxy reads when it starts, so that it starts in the wanted state."""
        folder, filtering = self._places.proxy_config.parent, self._places.filter_config.parent
        for needed in (folder, self._places.proxy_socket.parent, filtering, self._places.filter_work):
            needed.mkdir(parents=True, exist_ok=True)
        own_rules = resources.files("rempart.containment.render").joinpath(modsecurity.OWN_RULES)
        texts = {
            **{folder / name: text for name, text in files(self._site).items()},
            **{filtering / name: text for name, text in self._filter_files().items()},
            filtering / modsecurity.OWN_RULES: own_rules.read_text(encoding="utf-8"),
            filtering / modsecurity.PAGE: refused_page(self._site),
            self._places.proxy_map: openings_map(self._site, wanted),
            self._places.proxy_config: config(self._site, self._places, run_as=_run_as()),
        }
        for path, text in texts.items():
            _write(path, text)

    def _filter_files(self) -> dict[str, str]:
        return modsecurity.files(self._site, self._places, as_root=os.geteuid() == 0)

    def enforce(self, wanted: Enforcement) -> None:
        """Bring the proxy to ``wanted``; sessions of what is closed are ended. Raises EnforcementFailed."""
        self.prepare(wanted)
        goal = states(self._site, wanted)
        if not goal:
            return
        until = monotonic() + _PATIENCE
        # One conversation for all of it: a cut is waited for.
        changes = [
            f"set map {self._places.proxy_map} {name} {state}"
            for name, state in _differing(self._read(until), goal)
        ]
        for name, state in goal.items():
            straight, filtered = server_names(self._site.opening(name))
            if state is not OpeningState.OPEN:
                changes.append(f"shutdown sessions server {straight}")
            if state is OpeningState.CLOSED:
                changes.append(f"shutdown sessions server {filtered}")
        unheard = _differing(self._read(until, *changes), goal)
        if unheard:
            raise EnforcementFailed(
                f"the proxy does not hold {', '.join(f'{name}={state}' for name, state in unheard)}",
                where=str(self._places.proxy_socket),
                now="The kernel holds what was decided. Restart the proxy: it starts in the wanted state.",
            )

    def read(self) -> Mapping[str, OpeningState]:
        """Opening id and state, as the running proxy holds them. Raises EnforcementFailed."""
        return self._read(monotonic() + _PATIENCE)

    def _read(self, until: float, *changes: str) -> Mapping[str, OpeningState]:
        """The map, after these changes."""
        if not states(self._site, Enforcement(stands={})):
            return {}
        show = f"show map {self._places.proxy_map}"
        lines = self._ask("; ".join([*changes, show]), until).splitlines()
        pairs = (line.split() for line in lines if line)
        known = {state.value: state for state in OpeningState}
        return {words[1]: known[words[2]] for words in pairs if len(words) == 3 and words[2] in known}

    def _ask(self, command: str, until: float) -> str:
        try:
            return _converse(self._places.proxy_socket, command, until)
        except OSError as error:
            raise EnforcementFailed(
                f"the proxy does not answer: {error.strerror or error}",
                where=str(self._places.proxy_socket),
                now="The kernel holds what was decided. Start the proxy: it starts in the wanted state.",
            ) from error


def _run_as() -> str | None:
    """Whom haproxy can become: its own user when we are root on a machine, nobody else in a user namespace of one."""
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return None
    mapped = _mapped("uid_map", user.pw_uid) and _mapped("gid_map", user.pw_gid)
    return USER if os.geteuid() == 0 and mapped else None


def _mapped(name: str, number: int) -> bool:
    """Whether this user namespace knows the number (user_namespaces(7): first inside, first outside, how many)."""
    lines = Path("/proc/self", name).read_text().splitlines()
    ranges = ([int(word) for word in line.split()] for line in lines)
    return any(first <= number < first + count for first, _, count in ranges)


def _differing(
    held: Mapping[str, OpeningState], goal: Mapping[str, OpeningState]
) -> list[tuple[str, OpeningState]]:
    return [(name, state) for name, state in goal.items() if held.get(name) is not state]


def _converse(path: Path, command: str, until: float) -> str:
    """One command, one answer, over haproxy's runtime socket, until that instant of `time.monotonic`.

    The other end may have been taken over: it can neither drip its answer for ever nor fill our memory. Raises OSError.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        _hurry(channel, until)
        channel.connect(str(path))
        channel.sendall(f"{command}\n".encode())
        answer = bytearray()
        while piece := channel.recv(65536):
            answer += piece
            if len(answer) > _LONGEST_ANSWER:
                raise OSError(errno.EMSGSIZE, "its answer does not end")
            _hurry(channel, until)
    return answer.decode(errors="replace")


def _hurry(channel: socket.socket, until: float) -> None:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError(errno.ETIMEDOUT, "it takes too long")
    channel.settimeout(left)


def _write(path: Path, text: str) -> None:
    """Leave the old file or the new one, never half; an unchanged file is not touched."""
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)
