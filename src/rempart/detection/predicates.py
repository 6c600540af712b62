"""Which leaves are true of a value: dictionaries, sorted beginnings and ends, one Hyperscan database per field.

Hyperscan finds any number of expressions in one pass, in time linear in the text whatever a hostile line holds. Where
it has no wheel, plain loops give the same answers more slowly (`PlainScan`); there the expressions are Python's, and a
rule's own expression decides how badly a hostile line can slow it down.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from ipaddress import ip_address, ip_network
from math import isfinite
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Protocol

from rempart.detection.condition import Leaf, LeafKind
from rempart.detection.repeats import LONGEST, MOST_WILD, Allowance, too_large
from rempart.site.address import Address, meant

hyperscan: Any
try:
    hyperscan = import_module("hyperscan")
except ImportError:  # no wheel for this machine
    hyperscan = None

NOTHING: frozenset[int] = frozenset()

_SCANNED = frozenset(
    {
        LeafKind.CONTAINS,
        LeafKind.STARTSWITH,
        LeafKind.ENDSWITH,
        LeafKind.WILDCARD,
        LeafKind.RE,
        LeafKind.KEYWORD,
        LeafKind.KEYWORD_RE,
    }
)
_LITERALS = frozenset({LeafKind.CONTAINS, LeafKind.STARTSWITH, LeafKind.ENDSWITH})
_EXPRESSIONS = frozenset({LeafKind.RE, LeafKind.KEYWORD_RE})
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": gt,
    "gte": ge,
    "lt": lt,
    "lte": le,
    "eq": eq,
    "neq": ne,
}


class ExpressionRefused(ValueError):
    """A regular expression that cannot be searched in linear time."""


def as_text(value: object) -> str:
    """A field's value as the text that rules are held against. Booleans as JSON writes them, 3.0 as 3."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    except RecursionError:  # a thousand brackets deep: nothing that a rule could be about
        return ""


def texts_of(value: object) -> list[str]:
    """The texts of a value: none when absent, one for a plain value; for a list its elements, and all of them joined by
    one blank, as Windows shows an event's unnamed data.
    """
    if value is None:
        return []
    if isinstance(value, list | tuple):
        texts = [as_text(each) for each in value if each is not None]
        return texts if len(texts) < 2 else [*texts, " ".join(texts)]
    return [as_text(value)]


class ExpressionTooLarge(ExpressionRefused):
    """Regular expressions of one rule that would keep the machine compiling."""


class SetTooLarge(ExpressionRefused):
    """A rule whose expressions are one too many for the set it is in."""


class Compiled(Protocol):
    """Databases compiled before, by a key that names their whole content."""

    def get(self, key: str) -> bytes | None:
        """The serialised database, exactly as it was put; None when there is none to be trusted."""
        ...

    def put(self, key: str, database: bytes) -> None:
        """Keep it for the next start."""
        ...


# -- scanning -----------------------------------------------------------------------------------------------------


class Scan(Protocol):
    """Many expressions at once."""

    def found(self, text: str) -> list[int]:
        """The numbers of the expressions that occur in the text, each once, in no order."""
        ...

    def found_in(self, data: bytes) -> list[int]:
        """The same for bytes that are UTF-8."""
        ...


def scan(numbered: Sequence[tuple[int, Leaf]], compiled: Compiled | None = None) -> Scan:
    """The fastest scan this machine has."""
    return PlainScan(numbered) if hyperscan is None else HyperscanScan(numbered, compiled)


class HyperscanScan:
    """One Hyperscan database. Not for use by two threads at once: its scratch space is one."""

    def __init__(self, numbered: Sequence[tuple[int, Leaf]], compiled: Compiled | None = None) -> None:
        database = _database(
            [expression(leaf).encode() for _, leaf in numbered],
            [number for number, _ in numbered],
            [_flags(leaf) for _, leaf in numbered],
            compiled,
        )
        self._scan = database.scan

    def found(self, text: str) -> list[int]:
        """See `Scan`."""
        return self.found_in(text.encode("utf-8", "replace"))

    def found_in(self, data: bytes) -> list[int]:
        """See `Scan`."""
        hits: list[int] = []
        self._scan(
            data, _note, 0, hits
        )  # by position: naming the arguments takes a tenth of the time of a short scan
        return hits


def _note(number: int, _start: int, _end: int, _flags: int, hits: list[int]) -> None:
    hits.append(number)


def small(text: str) -> str:
    """The text with all letters that differ in case only made one, as Unicode's simple folding has it: as many letters
    as before. Python's ``lower`` writes one Sigma in two ways, by its place in the word, and keeps the long s.
    """
    return text.lower() if text.isascii() else "".join(map(_small, text))


@lru_cache(maxsize=4096)
def _small(letter: str) -> str:
    return next((each for each in (letter.casefold(), letter.lower()) if len(each) == 1), letter)


_OF_ASCII = str.maketrans({"\N{LATIN SMALL LETTER LONG S}": "s", "\N{KELVIN SIGN}": "k"})


def in_ascii(text: str) -> str:
    """The text with the two letters of which ASCII has the other case as ASCII's."""
    return text if text.isascii() else text.translate(_OF_ASCII)


def folded(text: str) -> bytes:
    """Text as bytes in which ASCII letters have one case: what Hyperscan sees of it without Unicode's rules."""
    return (text if text.isascii() else in_ascii(text)).encode("utf-8", "replace").lower()


def is_plain(leaf: Leaf) -> bool:
    """Whether the leaf asks for a literal that can be found in `folded` text."""
    return leaf.kind in _LITERALS and not leaf.cased and _one_case(leaf.value)


def is_uncased(leaf: Leaf) -> bool:
    """Whether the leaf asks for a text in which letters may have either case."""
    return leaf.kind in _SCANNED - _EXPRESSIONS | {LeafKind.EXACT} and not leaf.cased


def _one_case(text: str) -> bool:
    """Whether bytes tell it: letters with two cases need Unicode's rules, the windash modifier's dashes do not."""
    return text.isascii() or all(c.isascii() or c.lower() == c.upper() for c in text)


def _database(
    expressions: list[bytes], numbers: list[int], flags: list[int], compiled: Compiled | None
) -> Any:
    """The database, from what was compiled before where there is such."""
    if compiled is None:
        return _compile(expressions, numbers, flags)
    key = _key(expressions, numbers, flags)
    kept = compiled.get(key)
    if kept is not None:
        with suppress(hyperscan.error):  # made for another processor
            return _restored(kept)
    database = _compile(expressions, numbers, flags)
    compiled.put(key, hyperscan.dumpb(database))
    return database


def _restored(kept: bytes) -> Any:
    database = hyperscan.loadb(kept, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return database


def _key(expressions: list[bytes], numbers: list[int], flags: list[int]) -> str:
    """Names a database by all that went into it."""
    return sha256(repr((hyperscan.__version__, expressions, numbers, flags)).encode()).hexdigest()


def _compile(expressions: list[bytes], numbers: list[int], flags: list[int]) -> Any:
    database = hyperscan.Database()
    try:
        database.compile(expressions=expressions, ids=numbers, elements=len(expressions), flags=flags)
    except hyperscan.error as error:
        raise ExpressionRefused(f"the expression cannot be searched in linear time: {error}") from error
    return database


class PlainScan:
    """The same by plain loops: the fallback, and what the fast one is tested against."""

    def __init__(self, numbered: Sequence[tuple[int, Leaf]]) -> None:
        self._searches = [(number, _search(leaf)) for number, leaf in numbered]

    def found(self, text: str) -> list[int]:
        """See `Scan`."""
        return [number for number, search in self._searches if search(text)]

    def found_in(self, data: bytes) -> list[int]:
        """See `Scan`."""
        return self.found(data.decode("utf-8", "replace"))


def _search(leaf: Leaf) -> Callable[[str], object]:
    flags = 0 if leaf.cased else re.IGNORECASE
    if leaf.kind in _EXPRESSIONS:
        for letter in leaf.detail:
            flags |= {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}[letter]
        return re.compile(leaf.value, flags).search
    return re.compile(expression(leaf).replace(r"\z", r"\Z"), flags | re.DOTALL).search


def expression(leaf: Leaf) -> str:
    """The leaf as a regular expression that both Hyperscan and Python read the same (but for the end, ``\\z``)."""
    match leaf.kind:
        case LeafKind.CONTAINS:
            return _literal(leaf.value)
        case LeafKind.STARTSWITH:
            return r"\A" + _literal(leaf.value)
        case LeafKind.ENDSWITH:
            return _literal(leaf.value) + r"\z"
        case LeafKind.WILDCARD:
            return _wildcards(leaf.value, whole=True)
        case LeafKind.KEYWORD:
            return _wildcards(leaf.value, whole=False)
    return leaf.value


_ESCAPED = {code: f"\\x{code:02x}" for code in range(128) if not chr(code).isalnum()}


def _literal(text: str) -> str:
    return text.translate(_ESCAPED)


_PARTS = re.compile(r"\\(.)|([*?])|([^\\*?]+)", re.DOTALL)


def _wildcards(notation: str, *, whole: bool) -> str:
    """Sigma notation (see `LeafKind.WILDCARD`) as an expression; a star at an end is said by not anchoring it."""
    parts = _PARTS.findall(notation)
    begin, end = 0, len(parts)
    while begin < end and parts[begin][1] == "*":
        begin += 1
    while begin < end and parts[end - 1][1] == "*":
        end -= 1
    wild = {"*": ".*", "?": "."}
    inner = "".join(
        wild[mark] if mark else _literal(escaped or plain) for escaped, mark, plain in parts[begin:end]
    )
    return (r"\A" if whole and begin == 0 else "") + inner + (r"\z" if whole and end == len(parts) else "")


def _flags(leaf: Leaf) -> int:
    flags = hyperscan.HS_FLAG_SINGLEMATCH
    plain = _one_case(leaf.value)
    if leaf.kind in _EXPRESSIONS:
        # No HS_FLAG_UCP: letters find their other case without it, and Unicode's \w{20} takes seconds to compile.
        flags |= hyperscan.HS_FLAG_ALLOWEMPTY | hyperscan.HS_FLAG_UTF8
        for letter in leaf.detail:
            flags |= {
                "i": hyperscan.HS_FLAG_CASELESS,
                "m": hyperscan.HS_FLAG_MULTILINE,
                "s": hyperscan.HS_FLAG_DOTALL,
            }[letter]
        return int(flags)
    if leaf.kind in {LeafKind.WILDCARD, LeafKind.KEYWORD}:
        flags |= hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_ALLOWEMPTY
        flags |= hyperscan.HS_FLAG_UTF8 if "?" in leaf.value else 0
    if not leaf.cased:
        flags |= hyperscan.HS_FLAG_CASELESS
    if not plain:
        flags |= hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_UCP
    return int(flags)


@lru_cache(maxsize=4096)
def _check(leaf: Leaf) -> None:
    try:
        re.compile(leaf.value)
    except re.error as error:
        raise ExpressionRefused(f"the regular expression {leaf.value!r} is wrong: {error}") from error
    _check_compiled(leaf)


@lru_cache(maxsize=4096)
def _check_compiled(leaf: Leaf) -> None:
    if hyperscan is not None:
        _compile([expression(leaf).encode()], [0], [_flags(leaf)])


def check_expressions(leaves: Iterable[Leaf], allowance: Allowance | None = None) -> None:
    """Raises `ExpressionRefused` for one rule's regular expressions that could be made to hang, or that are none;
    before any is compiled `ExpressionTooLarge` for those, and for texts, that would compile for too long or not at all,
    and `SetTooLarge` where the ``allowance`` of the rule's set does not suffice for them.
    """
    asked = [leaf for leaf in leaves if leaf.kind in _SCANNED]
    if reason := too_large(leaf.value for leaf in asked if leaf.kind in _EXPRESSIONS):
        raise ExpressionTooLarge(reason)
    if allowance is not None:
        expressions = [leaf.value for leaf in asked if leaf.kind in _EXPRESSIONS]
        wild = [
            leaf.value for leaf in asked if leaf.kind not in _EXPRESSIONS | _LITERALS and _is_wild(leaf.value)
        ]
        if reason := allowance.take(expressions, wild):
            raise SetTooLarge(reason)
    for leaf in asked:
        if leaf.kind in _EXPRESSIONS:
            _check(leaf)
        else:
            _check_text(leaf)


def _is_wild(text: str) -> bool:
    return "*" in text or "?" in text


def _check_text(leaf: Leaf) -> None:
    """A text that could not be compiled would be noticed only with all others, and take them along."""
    where = f"a value of {leaf.field}" if leaf.field else "a keyword"
    if len(leaf.value) > LONGEST:
        raise ExpressionTooLarge(f"{where} has {len(leaf.value)} characters, more than {LONGEST}")
    if leaf.kind in _LITERALS:
        return
    if (wild := leaf.value.count("*") + leaf.value.count("?")) > MOST_WILD:
        raise ExpressionTooLarge(f"{where} has {wild} wildcards, more than {MOST_WILD}")
    _check_compiled(leaf)


# -- one field ----------------------------------------------------------------------------------------------------


class Beginnings:
    """Which of many texts stand at the beginning of another, found by one search in their sorted list."""

    __slots__ = ("_longest", "_numbers", "_parents", "_texts")

    def __init__(self, numbered: Iterable[tuple[int, bytes]]) -> None:
        by_text: dict[bytes, frozenset[int]] = {}
        for number, text in numbered:
            by_text[text] = by_text.get(text, NOTHING) | {number}
        self._texts = sorted(by_text)
        self._longest = max(map(len, by_text), default=0)
        self._parents: list[int] = []
        self._numbers: list[frozenset[int]] = []
        for place, text in enumerate(self._texts):
            parent = place - 1
            while parent >= 0 and not text.startswith(self._texts[parent]):
                parent = self._parents[parent]
            self._parents.append(parent)
            self._numbers.append(by_text[text] | (self._numbers[parent] if parent >= 0 else NOTHING))

    def of(self, text: bytes) -> frozenset[int]:
        """The numbers of all that it begins with, small and capital letters being one.

        The longest of them is the last text that does not sort behind it, or one that this begins with in turn.
        """
        texts = self._texts
        text = text[: self._longest].lower()  # not all of it: it may be long
        place = bisect_right(texts, text) - 1
        while place >= 0:
            if text.startswith(texts[place]):
                return self._numbers[place]
            place = self._parents[place]
        return NOTHING

    def of_end(self, text: bytes) -> frozenset[int]:
        """The numbers of all that it ends with, where the texts were given backwards."""
        return self.of(text[: -self._longest - 1 : -1])


@dataclass(slots=True)
class FieldTests:
    """Every leaf on one field. ``add`` them all, then ask `true_of`; databases are compiled at the first question."""

    _exact: dict[str, frozenset[int]] = field(default_factory=dict)
    _cased: dict[str, frozenset[int]] = field(default_factory=dict)
    _absent: frozenset[int] = NOTHING
    _present: frozenset[int] = NOTHING
    _uncased: frozenset[int] = NOTHING
    """Texts that are found in either case."""
    _computed: list[tuple[int, Callable[[str], bool]]] = field(default_factory=list)
    _starting: list[tuple[int, bytes]] = field(default_factory=list)
    _ending: list[tuple[int, bytes]] = field(default_factory=list)
    _scanned: list[tuple[int, Leaf]] = field(default_factory=list)
    _find: Callable[[str], frozenset[int]] | None = None

    def add(self, number: int, leaf: Leaf) -> None:
        """Take in a leaf under its number."""
        if is_uncased(leaf):
            self._uncased |= {number}
        match leaf.kind:
            case LeafKind.EXACT if leaf.cased:
                self._cased[leaf.value] = self._cased.get(leaf.value, NOTHING) | {number}
            case LeafKind.EXACT:
                value = small(leaf.value)
                self._exact[value] = self._exact.get(value, NOTHING) | {number}
            case LeafKind.NULL:
                self._absent |= {number}
            case LeafKind.EXISTS:
                self._present |= {number}
            case LeafKind.CIDR:
                self._computed.append((number, _within(leaf.value)))
            case LeafKind.COMPARE:
                self._computed.append((number, _compared(leaf)))
            case LeafKind.TIMEPART:
                self._computed.append((number, _timed(leaf)))
            case LeafKind.STARTSWITH if is_plain(leaf):
                self._starting.append((number, folded(leaf.value)))
            case LeafKind.ENDSWITH if is_plain(leaf):
                self._ending.append((number, folded(leaf.value)[::-1]))
            case _:
                self._scanned.append((number, leaf))

    def warm(self, compiled: Compiled | None = None) -> None:
        """Compile what is to be scanned for now rather than at the first value."""
        if self._find is None:
            self._find = self._finder(compiled)

    def _finder(self, compiled: Compiled | None) -> Callable[[str], frozenset[int]]:
        """The hot path: every new value of every field comes through it, so it does nothing twice."""
        present, exact, cased, computed = self._present, self._exact, self._cased, self._computed
        hits = scan(self._scanned, compiled).found_in if self._scanned else None
        starts = Beginnings(self._starting).of if self._starting else None
        ends = Beginnings(self._ending).of_end if self._ending else None
        longest = max(map(len, exact), default=-1)
        uncased = self._uncased

        def find(text: str) -> frozenset[int]:
            plain = text.isascii()
            data = text.encode("utf-8", "replace")
            found = [] if hits is None else hits(data)
            if starts is not None:
                found += starts(data)
            if ends is not None:
                found += ends(data)
            if len(text) <= longest:
                found += exact.get(text.lower() if plain else small(text), NOTHING)
            if cased:
                found += cased.get(text, NOTHING)
            if computed:
                found += [number for number, holds in computed if holds(text)]
            if plain or (other := in_ascii(text)) == text:
                return present.union(found) if found else present
            return present.union(found, find(other) & uncased)

        return find

    def true_of(self, value: object) -> frozenset[int]:
        """The numbers of the leaves that are true of the value (of any element of a list)."""
        if self._find is None:
            self._find = self._finder(None)
        if value.__class__ is str:
            return self._find(value)
        texts = texts_of(value)
        if not texts:
            return self._absent
        return NOTHING.union(*map(self._find, texts))


def _within(network: str) -> Callable[[str], bool]:
    wanted = ip_network(network)

    def within(text: str) -> bool:
        address = _address(text)
        if address is None:
            return False
        return (address if address.version == wanted.version else meant(address)) in wanted

    return within


@lru_cache(maxsize=256)
def _address(text: str) -> Address | None:
    """The address that the text is. Rules ask about many networks at once: each text is read once."""
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def _compared(leaf: Leaf) -> Callable[[str], bool]:
    operator, threshold = _OPERATORS[leaf.detail], _number(leaf.value)

    def compared(text: str) -> bool:
        number = _number(text)
        return number is not None and operator(number, threshold)

    return compared


def _number(text: str) -> float | int | None:
    # int() of a very long text is quadratic (CVE-2020-10735): no number a rule compares has so many digits.
    if len(text) > 64 or "_" in text:  # 1_000 is a number in Python's own notation only
        return None
    try:
        return int(text)
    except ValueError:
        pass
    with suppress(ValueError):
        if isfinite(number := float(text)):  # a text such as "Infinity" is none
            return number
    return None


_PARTS_OF_TIME: dict[str, Callable[[datetime], int]] = {
    "minute": lambda moment: moment.minute,
    "hour": lambda moment: moment.hour,
    "day": lambda moment: moment.day,
    "week": lambda moment: moment.isocalendar().week,
    "month": lambda moment: moment.month,
    "year": lambda moment: moment.year,
}


def _timed(leaf: Leaf) -> Callable[[str], bool]:
    part, operator = leaf.detail.split()
    of, compare, wanted = _PARTS_OF_TIME[part], _OPERATORS[operator], int(float(leaf.value))

    def timed(text: str) -> bool:
        moment = _moment(text)
        return moment is not None and compare(of(moment), wanted)

    return timed


def _moment(text: str) -> datetime | None:
    """A date and time as written (its own zone), or seconds, milliseconds or microseconds since 1970 (UTC)."""
    number = _number(text)
    try:
        if number is None:
            return datetime.fromisoformat(text.strip())
        if abs(number) < 1e4:  # a bare year is no instant
            return None
        scale = 1 if abs(number) < 1e11 else 1_000 if abs(number) < 1e14 else 1_000_000
        return datetime.fromtimestamp(number / scale, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


# -- two fields ---------------------------------------------------------------------------------------------------


def refers(leaf: Leaf, fields: Mapping[str, Any]) -> bool:
    """Whether a `LeafKind.FIELDREF` leaf holds: one field's text against another's, without regard to case."""
    value, other = fields.get(leaf.field), fields.get(leaf.value)
    if value.__class__ is str and other.__class__ is str:
        return _related(small(value), small(other), leaf.detail)
    others = [small(each) for each in texts_of(other)]
    return any(_related(small(text), other, leaf.detail) for text in texts_of(value) for other in others)


def _related(text: str, other: str, how: str) -> bool:
    match how:
        case "contains":
            return other in text
        case "startswith":
            return text.startswith(other)
        case "endswith":
            return text.endswith(other)
    return text == other
