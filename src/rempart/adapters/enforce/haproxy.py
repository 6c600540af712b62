"""The proxy's part: its files, its map of states through the runtime socket, and the sessions a closing must end."""

import errno
import os
import pwd
import socket
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from time import monotonic
from typing import Protocol

from rempart.config import Places
from rempart.containment.measure import Enforcement
from rempart.containment.render import modsecurity
from rempart.containment.render.haproxy import (
    HOSTS,
    config,
    hosts_map,
    live,
    notices_map,
    openings_map,
    page_name,
    server_names,
    states,
)
from rempart.errors import EnforcementFailed
from rempart.instants import Instant
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

_PATIENCE = 1.0
"""Seconds for a whole exchange, a hundred times what it takes: whoever waits for it, orders wait for."""

_LONGEST_ANSWER = 1 << 20
"""Bytes; a site's map has a few thousand."""

_AT_ONCE = 40
"""Commands in one line."""

USER = "haproxy"
"""The user and group that haproxy becomes when it is started as root."""


class Pages(Protocol):
    """What the public reads meanwhile; holes stand for what changes (see `render.haproxy.live`)."""

    def pages(self) -> Iterable[tuple[Opening, str, str]]:
        """Each published opening, its page, and its page when it is not known since when it is closed."""
        ...

    def refusal(self) -> str:
        """The page for a request that the filter refused."""
        ...

    def notices(self, wanted: Enforcement) -> Mapping[str, str]:
        """What fills the holes, by name; always the same names. Neither spaces nor semicolons."""
        ...


class Proxy:
    """The haproxy of one site, reached through its runtime socket; it may start after us, and restart."""

    def __init__(self, site: Site, places: Places, pages: Pages) -> None:
        self._site = site
        self._places = places
        self._pages = pages

    def prepare(self, wanted: Enforcement) -> None:
        """Write what proxy and filter read when they start, so that they start in the wanted state."""
        for path, text in self._fixed.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, text)
        self._places.proxy_socket.parent.mkdir(parents=True, exist_ok=True)
        self._places.filter_work.mkdir(parents=True, exist_ok=True)
        self._write_maps(wanted)

    def _write_maps(self, wanted: Enforcement) -> None:
        _write(self._places.proxy_map, openings_map(self._site, wanted))
        _write(self._places.notices_map, notices_map(self._pages.notices(wanted)))

    @cached_property
    def _fixed(self) -> Mapping[Path, str]:
        """What does not change while site.toml does not."""
        site, places = self._site, self._places
        proxy, filtering = places.proxy_config.parent, places.filter_config.parent
        own_rules = resources.files("rempart.containment.render").joinpath(modsecurity.OWN_RULES)
        pages = {
            proxy / page_name(opening, dated=dated): live(page, places)
            for opening, *both in self._pages.pages()
            for page, dated in zip(both, (True, False), strict=True)
        }
        return {
            **pages,
            **{
                filtering / name: text
                for name, text in modsecurity.files(site, places, as_root=os.geteuid() == 0).items()
            },
            filtering / modsecurity.OWN_RULES: own_rules.read_text(encoding="utf-8"),
            filtering / modsecurity.PAGE: self._pages.refusal(),
            proxy / HOSTS: hosts_map(site),
            places.proxy_config: config(site, places, run_as=_run_as()),
        }

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Bring the proxy to ``wanted``; sessions of what is closed are ended, unless they may drain.

        The running proxy first, its files after it: they are for when it starts again. Raises EnforcementFailed.
        """
        try:
            self._command(wanted, now)
        except EnforcementFailed:
            self.prepare(wanted)
            raise
        self._write_maps(wanted)

    def _command(self, wanted: Enforcement, now: Instant) -> None:
        """Two exchanges: what it holds, and what it shall hold. Reading back is part of the second."""
        goal = states(self._site, wanted)
        if not goal:
            return
        until = monotonic() + _PATIENCE
        held = self._held(until)
        notices = {
            name: words for name, words in self._pages.notices(wanted).items() if held.get(name) != words
        }
        after_it = self._held(
            until,
            *(f"set map {self._places.proxy_map} {name} {state}" for name, state in _differing(held, goal)),
            *(f"shutdown sessions server {server}" for server in self._ending(wanted, goal, now)),
            *(f"set map {self._places.notices_map} {name} {words}" for name, words in notices.items()),
        )
        unheard = _differing(after_it, goal)
        if unheard:
            raise EnforcementFailed(
                f"the proxy does not hold {', '.join(f'{name}={state}' for name, state in unheard)}",
                where=str(self._places.proxy_socket),
                now="The kernel holds what was decided. Restart the proxy: it starts in the wanted state.",
            )

    def _ending(self, wanted: Enforcement, goal: Mapping[str, OpeningState], now: Instant) -> Iterator[str]:
        """The servers whose sessions end: of what is closed both ways, of what is filtered the way past the filter."""
        for name, state in goal.items():
            straight, filtered = server_names(self._site.opening(name))
            drains = wanted.stands[name].drains if name in wanted.stands else None
            if state is OpeningState.OPEN or (drains and drains > now and not wanted.contained):
                continue
            yield straight
            if state is OpeningState.CLOSED:
                yield filtered

    def read(self) -> Mapping[str, OpeningState]:
        """Opening id and state, as the running proxy holds them. Raises EnforcementFailed."""
        if not states(self._site, Enforcement(stands={})):
            return {}
        known = {state.value: state for state in OpeningState}
        held = self._held(monotonic() + _PATIENCE)
        return {name: known[value] for name, value in held.items() if value in known}

    def _held(self, until: float, *commands: str) -> Mapping[str, str]:
        """What both maps hold after these commands. A notice's name holds a dot or a colon, an opening's neither."""
        shown = [f"show map {path}" for path in (self._places.proxy_map, self._places.notices_map)]
        every = [*commands, *shown]
        # Split at spaces only: those that do not break belong to a notice.
        lines = [
            line.split(" ")
            for start in range(0, len(every), _AT_ONCE)
            for line in self._ask("; ".join(every[start : start + _AT_ONCE]), until).splitlines()
        ]
        return {words[1]: words[2] for words in lines if len(words) == 3 and words[0].startswith("0x")}

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


def _differing(held: Mapping[str, str], goal: Mapping[str, OpeningState]) -> list[tuple[str, OpeningState]]:
    return [(name, state) for name, state in goal.items() if held.get(name) != state.value]


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
