"""Reads lists of indicators from files: plain lists, MISP's feed format and CSV, STIX 2.1 bundles. It fetches nothing.

A list comes from strangers, and so do its mistakes: every file, line and number of rows is bounded, what is not
understood is counted and named, and the rest is read. How long a row holds when the list does not say: an address 90
days, a domain or URL a year, after it was last seen or the file was written; a hash for ever.
"""

import csv
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from rempart.detection.indicator import Indicator, IndicatorKind
from rempart.errors import InputRefused, Problem
from rempart.instants import Duration, Instant, after, hours, parse_rfc3339, seconds

MAX_ROWS = 2_000_000
"""Indicators read at most, of all lists together."""
MAX_DOCUMENT = 64 << 20
"""Bytes of one JSON file, which must be read whole."""
MAX_LIST = 512 << 20
"""Bytes read of one plain list or CSV, which is read line by line."""
MAX_LINE = 8_192
MAX_FILES = 20_000
MAX_PATTERN = 65_536
"""Characters of one STIX pattern."""

LIFETIME: dict[IndicatorKind, Duration | None] = {
    IndicatorKind.ADDRESS: hours(90 * 24),
    IndicatorKind.DOMAIN: hours(365 * 24),
    IndicatorKind.URL: hours(365 * 24),
    IndicatorKind.HASH: None,
}
_PASSED_OVER = frozenset(
    {"manifest.json", "hashes.csv"}
)  # of a MISP feed: an index and MD5 sums of what it holds
_LATEST_SECOND = 253_402_300_799


@dataclass(slots=True)
class Reading:
    """What was read: go through ``rows`` once, then ``problems`` tells what was left out."""

    paths: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)
    _given: int = 0

    def rows(self) -> Iterator[Indicator]:
        """The indicators of all files, `MAX_ROWS` at most."""
        for file in self._files():
            yield from self._bounded(file)

    def _files(self) -> Iterator[Path]:
        """Plain files only: a pipe or device could keep us for ever."""
        for path in self.paths:
            root = Path(path)
            found = [root] if root.is_file() else self._below(root)
            yield from (file for file in found if file.name not in _PASSED_OVER)

    def _below(self, root: Path) -> list[Path]:
        found: list[Path] = []
        for folder, folders, names in os.walk(root, onerror=self._unreadable):
            folders.sort()
            found += [Path(folder, name) for name in sorted(names) if not name.startswith(".")]
            if len(found) > MAX_FILES:
                self._problem(root, f"more than {MAX_FILES} files; the rest is left out", "Name fewer lists.")
                break
        return [file for file in found[:MAX_FILES] if stat.S_ISREG(file.lstat().st_mode)]

    def _unreadable(self, fault: OSError) -> None:
        self._problem(Path(fault.filename), f"cannot be read: {fault.strerror}", "Let watch read it.")

    def _bounded(self, file: Path) -> Iterator[Indicator]:
        skipped = 0
        try:
            for row in _rows(file):
                if row is None:
                    skipped += 1
                    continue
                if self._given >= MAX_ROWS:
                    self._problem(
                        file, f"more than {MAX_ROWS} indicators; the rest is left out", "Name fewer lists."
                    )
                    return
                self._given += 1
                yield row
        except (OSError, ValueError, RecursionError, csv.Error) as fault:
            self._problem(file, f"cannot be read: {str(fault)[:200]!a}", "Mend the list or leave it out.")
        if skipped:
            self._problem(file, f"{skipped} rows are no indicator that is understood", "The others are used.")

    def _problem(self, file: Path, what: str, mend: str) -> None:
        self.problems.append(Problem(what, str(file), mend))


def read(paths: Sequence[str]) -> Reading:
    """The lists at or below the paths, files in order of name.

    Raises `InputRefused` when a path is missing: a list that is not there looks like a list without hits.
    """
    for path in paths:
        if not Path(path).exists():
            raise InputRefused(
                "there is no such file or folder", where=path, now="Name a list, or a folder of lists."
            )
    return Reading(tuple(paths))


def _rows(file: Path) -> Iterator[Indicator | None]:
    """The rows of one file; None for one that is not understood. Raises OSError or ValueError."""
    status = file.stat()
    written = Instant(status.st_mtime_ns // 1000)
    with file.open("rb") as stream:
        first = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if first in (b"{", b"["):
        if status.st_size > MAX_DOCUMENT:
            raise ValueError(f"a JSON file of more than {MAX_DOCUMENT >> 20} MiB")
        yield from _document(
            orjson.loads(file.read_bytes().removeprefix(b"\xef\xbb\xbf")), file.name, written
        )
    else:
        if status.st_size > MAX_LIST:
            raise ValueError(f"a list of more than {MAX_LIST >> 20} MiB")
        yield from _list(_lines(file), file.name, written)


def _lines(file: Path) -> Iterator[str]:
    """The lines of a file; one that is too long comes in pieces, none of which is an indicator."""
    with file.open("r", encoding="utf-8-sig", errors="replace", newline="\n") as stream:
        while line := stream.readline(MAX_LINE):
            yield line.replace("\x00", "")


def _row(
    kind: IndicatorKind, value: str, source: str, seen: Instant, until: Instant | None = None
) -> Indicator:
    """One row. A URL without a path is its host; what only an administrator would write, defanged, is mended."""
    value = value.strip().replace("[.]", ".").replace("hxxp", "http", 1)
    if kind is IndicatorKind.URL:
        host, _, path = value.partition("://")[2].partition("/") if "://" in value else value.partition("/")
        if not path and host:
            kind, value = kind_of(host) or IndicatorKind.DOMAIN, host
    lifetime = LIFETIME[kind]
    return Indicator(kind, value, source, until or (after(seen, lifetime) if lifetime else None))


_ADDRESS = re.compile(
    r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?|\[?[0-9A-Fa-f:.]{0,45}:[0-9A-Fa-f:.]{0,45}\]?(?:/\d{1,3})?"
)
_HASH = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128}")
_DOMAIN = re.compile(r"[^\s/:@\[\]'\"]{1,253}\.[^\s/:@.\[\]'\"]{2,63}\.?")


def kind_of(value: str) -> IndicatorKind | None:
    """What a bare value is, by its looks; None when it looks like nothing known."""
    if _ADDRESS.fullmatch(value):
        return IndicatorKind.ADDRESS
    if _HASH.fullmatch(value):
        return IndicatorKind.HASH
    if value.lower().startswith(("http://", "https://", "hxxp://", "hxxps://", "ftp://")):
        return IndicatorKind.URL
    if _DOMAIN.fullmatch(value):
        return IndicatorKind.DOMAIN
    return IndicatorKind.URL if "/" in value and "." in value.partition("/")[0] else None


# -- plain lists and CSV -------------------------------------------------------------------------------------------


def _list(lines: Iterator[str], source: str, written: Instant) -> Iterator[Indicator | None]:
    first = next(lines, "")
    header = [word.strip().strip('"').lower() for word in first.split(",")]
    if "type" in header and "value" in header:
        yield from _misp_csv(lines, header, source, written)
        return
    yield from _plain(first, source, written)
    for line in lines:
        yield from _plain(line, source, written)


_NOWHERE = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104  # where a hosts file sends bad names


def _plain(line: str, source: str, written: Instant) -> Iterator[Indicator | None]:
    """One a line, what follows a blank, comma or semicolon is remark; also the lines of a hosts file."""
    words = re.split(r"[\s,;]+", line.strip(), maxsplit=2)
    if not words[0] or words[0].startswith(("#", "//", "!")):
        return
    value = words[1] if words[0] in _NOWHERE and len(words) > 1 else words[0]
    value = value.strip("\"'").replace("[.]", ".")
    kind = kind_of(value) if len(line) < MAX_LINE else None
    yield _row(kind, value, source, written) if kind else None


def _misp_csv(
    lines: Iterator[str], header: list[str], source: str, written: Instant
) -> Iterator[Indicator | None]:
    """MISP's CSV export: one attribute a line, under a header."""
    for words in csv.reader(lines):
        said = dict(zip(header, words, strict=False))
        if said:
            yield from _attribute(said, source, written)


# -- MISP ----------------------------------------------------------------------------------------------------------

_A, _D, _U, _H = IndicatorKind.ADDRESS, IndicatorKind.DOMAIN, IndicatorKind.URL, IndicatorKind.HASH
_MISP: dict[str, tuple[IndicatorKind | None, ...]] = {
    **dict.fromkeys(("ip-src", "ip-dst", "ip"), (_A,)),
    **dict.fromkeys(("ip-src|port", "ip-dst|port"), (_A, None)),
    **dict.fromkeys(("domain", "hostname"), (_D,)),
    "hostname|port": (_D, None),
    "domain|ip": (_D, _A),
    **dict.fromkeys(("url", "uri", "link"), (_U,)),
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512", "imphash"), (_H,)),
    **dict.fromkeys(
        (f"filename|{each}" for each in ("md5", "sha1", "sha256", "sha512", "imphash")), (None, _H)
    ),
}
"""MISP attribute type -> what each part of its value is, parts being divided by a bar."""


def _attribute(said: dict[str, Any], source: str, seen: Instant) -> Iterator[Indicator | None]:
    """The indicators of one attribute. Those that MISP says are no ground for detection are left out in silence."""
    if str(said.get("to_ids", "1")).lower() not in ("1", "true") or said.get("deleted") is True:
        return
    kinds, value = _MISP.get(str(said.get("type"))), said.get("value")
    if kinds is None or not isinstance(value, str) or len(value) > MAX_LINE:
        yield None
        return
    when = _unix(said.get("last_seen") or said.get("timestamp") or said.get("date")) or seen
    for kind, part in zip(kinds, value.split("|"), strict=False):
        if kind is not None:
            yield _row(kind, part, source, when)


def _unix(value: object) -> Instant | None:
    """Seconds since 1970 as MISP writes them (text or number), or an RFC 3339 time."""
    text = str(value) if value is not None else ""
    if text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= _LATEST_SECOND:
        return Instant(seconds(int(text)))
    return _instant(value)


def _instant(value: object) -> Instant | None:
    try:
        return parse_rfc3339(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _misp_event(event: Any, name: str, written: Instant) -> Iterator[Indicator | None]:
    if not isinstance(event, dict):
        yield None
        return
    source = f"{name}: {str(event.get('info', ''))[:80]}"
    for holder in (event, *_dicts(event.get("Object"))):
        for attribute in _dicts(holder.get("Attribute")):
            yield from _attribute(attribute, source, written)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _document(document: Any, name: str, written: Instant) -> Iterator[Indicator | None]:
    """A JSON file: a STIX bundle, a MISP event, several of them, or a bare list of values."""
    match document:
        case {"type": "bundle", "objects": list(objects)}:
            for each in _dicts(objects):
                if each.get("type") == "indicator":
                    yield from _stix(each, name, written)
        case {"Event": event}:
            yield from _misp_event(event, name, written)
        case {"response": {"Attribute": list(attributes)}}:
            for each in _dicts(attributes):
                yield from _attribute(each, name, written)
        case {"response": list(events)} | list(events):
            for each in events:
                yield from (
                    _plain(each, name, written)
                    if isinstance(each, str)
                    else _misp_event(each.get("Event") if isinstance(each, dict) else None, name, written)
                )
        case _:
            raise ValueError("neither a STIX bundle nor a MISP event nor a list of values")


# -- STIX 2.1 ------------------------------------------------------------------------------------------------------

_COMPARISON = re.compile(
    r"(?P<path>[a-z0-9-]{1,40}:[A-Za-z0-9_.\-\[\]*']{1,120})\s*(?P<how>=|ISSUBSET|IN)\s*"
    r"(?P<set>\(?)\s*(?P<texts>'(?:[^'\\]|\\.)*'(?:\s*,\s*'(?:[^'\\]|\\.)*')*)\s*\)?"
)
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
_STIX = (
    (re.compile(r"(?:ipv4-addr|ipv6-addr):value"), _A),
    (re.compile(r"domain-name:value"), _D),
    (re.compile(r"url:value"), _U),
    (re.compile(r"(?:file|artifact):hashes\.'?(?:MD5|SHA-?1|SHA-?256|SHA-?512)'?", re.IGNORECASE), _H),
)


def _stix(said: dict[str, Any], name: str, written: Instant) -> Iterator[Indicator | None]:
    """The rows of one indicator object: comparisons joined by OR. One that asks for more (AND, FOLLOWEDBY, NOT) is
    not understood: half of its condition would accuse too many.
    """
    if said.get("revoked") is True:
        return
    pattern = said.get("pattern")
    if said.get("pattern_type", "stix") != "stix" or not isinstance(pattern, str):
        yield None
        return
    seen = _instant(said.get("valid_from")) or written
    source = f"{name}: {str(said.get('name', ''))[:80]}"
    until = _instant(said.get("valid_until"))
    for pair in pattern_values(pattern):
        yield _row(pair[0], pair[1], source, seen, until) if pair else None


def pattern_values(pattern: str) -> list[tuple[IndicatorKind, str] | None]:
    """What a STIX pattern of simple comparisons names; one None when it is not of that kind."""
    found: list[tuple[IndicatorKind, str] | None] = []
    at = 0
    if len(pattern) > MAX_PATTERN or not pattern.strip().startswith("["):
        return [None]
    for comparison in _COMPARISON.finditer(pattern):
        kind = next((kind for path, kind in _STIX if path.fullmatch(comparison["path"])), None)
        joined = re.sub(r"[\s\[\]()]", "", pattern[at : comparison.start()])
        if kind is None or joined != ("OR" if found else ""):
            return [None]
        values = [re.sub(r"\\(.)", r"\1", text) for text in _TEXT.findall(comparison["texts"])]
        found += [(kind_of(value) or kind if kind is _U else kind, value) for value in values]
        at = comparison.end()
    rest = re.sub(r"[\s\[\]()]", "", pattern[at:])
    return found if found and not rest else [None]
