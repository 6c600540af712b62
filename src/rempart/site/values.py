"""What the values of ``site.toml`` may be: one rule for each sort, by which a hostile one goes no further."""

import ipaddress
import re
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar
from unicodedata import category

from rempart.site.address import meant, meant_network
from rempart.site.hours import DAY
from rempart.site.opening import Direction, OpeningState, Service, Transport
from rempart.site.page import Rule, Wrong, shown
from rempart.site.placement import LONGEST_STEP, Placement
from rempart.site.probe import ProbeKind
from rempart.site.site import FILES_KEPT_DAYS, AssetKind, Language
from rempart.site.telling import QuietHours

UNKNOWN_PHONE = "?"
"""How a template writes a number that nobody has filled in yet; it is read as no number at all."""

LAST_MARK = 4089
"""The highest mark of an opening; the gateway keeps 4090 to 4095 for itself (4094: the maintenance responder)."""

# Control characters would leave a terminal or a rule file in somebody else's hands; format characters (bidi
# overrides, zero-width ones) make one name look like another (CVE-2021-42574). None belongs in a name.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _plain(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong(f"{shown(value)} is no text", "Put it between quotes.")
    if any(category(character) in _UNPRINTABLE for character in value):
        raise Wrong(f"{shown(value)} holds an invisible character", "Type the text again, without it.")
    if not value.strip():
        raise Wrong("it is empty", "Write something, or remove the line if the key is not needed.")
    if len(value) > 200:
        raise Wrong(f"{len(value)} characters are too many", "Say it in at most 200.")
    return value.strip()


def _step(value: object) -> str:
    text = _plain(value)
    if len(text) > LONGEST_STEP:
        raise Wrong(f"{len(text)} characters are too many for one step", f"Say it in at most {LONGEST_STEP}.")
    return text


def _matching(pattern: str, called: str, mend: str) -> Callable[[object], str]:
    expression = re.compile(pattern)

    def accept(value: object) -> str:
        text = _plain(value)
        if not expression.fullmatch(text):
            raise Wrong(f"{shown(text)} is no {called}", mend)
        return text

    return accept


_DNS_NAME_ANY = r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"
_DNS_NAME = r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"


def _whole(first: int, last: int) -> Callable[[object], int]:
    def accept(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not first <= value <= last:
            raise Wrong(
                f"{shown(value)} is no whole number from {first} to {last}", "Write it without quotes."
            )
        return value

    return accept


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"{shown(value)} is neither true nor false", "Write `true` or `false`, without quotes.")
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
            raise Wrong(f"{shown(value)} is none of {names}", mend) from None

    return accept


def _unscoped(value: object) -> str:
    """The text, unless it is an address with a scope (RFC 4007): Python takes any text behind the percent sign."""
    text = _plain(value)
    if "%" in text:
        raise Wrong(
            f"{shown(text)} names an interface", "Write the address alone, without what follows the %."
        )
    return text


def _network(value: object) -> str:
    text = _unscoped(value)
    try:
        return str(meant_network(ipaddress.ip_network(text)))
    except ValueError:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise Wrong(
                f"{shown(text)} is no network", "Write it as 192.0.2.0/24 or 2001:db8::/64."
            ) from None
        raise Wrong(f"{shown(text)} is an address, not a network", f"Did you mean `{meant}`?") from None


def _address(value: object) -> str:
    try:
        return str(meant(ipaddress.ip_address(_unscoped(value))))
    except ValueError:
        raise Wrong(f"{shown(value)} is no address", "Write it as 192.0.2.7 or 2001:db8::7.") from None


def _interface_address(value: object) -> str:
    text = _unscoped(value)
    try:
        ip = ipaddress.ip_interface(text).ip
    except ValueError:
        raise Wrong(f"{shown(text)} is no address", "Write it as 192.0.2.7 or 192.0.2.7/24.") from None
    if meant(ip) is not ip:
        raise Wrong(f"{shown(text)} is IPv4 written inside IPv6", f"Did you mean `{meant(ip)}`?")
    # The proxy answers on each of them, and does not start where it cannot: `ip addr` shows fe80::… beside the others.
    if ip.is_link_local or ip.is_unspecified or ip.is_multicast:
        raise Wrong(f"{shown(text)} is no address that others can reach", "Leave it out.")
    return text


def _host(value: object) -> str:
    text = _unscoped(value).lower()
    if text == "*" or (re.fullmatch(_DNS_NAME, text) and not text[-1].isdigit()):
        return text
    if text.startswith("*."):
        raise Wrong(f"{shown(text)}: a name with a star cannot be looked up", "List the names, or write `*`.")
    try:
        network = meant_network(ipaddress.ip_network(text))
        return str(network).removesuffix("/32").removesuffix("/128")
    except ValueError:
        raise Wrong(
            f"{shown(text)} is no address, network or name",
            "Write 192.0.2.7, 192.0.2.0/24 or www.example.be.",
        ) from None


def _phone(value: object) -> str:
    text = _plain(value)
    if text == UNKNOWN_PHONE:
        return ""
    if not re.fullmatch(r"\+?[0-9][0-9 ./()-]{1,28}", text):
        raise Wrong(f"{shown(text)} is no telephone number", "Write it as 04 000 00 12 or +32 4 000 00 12.")
    return text


def _service(value: object) -> Service:
    text = _plain(value)
    match = re.fullmatch(r"(tcp|udp)/([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    if not match:
        raise Wrong(f"{shown(text)} is no service", 'Write it as "tcp/443" or "udp/10000-20000".')
    first, last = int(match.group(2)), int(match.group(3) or match.group(2))
    if not 1 <= first <= last <= 65535:
        raise Wrong(f"{shown(text)}: ports go from 1 to 65535, the lower first", "Correct the numbers.")
    return Service(Transport(match.group(1)), first, last)


def _clock(value: object) -> int:
    text = _plain(value)
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not match:
        raise Wrong(f"{shown(text)} is no time of day", 'Write it as "07:00".')
    return int(match.group(1)) * 60 + int(match.group(2))


def _end_of_hours(value: object) -> int:
    """As a time of day; ``24:00`` is the end of it (ISO 8601), for a house that is staffed round the clock."""
    return DAY if _plain(value) == "24:00" else _clock(value)


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _day(value: object) -> int:
    text = _plain(value)
    if text not in _DAYS:
        raise Wrong(f"{shown(text)} is no day", f"Write one of: {', '.join(_DAYS)}.")
    return _DAYS.index(text) + 1


def _expression(value: object) -> str:
    text = _plain(value)
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise Wrong(f"{shown(text)} is no regular expression: {error}", "See Python's `re` module.") from None
    if groups < 1:
        raise Wrong(
            f"{shown(text)} has no group", "Put brackets around the person's number: `/file/([0-9]+)`."
        )
    return text


def _mobile(value: object) -> str:
    text = re.sub(r"[ ./()-]", "", _plain(value))
    if text == UNKNOWN_PHONE:
        return ""
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", text):
        raise Wrong(f"{shown(value)} is no international number", "Write it as +32 470 00 00 01 (E.164).")
    return text


def _https(value: object) -> str:
    text = _plain(value)
    if not re.fullmatch(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[!-~]*)?", text):
        raise Wrong(f"{shown(text)} is no https address", "Write it as https://host.example/path.")
    return text


_LONGEST_TRIAL = 14 * DAY * 60  # DAY is in minutes
"""Seconds; no order opens anything on trial for longer."""


def _length(value: object) -> int:
    """Seconds, as ``90s``, ``30m`` or ``24h``."""
    found = re.fullmatch(r"([0-9]{1,7})([smh])", _plain(value))
    seconds = int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else None
    if seconds is None or seconds > _LONGEST_TRIAL:
        raise Wrong(f"{shown(value)} is no length of a trial", 'Write it as "24h", up to two weeks.')
    return seconds


def _quiet(value: object) -> QuietHours:
    text = _plain(value)
    hours = re.fullmatch(r"([0-9:]{5})-([0-9:]{5})", text)
    if not hours:
        raise Wrong(f"{shown(text)} are no quiet hours", 'Write them as "22:00-07:00".')
    return QuietHours(_clock(hours.group(1)), _clock(hours.group(2)))


TEXT = Rule(_plain, "")
ID = Rule(
    _matching(r"[a-z0-9][a-z0-9-]{0,39}", "id", "Use up to 40 of a-z, 0-9 and the hyphen."),
    "",
)
INTERFACE = Rule(
    _matching(
        r"(?!\.\.?$)[A-Za-z0-9_.-]{1,15}",
        "network interface",
        "Use a name as `ip link` shows it, e.g. `eth0`.",
    ),
    "",
)
NAME_IN_DNS = Rule(_matching(_DNS_NAME, "host name", "Write it in lower case, as www.example.be."), "")
MAC = Rule(
    _matching(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", "hardware address", "Write it as 02:00:5e:10:00:01."), ""
)
DECODER = Rule(_matching(r"[a-z0-9-]{1,40}", "decoder", "Write one such as nginx, sshd or windows-json."), "")
CONFIDENCE = Rule(_matching(r"[SGI]", "confidence", "Write S (source), G (general) or I (inferred)."), "G")
MARK = Rule(_whole(1, LAST_MARK), 0)
CARE = Rule(_whole(0, 6), 0)
PORT = Rule(_whole(1, 65535), 0)
HIGH_PORT = Rule(_whole(1024, 65535), 0)
"""A port that needs no privilege."""
COUNT = Rule(_whole(0, 100_000_000), 0)
FLAG = Rule(_flag, blank=False)
NETWORK = Rule(_network, "")
ADDRESS = Rule(_address, "")
INTERFACE_ADDRESS = Rule(_interface_address, "")
HOST = Rule(_host, "")
PHONE = Rule(_phone, "")
SERVICE: Rule[Service | None] = Rule(_service, None)
EXPRESSION = Rule(_expression, "")
DEVICE = Rule(_matching(r"/dev/[A-Za-z0-9/_.:-]{1,100}", "device", "Write it as /dev/ttyUSB0."), "")
MAIL = Rule(
    _matching(
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@" + _DNS_NAME_ANY,
        "mail address",
        "Write it as duty@example.be.",
    ),
    "",
)
FIELD = Rule(_matching(r"[A-Za-z0-9_-]{1,40}", "field", "Use letters, figures, _ and -."), "")
MOBILE = Rule(_mobile, "")
HTTPS = Rule(_https, "")
SERVER = Rule(
    _matching(r"[A-Za-z0-9.:-]{1,253}", "server", "Write its name or address, as mail.example.be."), ""
)
QUIET: Rule[QuietHours | None] = Rule(_quiet, None)
TIME_OF_DAY = Rule(_clock, 0)
MINUTES = Rule(_whole(0, 1_440), 0)
SPEED = Rule(_whole(1_200, 4_000_000), 115_200)
LANGUAGE: Rule[Language | None] = Rule(_choice(Language), None)
DIRECTION = Rule(_choice(Direction), Direction.BOTH)
STATE = Rule(_choice(OpeningState), OpeningState.CLOSED)
KIND = Rule(_choice(AssetKind), AssetKind.OTHER)
PROBE = Rule(_choice(ProbeKind), ProbeKind.TCP)
PLACEMENT = Rule(_choice(Placement), Placement.GATEWAY)
STEP = Rule(_step, "")
SECONDS = Rule(_whole(5, 3600), 60)
AGE = Rule(_whole(0, 744), 0)
DAYS_KEPT = Rule(_whole(0, 36_500), FILES_KEPT_DAYS)
CLOCK: Rule[int | None] = Rule(_clock, None)
END: Rule[int | None] = Rule(_end_of_hours, None)
REQUESTS = Rule(_whole(10, 100_000), 100)
HSTS = Rule(_whole(0, 730), 0)
FILE = Rule(
    _matching(r"/[A-Za-z0-9._/+@-]{1,180}", "file on the box", "Write its whole path, without spaces."), ""
)
WEEKDAY: Rule[int | None] = Rule(_day, None)
LENGTH: Rule[int | None] = Rule(_length, None)
ISSUER = Rule(
    _matching(
        r"https://[^\s?#]+|http://(127(\.\d{1,3}){3}|\[::1\])(:\d+)?(/[^\s?#]*)?",
        "issuer",
        "Write it as the provider calls itself: https://login.example/realms/home.",
    ),
    "",
)
ACCOUNT = Rule(
    _matching(r"[a-z0-9][a-z0-9.-]{1,39}", "account", "Write it as `rempart account list` shows it."), ""
)


class Word(StrEnum):
    """What one answer of a person must be, by the rule of the key it is for."""

    TEXT = "text"
    STEP = "step"
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
    Word.STEP: _step,
    Word.PHONE: _phone,
    Word.HOST: _host,
    Word.HOST_NAME: NAME_IN_DNS.accept,
    Word.ADDRESS: _address,
    Word.NETWORK: _network,
    Word.INTERFACE: INTERFACE.accept,
    Word.INTERFACE_ADDRESS: _interface_address,
    Word.PATH: _matching(r"/[^/].*", "file", "Write its whole path, from the first slash."),
}


def accepted(text: str, word: Word) -> str | None:
    """The answer as it would stand in the file, or None when it is refused there."""
    try:
        return _WORDS[word](text)
    except Wrong:
        return None
