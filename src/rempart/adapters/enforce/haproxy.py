"""The proxy's part: its files, its map of states through the runtime socket, and the sessions a closing must end."""

import os
import pwd
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Protocol

from rempart.adapters.enforce.certificates import certificates, usable_files
from rempart.adapters.enforce.encryption import Encryption
from rempart.adapters.enforce.runtime import Runtime, write
from rempart.config import Places
from rempart.containment.measure import Enforcement, Stand
from rempart.containment.render import modsecurity
from rempart.containment.render.haproxy import (
    CERTIFICATES,
    ENCRYPTED,
    HOSTS,
    certificate_entries,
    config,
    encrypted_map,
    hosts_map,
    live,
    notices_map,
    openings_map,
    page_name,
    server_names,
    stands,
    states,
    visitor_key,
    visitors,
)
from rempart.errors import EnforcementFailed
from rempart.instants import Instant
from rempart.site.opening import Opening, OpeningState
from rempart.site.site import Site

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
        self._usable: frozenset[str] | None = None
        """Files of certificates that its own files name; None: not looked yet."""
        self._unsettled: Enforcement | None = None
        self._let_in: Mapping[str, str] = {}
        # A notice's name holds a dot or a colon, an opening's neither: both maps can be read as one.
        self._runtime = Runtime("the proxy", places.proxy_socket, (places.proxy_map, places.notices_map))
        self._encryption = Encryption(site, self._runtime, places.proxy_config.parent)

    def prepare(self, wanted: Enforcement) -> None:
        """Write what proxy and filter read when they start, so that they start in the wanted state."""
        self._write_fixed()
        self._places.proxy_socket.parent.mkdir(parents=True, exist_ok=True)
        self._places.filter_work.mkdir(parents=True, exist_ok=True)
        self._write_maps(wanted)

    def _write_fixed(self) -> None:
        if self._usable is None:
            self._usable = usable_files(self._site, certificates(self._site))
        self._write_certificates(self._usable)
        for path, text in self._fixed.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, text)

    def _write_certificates(self, usable: frozenset[str]) -> None:
        folder = self._places.proxy_config.parent
        folder.mkdir(parents=True, exist_ok=True)
        entries = certificate_entries(self._site, usable).values()
        write(folder / CERTIFICATES, "".join(f"{entry}\n" for entry in entries))
        write(folder / ENCRYPTED, encrypted_map(self._site, usable))

    def _write_maps(self, wanted: Enforcement) -> None:
        write(self._places.proxy_map, openings_map(self._site, wanted))
        write(self._places.notices_map, notices_map(self._pages.notices(wanted)))

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
        largest = max((len(page.encode()) for page in pages.values()), default=0)
        return {
            **pages,
            **{
                filtering / name: text
                for name, text in modsecurity.files(site, places, as_root=os.geteuid() == 0).items()
            },
            filtering / modsecurity.OWN_RULES: own_rules.read_text(encoding="utf-8"),
            filtering / modsecurity.PAGE: self._pages.refusal(),
            proxy / HOSTS: hosts_map(site),
            places.proxy_config: config(site, places, run_as=_run_as(), largest=largest),
        }

    def enforce(self, wanted: Enforcement, now: Instant) -> None:
        """Bring the proxy to ``wanted``; sessions of what is closed are ended, unless they may drain.

        Its files are for when it starts again: `settle` writes them, unless it does not run. Raises EnforcementFailed.
        """
        self._unsettled = wanted
        try:
            self._command(wanted, now)
        except EnforcementFailed:
            self.prepare(wanted)
            raise

    def settle(self) -> None:
        """Write for when it starts again what was enforced last. Raises EnforcementFailed."""
        if self._unsettled is None:
            return
        with self._for_its_next_start():
            self._write_fixed()
            self._write_maps(self._unsettled)
        self._unsettled = None

    @contextmanager
    def _for_its_next_start(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EnforcementFailed(
                f"what the proxy reads when it starts cannot be written: {error.strerror}",
                where=str(error.filename or self._places.proxy_map),
                now="The running proxy holds what was decided. Make room; it is tried again.",
            ) from error

    def _command(self, wanted: Enforcement, now: Instant) -> None:
        goal, let_in = states(self._site, wanted), visitors(self._site, wanted)
        if not goal:
            return
        held = self._runtime.hold(
            {
                self._places.proxy_map: {**goal, **let_in},
                self._places.notices_map: self._pages.notices(wanted),
            },
            *(f"shutdown sessions server {server}" for server in self._ending(wanted, goal, now)),
        )
        self._runtime.insist(held, {**goal, **let_in})
        self._let_in = let_in

    def _ending(self, wanted: Enforcement, goal: Mapping[str, OpeningState], now: Instant) -> Iterator[str]:
        """The servers whose sessions end: of what is closed both ways, of what is filtered the way past the filter.

        When somebody else is let in than before, those of the one before end too.
        """
        let_in = visitors(self._site, wanted)
        others = {key for key, who in self._let_in.items() if let_in.get(key) != who}
        for name, state in goal.items():
            straight, filtered = server_names(self._site.opening(name))
            drains = wanted.stands[name].drains if name in wanted.stands else None
            if state is OpeningState.OPEN or (drains and drains > now and not wanted.contained):
                continue
            yield straight
            if state is OpeningState.CLOSED or visitor_key(name) in others:
                yield filtered

    def take_up_certificates(self) -> None:
        """Hand over the certificates that came or changed on the disk; connections go on. Raises EnforcementFailed.

        Its files follow first, so that a proxy that starts meanwhile serves them too. A file that can no longer be used
        is left out there, and stays in use where it is loaded.
        """
        found = tuple(certificates(self._site))
        usable = usable_files(self._site, found)
        if usable != self._usable:
            with self._for_its_next_start():
                self._write_certificates(usable)
            self._usable = usable
        self._encryption.take_up(found, usable)

    def read(self) -> Mapping[str, Stand]:
        """How the openings stand, by id, as the running proxy holds them. Raises EnforcementFailed."""
        if not states(self._site, Enforcement(stands={})):
            return {}
        return stands(self._runtime.held(self._runtime.until()))


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
