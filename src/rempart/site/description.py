"""Reads ``site.toml`` into a `Site`, and reports every mistake in it at once: which line, what, and how to mend it.

What is checked here is what the file says by itself: spelling, types, references between its parts. Whether the
site it describes is a safe one is the business of `rempart.site.soundness`.
"""

import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from itertools import combinations
from typing import Any, Generic, TypeVar
from unicodedata import category

from rempart.errors import Problem, SiteInvalid
from rempart.site.group import GroupDoor
from rempart.site.hours import DAY, Hours, spelled
from rempart.site.opening import (
    Direction,
    Fallback,
    Opening,
    OpeningState,
    Publication,
    Service,
    Tls,
    Transport,
    is_name,
)
from rempart.site.placement import LONGEST_STEP, ByHand, Placement
from rempart.site.probe import Probe, ProbeKind
from rempart.site.sign_on import SignOn
from rempart.site.site import (
    FILES_KEPT_DAYS,
    Asset,
    AssetKind,
    CareFiles,
    Contact,
    DowntimePack,
    Language,
    LogSource,
    OutsideWall,
    Resolver,
    Safeguard,
    Site,
    Uplink,
    Ward,
    Zone,
)
from rempart.site.telling import (
    Channel,
    MailServer,
    Modem,
    QuietHours,
    Recipient,
    Telling,
    TextGateway,
    Webhook,
)
from rempart.site.trial import TrialLength
from rempart.site.trial import spelled as spelled_length

UNKNOWN_PHONE = "?"
"""How a template writes a number that nobody has filled in yet; it is read as no number at all."""

LAST_MARK = 4089
"""The highest mark of an opening; the gateway keeps 4090 to 4095 for itself (4094: the maintenance responder)."""

Path = tuple[str | int, ...]
"""A place in the file: ``("openings", 2, "fallback", "phone")``."""

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse(text: str, where: str) -> Site:
    """The site that ``text`` describes; ``where`` is the file's name in messages.

    Raises `SiteInvalid` with all mistakes, in the order of the file.
    """
    page = _Page(where=where, values=_toml(text, where), lines=lines(text))
    site = _site(page.root())
    if not page.misshapen:
        _cross_check(page, site)
    if page.mistakes:
        raise SiteInvalid(
            f"{len(page.mistakes)} mistake(s) in the description of the site",
            where=where,
            now="Mend the lines below, then run `rempart site check` again; nothing was changed.",
            problems=page.in_order(),
        )
    return site


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{where}, line {line.group(1)}" if line else f"{where}, at its end"
        problem = Problem(
            str(error), place, "This is not TOML (https://toml.io); the rest could not be read."
        )
        raise SiteInvalid(
            "the description of the site cannot be read", where=where, problems=(problem,)
        ) from error


# -- where in the file -------------------------------------------------------------------------------------------

_LONG_STRING = re.compile(r'"""[\s\S]*?"""|' + r"'''[\s\S]*?'''")
_HEADER = re.compile(r"^\s*\[(\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=")


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of each table and key of a TOML text.

    A scan for messages only: a key inside an inline table is found at the line of that table's key.
    """
    found: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(_without_long_strings(text).splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _entered(header.group(2), counts, repeated=bool(header.group(1)))
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(table + tuple(re.split(r"\s*\.\s*", key.group(1))), number)
    return found


def _without_long_strings(text: str) -> str:
    return _LONG_STRING.sub(lambda match: "\n" * match.group().count("\n"), text)


def _entered(name: str, counts: dict[Path, int], *, repeated: bool) -> Path:
    """The path of a header, given how many tables of each array came before it."""
    path: Path = ()
    *parents, last = name.split(".")
    for parent in parents:
        path = (*path, parent)
        if path in counts:
            path = (*path, counts[path] - 1)
    path = (*path, last)
    if repeated:
        counts[path] = counts.get(path, 0) + 1
        path = (*path, counts[path] - 1)
    return path


@dataclass(slots=True, kw_only=True)
class _Page:
    """The file being read, and the mistakes found in it so far."""

    where: str
    values: dict[str, Any]
    lines: Mapping[Path, int]
    mistakes: list[tuple[int, Problem]] = field(default_factory=list)
    misshapen: bool = False
    """A list or table is something else, so that entries cannot be counted against the file."""

    def root(self) -> "_Table":
        return _Table(self, (), self.values)

    def wrong(self, path: Path, what: str, mend: str) -> None:
        line = self.line(path)
        problem = Problem(f"{self.named(path)}{what}", f"{self.where}, line {line}", mend)
        self.mistakes.append((line, problem))

    def line(self, path: Path) -> int:
        """The line of the nearest enclosing table or key that was seen."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def named(self, path: Path) -> str:
        """A path as a person reads it: ``openings website: fallback.phone: ``."""
        return "".join(f"{word}: " for word in self._words(path))

    def _words(self, path: Path) -> Iterator[str]:
        if len(path) >= 2 and isinstance(path[1], int):
            yield f"{path[0]} {self._called(path[:2])}"
            path = path[2:]
        if path:
            yield ".".join(
                str(part) if isinstance(part, int) else _shown(part, quoted=False) for part in path
            )

    def _called(self, path: Path) -> str:
        entry = self.values[str(path[0])][path[1]]
        identity = entry.get("id", entry.get("name")) if isinstance(entry, dict) else None
        return _shown(identity) if isinstance(identity, str) else f"number {int(path[1]) + 1}"

    def in_order(self) -> tuple[Problem, ...]:
        return tuple(problem for _, problem in sorted(self.mistakes, key=lambda mistake: mistake[0]))


def _shown(value: object, *, quoted: bool = True) -> str:
    """A value from the file in a message: escaped (ANSI, bidi) and capped."""
    text = repr(value) if isinstance(value, str) else repr(value).replace("\n", " ")
    text = text if len(text) <= 60 else f"{text[:56]}…{text[-1]}"
    return text if quoted else text.strip("'\"")


# -- what a value may be -----------------------------------------------------------------------------------------


class _Wrong(Exception):
    """A value cannot be used: what is wrong, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


@dataclass(frozen=True, slots=True)
class _Rule(Generic[T]):
    """What a key accepts. ``blank`` stands in for a refused value until all mistakes have been gathered."""

    accept: Callable[[Any], T]
    blank: T


class _Required(StrEnum):
    """The mark of a key that has no default."""

    KEY = "required"


class _Table:
    """One table of the file: hands out its keys and remembers which it was asked for."""

    def __init__(self, page: _Page, path: Path, values: dict[str, Any]) -> None:
        self.page = page
        self.path = path
        self.values = values
        self.known: list[str] = []

    def read(self, key: str, rule: _Rule[T], default: T | _Required = _Required.KEY) -> T:
        """The value of ``key``; without a default the key must be there."""
        self.known.append(key)
        if key not in self.values:
            if isinstance(default, _Required):
                self.page.wrong(self.path, f"{key} is missing", f"Add a line `{key} = …`.")
                return rule.blank
            return default
        return self._accepted((*self.path, key), self.values[key], rule)

    def each(
        self, key: str, rule: _Rule[T], default: tuple[T, ...] | _Required = _Required.KEY
    ) -> tuple[T, ...]:
        """The values of the list ``key``, each by ``rule``; a refused one is left out."""
        found = self.read(key, _LIST, None if isinstance(default, tuple) else default)
        if found is None:
            return default if isinstance(default, tuple) else ()
        accepted = [self._accepted((*self.path, key), value, rule) for value in found]
        return tuple(value for value in accepted if value != rule.blank)

    def one(self, key: str) -> "_Table | None":
        """The table ``key``, or None when it is not there."""
        self.known.append(key)
        return self._table((*self.path, key), self.values[key]) if key in self.values else None

    def required(self, key: str) -> "_Table | None":
        """The table ``key``; its absence is a mistake."""
        table = self.one(key)
        if key not in self.values:
            self.page.wrong(
                self.path, f"{key} is missing", f"Add a table `[{'.'.join((*self._names(), key))}]`."
            )
        return table

    def many(self, key: str) -> Iterator["_Table"]:
        """The tables of the array ``[[key]]``."""
        values = self.read(key, _LIST, [])
        self.page.misshapen |= values is None
        for number, value in enumerate(values or ()):
            table = self._table((*self.path, key, number), value)
            if table is not None:
                yield table

    def done(self) -> None:
        """Every key left over is a mistake, with the nearest known key as a suggestion."""
        for key in self.values.keys() - set(self.known):
            near = get_close_matches(key, self.known, n=1)
            mend = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(sorted(self.known))}."
            self.page.wrong((*self.path, key), "unknown key", mend)

    def _names(self) -> Iterator[str]:
        return (part for part in self.path if isinstance(part, str))

    def _table(self, path: Path, value: object) -> "_Table | None":
        if isinstance(value, dict):
            return _Table(self.page, path, value)
        self.page.misshapen = True
        self.page.wrong(path, "this is no table", "Write it as a table with keys of its own.")
        return None

    def _accepted(self, path: Path, value: object, rule: _Rule[T]) -> T:
        try:
            return rule.accept(value)
        except _Wrong as wrong:
            self.page.wrong(path, wrong.what, wrong.mend)
            return rule.blank


# Control characters would leave a terminal or a rule file in somebody else's hands; format characters (bidi
# overrides, zero-width ones) make one name look like another (CVE-2021-42574). None belongs in a name.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _plain(value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{_shown(value)} is no text", "Put it between quotes.")
    if any(category(character) in _UNPRINTABLE for character in value):
        raise _Wrong(f"{_shown(value)} holds an invisible character", "Type the text again, without it.")
    if not value.strip():
        raise _Wrong("it is empty", "Write something, or remove the line if the key is not needed.")
    if len(value) > 200:
        raise _Wrong(f"{len(value)} characters are too many", "Say it in at most 200.")
    return value.strip()


def _step(value: object) -> str:
    text = _plain(value)
    if len(text) > LONGEST_STEP:
        raise _Wrong(
            f"{len(text)} characters are too many for one step", f"Say it in at most {LONGEST_STEP}."
        )
    return text


def _matching(pattern: str, called: str, mend: str) -> Callable[[object], str]:
    expression = re.compile(pattern)

    def accept(value: object) -> str:
        text = _plain(value)
        if not expression.fullmatch(text):
            raise _Wrong(f"{_shown(text)} is no {called}", mend)
        return text

    return accept


_DNS_NAME_ANY = r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"
_DNS_NAME = r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"


def _whole(first: int, last: int) -> Callable[[object], int]:
    def accept(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not first <= value <= last:
            raise _Wrong(
                f"{_shown(value)} is no whole number from {first} to {last}", "Write it without quotes."
            )
        return value

    return accept


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"{_shown(value)} is neither true nor false", "Write `true` or `false`, without quotes.")
    return value


E = TypeVar("E", bound=StrEnum)


def _choice(choices: type[E]) -> Callable[[object], E]:
    def accept(value: object) -> E:
        try:
            return choices(_plain(value))
        except ValueError:
            names = ", ".join(choices)
            near = get_close_matches(str(value), list(choices), n=1)
            mend = f"Did you mean `{near[0]}`?" if near else f"Write one of: {names}."
            raise _Wrong(f"{_shown(value)} is none of {names}", mend) from None

    return accept


def _network(value: object) -> str:
    text = _plain(value)
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise _Wrong(
                f"{_shown(text)} is no network", "Write it as 192.0.2.0/24 or 2001:db8::/64."
            ) from None
        raise _Wrong(f"{_shown(text)} is an address, not a network", f"Did you mean `{meant}`?") from None


def _address(value: object) -> str:
    try:
        return str(ipaddress.ip_address(_plain(value)))
    except ValueError:
        raise _Wrong(f"{_shown(value)} is no address", "Write it as 192.0.2.7 or 2001:db8::7.") from None


def _interface_address(value: object) -> str:
    text = _plain(value)
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        raise _Wrong(f"{_shown(text)} is no address", "Write it as 192.0.2.7 or 192.0.2.7/24.") from None
    return text


def _host(value: object) -> str:
    text = _plain(value).lower()
    if text == "*" or (re.fullmatch(_DNS_NAME, text) and not text[-1].isdigit()):
        return text
    if text.startswith("*."):
        raise _Wrong(
            f"{_shown(text)}: a name with a star cannot be looked up", "List the names, or write `*`."
        )
    try:
        return str(ipaddress.ip_network(text)).removesuffix("/32").removesuffix("/128")
    except ValueError:
        raise _Wrong(
            f"{_shown(text)} is no address, network or name",
            "Write 192.0.2.7, 192.0.2.0/24 or www.example.be.",
        ) from None


def _phone(value: object) -> str:
    text = _plain(value)
    if text == UNKNOWN_PHONE:
        return ""
    if not re.fullmatch(r"\+?[0-9][0-9 ./()-]{1,28}", text):
        raise _Wrong(f"{_shown(text)} is no telephone number", "Write it as 04 000 00 12 or +32 4 000 00 12.")
    return text


def _service(value: object) -> Service:
    text = _plain(value)
    match = re.fullmatch(r"(tcp|udp)/([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    if not match:
        raise _Wrong(f"{_shown(text)} is no service", 'Write it as "tcp/443" or "udp/10000-20000".')
    first, last = int(match.group(2)), int(match.group(3) or match.group(2))
    if not 1 <= first <= last <= 65535:
        raise _Wrong(f"{_shown(text)}: ports go from 1 to 65535, the lower first", "Correct the numbers.")
    return Service(Transport(match.group(1)), first, last)


def _clock(value: object) -> int:
    text = _plain(value)
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not match:
        raise _Wrong(f"{_shown(text)} is no time of day", 'Write it as "07:00".')
    return int(match.group(1)) * 60 + int(match.group(2))


def _end_of_hours(value: object) -> int:
    """As a time of day; ``24:00`` is the end of it (ISO 8601), for a house that is staffed round the clock."""
    return DAY if _plain(value) == "24:00" else _clock(value)


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _day(value: object) -> int:
    text = _plain(value)
    if text not in _DAYS:
        raise _Wrong(f"{_shown(text)} is no day", f"Write one of: {', '.join(_DAYS)}.")
    return _DAYS.index(text) + 1


def _expression(value: object) -> str:
    text = _plain(value)
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise _Wrong(
            f"{_shown(text)} is no regular expression: {error}", "See Python's `re` module."
        ) from None
    if groups < 1:
        raise _Wrong(
            f"{_shown(text)} has no group", "Put brackets around the person's number: `/file/([0-9]+)`."
        )
    return text


def _mobile(value: object) -> str:
    text = re.sub(r"[ ./()-]", "", _plain(value))
    if text == UNKNOWN_PHONE:
        return ""
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", text):
        raise _Wrong(f"{_shown(value)} is no international number", "Write it as +32 470 00 00 01 (E.164).")
    return text


def _https(value: object) -> str:
    text = _plain(value)
    if not re.fullmatch(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[!-~]*)?", text):
        raise _Wrong(f"{_shown(text)} is no https address", "Write it as https://host.example/path.")
    return text


_LONGEST_TRIAL = 14 * DAY * 60  # DAY is in minutes
"""Seconds; no order opens anything on trial for longer."""


def _length(value: object) -> int:
    """Seconds, as ``90s``, ``30m`` or ``24h``."""
    found = re.fullmatch(r"([0-9]{1,7})([smh])", _plain(value))
    seconds = int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else None
    if seconds is None or seconds > _LONGEST_TRIAL:
        raise _Wrong(f"{_shown(value)} is no length of a trial", 'Write it as "24h", up to two weeks.')
    return seconds


def _quiet(value: object) -> QuietHours:
    text = _plain(value)
    hours = re.fullmatch(r"([0-9:]{5})-([0-9:]{5})", text)
    if not hours:
        raise _Wrong(f"{_shown(text)} are no quiet hours", 'Write them as "22:00-07:00".')
    return QuietHours(_clock(hours.group(1)), _clock(hours.group(2)))


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(f"{_shown(value)} is no list", "Put it between square brackets.")
    return value


_LIST: _Rule[list[Any] | None] = _Rule(_list, None)
_TEXT = _Rule(_plain, "")
_ID = _Rule(
    _matching(r"[a-z0-9][a-z0-9-]{0,39}", "id", "Use up to 40 of a-z, 0-9 and the hyphen."),
    "",
)
_INTERFACE = _Rule(
    _matching(
        r"(?!\.\.?$)[A-Za-z0-9_.-]{1,15}",
        "network interface",
        "Use a name as `ip link` shows it, e.g. `eth0`.",
    ),
    "",
)
_NAME_IN_DNS = _Rule(_matching(_DNS_NAME, "host name", "Write it in lower case, as www.example.be."), "")
_MAC = _Rule(
    _matching(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", "hardware address", "Write it as 02:00:5e:10:00:01."), ""
)
_DECODER = _Rule(
    _matching(r"[a-z0-9-]{1,40}", "decoder", "Write one such as nginx, sshd or windows-json."), ""
)
_CONFIDENCE = _Rule(_matching(r"[SGI]", "confidence", "Write S (source), G (general) or I (inferred)."), "G")
_MARK = _Rule(_whole(1, LAST_MARK), 0)
_CARE = _Rule(_whole(0, 6), 0)
_PORT = _Rule(_whole(1, 65535), 0)
_COUNT = _Rule(_whole(0, 100_000_000), 0)
_FLAG = _Rule(_flag, blank=False)
_NETWORK = _Rule(_network, "")
_ADDRESS = _Rule(_address, "")
_INTERFACE_ADDRESS = _Rule(_interface_address, "")
_HOST = _Rule(_host, "")
_PHONE = _Rule(_phone, "")
_SERVICE: _Rule[Service | None] = _Rule(_service, None)
_EXPRESSION = _Rule(_expression, "")
_DEVICE = _Rule(_matching(r"/dev/[A-Za-z0-9/_.:-]{1,100}", "device", "Write it as /dev/ttyUSB0."), "")
_MAIL = _Rule(
    _matching(
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@" + _DNS_NAME_ANY,
        "mail address",
        "Write it as duty@example.be.",
    ),
    "",
)
_FIELD = _Rule(_matching(r"[A-Za-z0-9_-]{1,40}", "field", "Use letters, figures, _ and -."), "")
_MOBILE = _Rule(_mobile, "")
_HTTPS = _Rule(_https, "")
_SERVER = _Rule(
    _matching(r"[A-Za-z0-9.:-]{1,253}", "server", "Write its name or address, as mail.example.be."), ""
)
_QUIET: _Rule[QuietHours | None] = _Rule(_quiet, None)
_TIME_OF_DAY = _Rule(_clock, 0)
_MINUTES = _Rule(_whole(0, 1_440), 0)
_SPEED = _Rule(_whole(1_200, 4_000_000), 115_200)
_LANGUAGE: _Rule[Language | None] = _Rule(_choice(Language), None)
_DIRECTION = _Rule(_choice(Direction), Direction.BOTH)
_STATE = _Rule(_choice(OpeningState), OpeningState.CLOSED)
_KIND = _Rule(_choice(AssetKind), AssetKind.OTHER)
_PROBE = _Rule(_choice(ProbeKind), ProbeKind.TCP)
_PLACEMENT = _Rule(_choice(Placement), Placement.GATEWAY)
_STEP = _Rule(_step, "")
_SECONDS = _Rule(_whole(5, 3600), 60)
_AGE = _Rule(_whole(0, 744), 0)
_DAYS_KEPT = _Rule(_whole(0, 36_500), FILES_KEPT_DAYS)
_CLOCK: _Rule[int | None] = _Rule(_clock, None)
_END: _Rule[int | None] = _Rule(_end_of_hours, None)
_REQUESTS = _Rule(_whole(10, 100_000), 100)
_HSTS = _Rule(_whole(0, 730), 0)
_FILE = _Rule(
    _matching(r"/[A-Za-z0-9._/+@-]{1,180}", "file on the box", "Write its whole path, without spaces."), ""
)
_DAY: _Rule[int | None] = _Rule(_day, None)
_LENGTH: _Rule[int | None] = _Rule(_length, None)


class Word(StrEnum):
    """What one answer of a person must be, by the rule of the key it is for."""

    TEXT = "text"
    PHONE = "phone"
    HOST = "host"
    HOST_NAME = "host-name"
    ADDRESS = "address"
    NETWORK = "network"
    INTERFACE = "interface"
    INTERFACE_ADDRESS = "interface-address"
    PATH = "path"


_WORDS: dict[Word, Callable[[Any], str]] = {
    Word.TEXT: _plain,
    Word.PHONE: _phone,
    Word.HOST: _host,
    Word.HOST_NAME: _NAME_IN_DNS.accept,
    Word.ADDRESS: _address,
    Word.NETWORK: _network,
    Word.INTERFACE: _INTERFACE.accept,
    Word.INTERFACE_ADDRESS: _interface_address,
    Word.PATH: _matching(r"/[^/].*", "file", "Write its whole path, from the first slash."),
}


def accepted(text: str, word: Word) -> str | None:
    """The answer as it would stand in the file, or None when it is refused there."""
    try:
        return _WORDS[word](text)
    except _Wrong:
        return None


# -- the tables --------------------------------------------------------------------------------------------------


def _site(table: _Table) -> Site:
    site = Site(
        id=table.read("id", _ID),
        name=table.read("name", _TEXT),
        template=table.read("template", _ID, ""),
        languages=_present(table.each("languages", _LANGUAGE)),
        phone=table.read("phone", _PHONE),
        records_kept=table.read("records_kept", _COUNT, 0),
        known_devices=tuple(mac.lower() for mac in table.each("known_devices", _MAC, ())),
        uplink=_uplink(table.required("uplink")),
        zones=tuple(map(_zone, table.many("zones"))),
        openings=_marked([*map(_opening, table.many("openings"))]),
        assets=tuple(map(_asset, table.many("assets"))),
        contacts=tuple(map(_contact, table.many("contacts"))),
        outside_wall=tuple(map(_outside_wall, table.many("outside_wall"))),
        safeguards=tuple(map(_safeguard, table.many("safeguards"))),
        logs=tuple(map(_log, table.many("logs"))),
        care_files=_care_files(table.one("care_files")),
        telling=_telling(table.one("telling"), tuple(map(_recipient, table.many("tell")))),
        resolver=_resolver(table.one("resolver")),
        wards=tuple(map(_ward, table.many("wards"))),
        hours=_hours(table.one("hours")),
        probes=tuple(map(_probe, table.many("probes"))),
        downtime_pack=_downtime_pack(table.one("downtime_pack")),
        group=_group(table.one("group")),
        sign_on=_sign_on(table.one("sign_on")),
        quiet_hours=table.read("quiet_hours", _AGE, 12),
        files_kept_days=table.read("files_kept_days", _DAYS_KEPT, FILES_KEPT_DAYS),
        trial=_trial(table.one("trial")),
        placement=table.read("placement", _PLACEMENT, Placement.GATEWAY),
        by_hand=_by_hand(table.one("by_hand")),
    )
    table.done()
    return site


def _present(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(value for value in values if value is not None)


def _by_hand(table: _Table | None) -> ByHand:
    if table is None:
        return ByHand()
    plan = ByHand(
        cut=table.each("cut", _STEP, ()),
        block=table.each("block", _STEP, ()),
        isolate=table.each("isolate", _STEP, ()),
    )
    table.done()
    return plan


def _uplink(table: _Table | None) -> Uplink:
    if table is None:
        return Uplink(interface="", addresses=())
    uplink = Uplink(
        interface=table.read("interface", _INTERFACE), addresses=table.each("addresses", _INTERFACE_ADDRESS)
    )
    table.done()
    return uplink


def _zone(table: _Table) -> Zone:
    zone = Zone(
        id=table.read("id", _ID),
        name=table.read("name", _TEXT),
        interface=table.read("interface", _INTERFACE),
        networks=table.each("networks", _NETWORK),
        stays_on=table.read("stays_on", _FLAG, default=True),
        reaches=table.each("reaches", _ID, ()),
    )
    table.done()
    return zone


def _opening(table: _Table) -> Opening:
    opening = Opening(
        id=table.read("id", _ID),
        mark=table.read("mark", _MARK, 0),
        name=table.read("name", _TEXT),
        direction=table.read("direction", _DIRECTION),
        zones=table.each("zones", _ID),
        hosts=table.each("hosts", _HOST),
        services=_present(table.each("services", _SERVICE)),
        care=table.read("care", _CARE),
        lifeline=table.read("lifeline", _FLAG, default=False),
        fallback=_fallback(table.required("fallback")),
        publication=_publication(table.one("publication")),
        needs=table.each("needs", _ID, ()),
        normally=table.read("normally", _STATE, OpeningState.OPEN),
        shared_addresses=table.read("shared_addresses", _FLAG, default=False),
        confidence=table.read("confidence", _CONFIDENCE, "G"),
    )
    table.done()
    return opening


def _fallback(table: _Table | None) -> Fallback:
    if table is None:
        return Fallback(text="")
    fallback = Fallback(
        text=table.read("text", _TEXT),
        phone=table.read("phone", _PHONE, "") or None,
        depends_on=table.each("depends_on", _ID, ()),
    )
    table.done()
    return fallback


def _publication(table: _Table | None) -> Publication | None:
    if table is None:
        return None
    publication = Publication(
        host=table.read("host", _NAME_IN_DNS),
        zone=table.read("zone", _ID),
        address=table.read("address", _ADDRESS),
        port=table.read("port", _PORT),
        requests=table.read("requests", _REQUESTS, 100),
        hours=_hours(hours) if (hours := table.one("hours")) else None,
        tls=_tls(table.one("tls")),
    )
    table.done()
    return publication


def _tls(table: _Table | None) -> Tls | None:
    if table is None:
        return None
    tls = Tls(
        certificate=table.read("certificate", _FILE),
        clients=table.read("clients", _FILE, "") or None,
        hsts_days=table.read("hsts_days", _HSTS, 0),
    )
    table.done()
    return tls


def _asset(table: _Table) -> Asset:
    asset = Asset(
        id=table.read("id", _ID),
        name=table.read("name", _TEXT),
        zone=table.read("zone", _ID),
        addresses=table.each("addresses", _ADDRESS),
        kind=table.read("kind", _KIND, AssetKind.OTHER),
        mac=table.read("mac", _MAC, "").lower() or None,
        core=table.read("core", _FLAG, default=False),
    )
    table.done()
    return asset


def _contact(table: _Table) -> Contact:
    contact = Contact(
        role=table.read("role", _TEXT), name=table.read("name", _TEXT), phone=table.read("phone", _PHONE)
    )
    table.done()
    return contact


def _outside_wall(table: _Table) -> OutsideWall:
    outside = OutsideWall(
        name=table.read("name", _TEXT),
        action=table.read("action", _TEXT),
        phone=table.read("phone", _PHONE, "") or None,
        then=table.each("then", _TEXT, ()),
    )
    table.done()
    return outside


def _ward(table: _Table) -> Ward:
    ward = Ward(
        id=table.read("id", _ID),
        name=table.read("name", _TEXT),
        phone=table.read("phone", _PHONE, "") or None,
    )
    table.done()
    return ward


def _hours(table: _Table | None) -> Hours:
    usual = Hours()
    if table is None:
        return usual
    begins, ends = table.read("from", _CLOCK, usual.begins), table.read("until", _END, usual.ends)
    days, shifts = table.each("days", _DAY, usual.days), table.each("shifts", _CLOCK, usual.shifts)
    table.done()
    if begins is None or ends is None:
        return usual
    if begins >= ends:
        table.page.wrong(
            table.path, f"{spelled(begins)} is not before {spelled(ends)}", "Give the hours of one day."
        )
    return Hours(days=_present(days), begins=begins, ends=ends, shifts=tuple(sorted(set(_present(shifts)))))


def _trial(table: _Table | None) -> TrialLength:
    usual = TrialLength()
    if table is None:
        return usual
    shortest = table.read("shortest", _LENGTH, usual.shortest)
    longest = table.read("longest", _LENGTH, usual.longest)
    table.done()
    if shortest is None or longest is None:
        return usual
    if shortest > longest or longest == 0:
        table.page.wrong(
            table.path,
            f"no trial lasts from {spelled_length(shortest)} to {spelled_length(longest)}",
            'Write for example `shortest = "24h"` and `longest = "72h"`.',
        )
    return TrialLength(shortest=shortest, longest=longest)


def _probe(table: _Table) -> Probe:
    probe = Probe(
        id=table.read("id", _ID),
        name=table.read("name", _TEXT),
        kind=table.read("kind", _PROBE),
        address=table.read("address", _ADDRESS),
        port=table.read("port", _PORT),
        opening=table.read("opening", _ID, "") or None,
        ask=table.read("ask", _NAME_IN_DNS, ""),
        every=table.read("every", _SECONDS, 60),
    )
    table.done()
    return probe


def _group(table: _Table | None) -> GroupDoor | None:
    if table is None:
        return None
    door = GroupDoor(
        address=table.read("address", _ADDRESS),
        port=table.read("port", _PORT),
        certificate=table.read("certificate", _TEXT),
        trusted=table.read("trusted", _TEXT),
    )
    table.done()
    return door


def _downtime_pack(table: _Table | None) -> DowntimePack | None:
    if table is None:
        return None
    pack = DowntimePack(path=table.read("path", _TEXT), hours=table.read("hours", _AGE, 24))
    table.done()
    return pack


def _safeguard(table: _Table) -> Safeguard:
    safeguard = Safeguard(
        id=table.read("id", _ID),
        interface=table.read("interface", _INTERFACE),
        networks=table.each("networks", _NETWORK),
        services=_present(table.each("services", _SERVICE)),
    )
    table.done()
    return safeguard


def _log(table: _Table) -> LogSource:
    log = LogSource(
        path=table.read("path", _TEXT),
        decoder=table.read("decoder", _DECODER),
        name=table.read("name", _TEXT, ""),
        silent_after=table.read("silent_after", _AGE, 0),
        wakes=table.read("wakes", _FLAG, default=False),
    )
    table.done()
    return log


def _care_files(table: _Table | None) -> CareFiles | None:
    if table is None:
        return None
    files = CareFiles(server=table.read("server", _ID), person=table.read("person", _EXPRESSION))
    table.done()
    return files


def _recipient(table: _Table) -> Recipient:
    recipient = Recipient(
        role=table.read("role", _ID),
        language=table.read("language", _LANGUAGE) or Language.ENGLISH,
        text=table.read("text", _MOBILE, ""),
        mail=table.read("mail", _MAIL, ""),
        webhook=table.read("webhook", _HTTPS, ""),
        after=table.read("after", _MINUTES, 0),
        quiet=table.read("quiet", _QUIET, None),
        digest=table.read("digest", _FLAG, default=False),
    )
    table.done()
    return recipient


_ISSUER = _Rule(
    _matching(
        r"https://[^\s?#]+|http://(127(\.\d{1,3}){3}|\[::1\])(:\d+)?(/[^\s?#]*)?",
        "issuer",
        "Write it as the provider calls itself: https://login.example/realms/home.",
    ),
    "",
)
_ACCOUNT = _Rule(
    _matching(r"[a-z0-9][a-z0-9.-]{1,39}", "account", "Write it as `rempart account list` shows it."), ""
)


def _sign_on(table: _Table | None) -> SignOn | None:
    if table is None:
        return None
    accounts: dict[str, str] = {}
    for each in table.many("accounts"):
        accounts[each.read("subject", _TEXT)] = each.read("account", _ACCOUNT)
        each.done()
    sign_on = SignOn(
        issuer=table.read("issuer", _ISSUER),
        client=table.read("client", _TEXT),
        secret_file=table.read("secret_file", _FILE, ""),
        keys_file=table.read("keys_file", _FILE, "/etc/rempart/provider.json"),
        claim=table.read("claim", _TEXT, "sub"),
        accounts=accounts,
    )
    table.done()
    return sign_on


def _telling(table: _Table | None, recipients: tuple[Recipient, ...]) -> Telling:
    if table is None:
        return Telling(recipients=recipients)
    telling = Telling(
        recipients=recipients,
        mail=_mail_server(table.one("mail")),
        modem=_modem(table.one("modem")),
        gateway=_gateway(table.one("gateway")),
        webhook=_webhook(table.one("webhook")),
        page=table.read("page", _HTTPS, ""),
        digest_at=table.read("digest", _TIME_OF_DAY, 7 * 60 + 30),
    )
    table.done()
    return telling


def _mail_server(table: _Table | None) -> MailServer | None:
    if table is None:
        return None
    server = MailServer(
        host=table.read("host", _SERVER),
        port=table.read("port", _PORT, 587),
        sender=table.read("sender", _MAIL),
        user=table.read("user", _TEXT, ""),
        password=table.read("password_file", _FILE, ""),
        authority=table.read("authority_file", _FILE, ""),
        opening=table.read("opening", _ID, ""),
        implicit_tls=table.read("implicit_tls", _FLAG, default=False),
    )
    table.done()
    return server


def _modem(table: _Table | None) -> Modem | None:
    if table is None:
        return None
    modem = Modem(
        device=table.read("device", _DEVICE),
        speed=table.read("speed", _SPEED, 115_200),
        pin=table.read("pin_file", _FILE, ""),
    )
    table.done()
    return modem


def _gateway(table: _Table | None) -> TextGateway | None:
    if table is None:
        return None
    gateway = TextGateway(
        url=table.read("url", _HTTPS),
        token=table.read("token_file", _FILE),
        opening=table.read("opening", _ID, ""),
        to_field=table.read("to_field", _FIELD, "to"),
        text_field=table.read("text_field", _FIELD, "text"),
    )
    table.done()
    return gateway


def _webhook(table: _Table | None) -> Webhook | None:
    if table is None:
        return None
    webhook = Webhook(secret=table.read("secret_file", _FILE), opening=table.read("opening", _ID, ""))
    table.done()
    return webhook


def _resolver(table: _Table | None) -> Resolver | None:
    if table is None:
        return None
    resolver = Resolver(opening=table.read("opening", _ID), relays=table.each("relays", _ID, ()))
    table.done()
    return resolver


def _marked(openings: list[Opening]) -> tuple[Opening, ...]:
    """The openings, those without a mark given the lowest free ones in the order of the file."""
    taken = {opening.mark for opening in openings}
    free = (mark for mark in range(1, LAST_MARK + 1) if mark not in taken)
    return tuple(opening if opening.mark else replace(opening, mark=next(free, 0)) for opening in openings)


# -- between the tables ------------------------------------------------------------------------------------------


def _cross_check(page: _Page, site: Site) -> None:
    """Everything that can only be judged with the whole file in hand. Blank values were reported already."""
    for kind in ("zones", "openings", "assets", "safeguards", "wards", "probes"):
        _distinct(page, kind, "id", [(entry.id, entry.id) for entry in getattr(site, kind)])
    written = [entry.get("mark") for entry in page.values.get("openings", ())]
    _distinct(page, "openings", "mark", [(mark, f"mark {mark}") for mark in written])
    _references(page, site)
    _no_overlap(page, site)
    _publications(page, site)
    _resolution(page, site)
    _machines(page, site)
    _told(page, site)
    _enough(page, site)


def _distinct(page: _Page, kind: str, key: str, values: list[tuple[Any, str]]) -> None:
    first: dict[Any, int] = {}
    for number, (value, shown) in enumerate(values):
        if not value or not isinstance(value, str | int):
            continue
        if value in first:
            before = page.line((kind, first[value], key))
            mend = f"It was given first on line {before}; choose another."
            page.wrong((kind, number, key), f"{shown} is used twice", mend)
        first.setdefault(value, number)


def _references(page: _Page, site: Site) -> None:
    zones = {zone.id for zone in site.zones}
    openings = {opening.id for opening in site.openings}
    for number, zone in enumerate(site.zones):
        _known(page, ("zones", number, "reaches"), zone.reaches, zones, "zone")
    for number, opening in enumerate(site.openings):
        _known(page, ("openings", number, "zones"), opening.zones, zones, "zone")
        _known(page, ("openings", number, "needs"), opening.needs, openings, "opening")
        _known(
            page,
            ("openings", number, "fallback", "depends_on"),
            opening.fallback.depends_on,
            openings,
            "opening",
        )
        if opening.publication:
            _known(
                page, ("openings", number, "publication", "zone"), (opening.publication.zone,), zones, "zone"
            )
    for number, asset in enumerate(site.assets):
        _known(page, ("assets", number, "zone"), (asset.zone,), zones, "zone")
    for number, probe in enumerate(site.probes):
        _known(page, ("probes", number, "opening"), (probe.opening or "",), openings, "opening")
    if site.care_files:
        assets = {asset.id for asset in site.assets}
        _known(page, ("care_files", "server"), (site.care_files.server,), assets, "asset")
    if site.resolver:
        assets = {asset.id for asset in site.assets}
        _known(page, ("resolver", "opening"), (site.resolver.opening,), openings, "opening")
        _known(page, ("resolver", "relays"), site.resolver.relays, assets, "asset")


def _known(page: _Page, path: Path, names: Iterable[str], known: set[str], called: str) -> None:
    for name in names:
        if name and name not in known:
            near = get_close_matches(name, known, n=1)
            mend = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(sorted(known)) or 'none'}."
            page.wrong(path, f"there is no {called} {_shown(name)}", mend)


def _no_overlap(page: _Page, site: Site) -> None:
    held = [
        (ipaddress.ip_network(network), number, zone.id)
        for number, zone in enumerate(site.zones)
        for network in zone.networks
    ]
    for (one, _, first), (other, number, _) in combinations(held, 2):
        if _overlap(one, other):
            page.wrong(
                ("zones", number, "networks"),
                f"{other} overlaps {one} of zone {_shown(first)}",
                "One address can stand in one zone only; split the networks.",
            )
    for address in site.uplink.addresses:
        outside = ipaddress.ip_interface(address)
        for network, _, zone in held:
            if outside.ip in network:
                page.wrong(
                    ("uplink", "addresses"),
                    f"{outside.ip} lies inside zone {_shown(zone)}",
                    "The uplink leads outside; its address belongs to no zone.",
                )


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _publications(page: _Page, site: Site) -> None:
    hosts = [opening.publication.host if opening.publication else "" for opening in site.openings]
    _distinct(page, "openings", "publication", [(host, f"host {host}") for host in hosts])
    for number, opening in enumerate(site.openings):
        if opening.publication is None:
            continue
        if opening.direction is Direction.OUT:
            page.wrong(
                ("openings", number, "direction"),
                "a published service is reached from outside",
                'Write `direction = "in"`, or remove the publication.',
            )
        path = ("openings", number, "publication", "address")
        _standing(page, site, path, opening.publication.zone, opening.publication.address)


def _resolution(page: _Page, site: Site) -> None:
    """The way to the resolvers outside, and openings whose names share their addresses."""
    for number, opening in enumerate(site.openings):
        path = ("openings", number, "shared_addresses")
        if opening.shared_addresses and not _all_names_over_one_port(opening):
            page.wrong(
                path,
                "names are told apart in TLS, on the way out",
                'It needs `direction = "out"`, names alone as hosts, and one tcp port as its only service.',
            )
        if site.resolver and site.resolver.opening == opening.id and not _leads_to_resolvers(opening):
            page.wrong(
                ("resolver", "opening"),
                f"{_shown(opening.id)} does not lead to resolvers",
                'It needs `direction = "out"`, addresses (or `*`) as hosts, and udp/53 and tcp/53.',
            )


def _all_names_over_one_port(opening: Opening) -> bool:
    one = [each for each in opening.services if each.transport is Transport.TCP]
    alone = len(opening.services) == len(one) == 1 and one[0].first_port == one[0].last_port
    return opening.direction is Direction.OUT and alone and all(map(is_name, opening.hosts))


def _leads_to_resolvers(opening: Opening) -> bool:
    ports = {(each.transport, each.first_port, each.last_port) for each in opening.services}
    asked = ports == {(transport, 53, 53) for transport in Transport}
    return opening.direction is Direction.OUT and asked and not any(map(is_name, opening.hosts))


def _machines(page: _Page, site: Site) -> None:
    holders: dict[str, str] = {}
    for number, asset in enumerate(site.assets):
        for address in asset.addresses:
            _standing(page, site, ("assets", number, "addresses"), asset.zone, address)
            if address in holders:
                page.wrong(
                    ("assets", number, "addresses"),
                    f"{address} is the address of {_shown(holders[address])} too",
                    "One address belongs to one machine.",
                )
            holders[address] = asset.id


def _told(page: _Page, site: Site) -> None:
    """Whom to tell: each role once, each with an address whose channel the station has."""
    telling = site.telling
    _distinct(page, "tell", "role", [(one.role, one.role) for one in telling.recipients])
    for number, recipient in enumerate(telling.recipients):
        if not recipient.channels:
            page.wrong(("tell", number), "no address", "Add `text`, `mail` or `webhook`.")
        for channel in recipient.channels:
            if not telling.serves(channel):
                page.wrong(
                    ("tell", number, channel.value),
                    f"the station has nothing to send a {channel.value} with",
                    f"Add {_SENDS[channel]}.",
                )
    openings = {opening.id for opening in site.openings}
    for name, way in (("mail", telling.mail), ("gateway", telling.gateway), ("webhook", telling.webhook)):
        if way and way.opening:
            _known(page, ("telling", name, "opening"), (way.opening,), openings, "opening")


_SENDS = {
    Channel.TEXT: "[telling.modem] or [telling.gateway]",
    Channel.MAIL: "[telling.mail]",
    Channel.WEBHOOK: "[telling.webhook]",
}


def _standing(page: _Page, site: Site, path: Path, zone_id: str, address: str) -> None:
    """An address inside must lie in a network of its zone."""
    zone = next((zone for zone in site.zones if zone.id == zone_id), None)
    if zone is None or not address or not zone.networks:
        return
    if not any(ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in zone.networks):
        page.wrong(
            path,
            f"{address} lies in no network of zone {_shown(zone_id)}",
            f"Its networks are {', '.join(zone.networks)}.",
        )


def _enough(page: _Page, site: Site) -> None:
    """What a site cannot be without."""
    for key, example in (("zones", "a part of the inside"), ("openings", "a way to the outside")):
        if not page.values.get(key):
            page.wrong((), f"there are no {key}", f"Add at least one [[{key}]]: {example}.")
    if site.languages == () and page.values.get("languages") == []:
        page.wrong(("languages",), "no language is named", 'Write for example `languages = ["fr"]`.')
    for number, opening in enumerate(site.openings):
        for key in ("zones", "hosts", "services"):
            if page.values["openings"][number].get(key) == []:
                page.wrong(("openings", number, key), "the list is empty", f"Name at least one of its {key}.")
        if "*" in opening.hosts and len(opening.hosts) > 1:
            mend = "Write `*` alone, or the hosts alone."
            page.wrong(("openings", number, "hosts"), "`*` stands beside other hosts", mend)
