"""Records of Linux's audit daemon: ``type=SYSCALL msg=audit(1604996384.965:93777): …`` becomes fields.

A field is written in quotes, or as hexadecimal where it holds what quotes could not (the kernel's
``audit_log_untrustedstring``); both are read. A program that was started is told by several records of one number:
given together, one a line, they also tell Image, CommandLine, CurrentDirectory and User, as ``process_creation`` does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rempart.events.event import LogSource
from rempart.events.line import MAX_LINE, capped
from rempart.instants import Instant

RECORDS = LogSource(product="linux", service="auditd")
STARTS = LogSource(product="linux", category="process_creation", service="auditd")

_HEAD = re.compile(
    r"(?:node=(?P<node>\S{1,255}) )?type=(?P<type>[A-Z0-9_]{2,40}) (?:msg=)?"
    r"audit\((?P<second>\d{1,10})\.(?P<milli>\d{3}):(?P<serial>\d{1,20})\): ?(?P<rest>.*)",
    re.DOTALL,
)
_SERIAL = re.compile(
    rb"(?:node=(\S{1,255}) )?type=([A-Z0-9_]{2,40}) msg=(audit\(\d{1,10}\.\d{3}:\d{1,20}\)):"
)
_WORD = re.compile(r"""([A-Za-z][\w.-]{0,40}(?:\[\d{1,4}\])?)=("[^"]*"|'[^']*'|\S*)""")
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_COMMAND = re.compile(r"\bcmdline=(.*) redactors=", re.DOTALL)  # with quotes in quotes
_ARGUMENT = re.compile(r"a(\d{1,4})(?:\[\d{1,4}\])?")
_PIECE = re.compile(r"\b(a\d{1,4})\[\d{1,4}\]=")
_ENCODED = frozenset({"acct", "cmd", "comm", "cwd", "data", "exe", "key", "name", "path", "proctitle"})
_STARTING = frozenset({"execve", "execveat"})
# The calls that rules name, by number: where auditd does not write names (log_format = RAW).
_CALLS = {
    "c000003e": {
        2: "open", 41: "socket", 42: "connect", 59: "execve", 90: "chmod", 92: "chown", 99: "sysinfo", 101: "ptrace",
        103: "syslog", 133: "mknod", 135: "personality", 165: "mount", 175: "init_module", 176: "delete_module",
        188: "setxattr", 257: "openat", 259: "mknodat", 313: "finit_module", 319: "memfd_create", 322: "execveat",
    },
    "c00000b7": {
        5: "setxattr", 33: "mknodat", 40: "mount", 56: "openat", 92: "personality", 105: "init_module",
        106: "delete_module", 116: "syslog", 117: "ptrace", 179: "sysinfo", 198: "socket", 203: "connect",
        221: "execve", 273: "finit_module", 279: "memfd_create", 281: "execveat",
    },
}  # fmt: skip

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What one record, or several of one number, say."""

    logsource: LogSource
    fields: Fields
    time: Instant
    pieces: frozenset[str] = frozenset()
    """Arguments of a started program that are told in several pieces."""


def parse(text: str) -> AuditRecord | None:
    """The record, or the records of one number on lines of their own; None when the first is no audit record."""
    first, *others = (_one(line) for line in text.split("\n"))
    if first is None:
        return None
    parts: dict[str, Fields] = {}
    for other in filter(None, others):
        part = parts.setdefault(other.fields["type"], {})
        for name, value in other.fields.items():  # a long argument goes on in the next record
            piece = name in part and name in other.pieces
            part[name] = capped(part[name] + value) if piece else part.get(name, value)
    started = _started(first.fields, parts)
    return AuditRecord(STARTS, first.fields | started, first.time) if started else first


def _one(line: str) -> AuditRecord | None:
    head = _HEAD.fullmatch(line)
    if head is None:
        return None
    kind = head["type"]
    fields = {"type": kind} | _words(head["rest"].replace("\x1d", " "), kind)
    if head["node"]:
        fields["node"] = head["node"]
    named = _CALLS.get(str(fields.get("arch")), {}).get(_number(fields.get("syscall")))
    if kind == "AUOMS_EXECVE":  # Microsoft's agent joins the records itself and names the call
        named = str(fields.get("syscall", ""))
        if command := _COMMAND.search(head["rest"]):
            fields["cmdline"] = capped(command[1].removeprefix('"').removesuffix('"'))
    if named:
        fields.setdefault("SYSCALL", named)
    time = Instant(int(head["second"]) * 1_000_000 + int(head["milli"]) * 1000)
    pieces = frozenset(_PIECE.findall(head["rest"])) if kind == "EXECVE" else frozenset()
    return AuditRecord(RECORDS, fields, time, pieces)


def _words(text: str, kind: str) -> Fields:
    fields: Fields = {}
    for name, said in _WORD.findall(text):
        if said[:1] == "'":  # what a program reported: words within words
            fields |= _words(said[1:-1], kind)
        elif said not in ("", "(null)", "?"):
            _put(fields, name, said, kind)
    return fields


def _put(fields: Fields, name: str, said: str, kind: str) -> None:
    argument = _ARGUMENT.fullmatch(name) if kind == "EXECVE" else None
    word = _decoded(said) if name in _ENCODED or argument else said.strip('"')
    if argument and "[" in name:  # a long argument comes in pieces
        word, name = str(fields.get(f"a{argument[1]}", "")) + word, f"a{argument[1]}"
    elif name == "key" and "\x01" in word:
        fields[name] = word.split("\x01")
        return
    fields[name] = capped(word)


def _decoded(said: str) -> str:
    """What was in quotes, or in hexadecimal."""
    if said[:1] == '"':
        return said[1:-1]
    if _HEX.fullmatch(said):
        return bytes.fromhex(said).decode("utf-8", "backslashreplace").replace("\0", " ").strip()
    return said


def _number(said: object) -> int:
    return int(said) if isinstance(said, str) and said.isdecimal() and len(said) < 6 else -1


def _started(call: Fields, parts: Mapping[str, Fields]) -> Fields:
    """The words of a program that was started; none where it was not."""
    if call.get("SYSCALL") not in _STARTING or call.get("success") == "no" or "exe" not in call:
        return {}
    ran, place = parts.get("EXECVE", {}), parts.get("CWD", call)
    if not ran and "cmdline" not in call:
        return {}
    arguments = [str(word) for name, word in ran.items() if _ARGUMENT.fullmatch(name)]
    words = {
        "Image": call["exe"],
        "CommandLine": capped(" ".join(arguments)) or call.get("cmdline"),
        "CurrentDirectory": place.get("cwd"),
        "User": call.get("UID")
        or call.get("user")
        or ("root" if call.get("uid") == "0" else call.get("uid")),
        "ProcessId": call.get("pid"),
        "ParentProcessId": call.get("ppid"),
    }
    return {name: word for name, word in words.items() if word is not None}


# -- joining ------------------------------------------------------------------------------------------------------

_JOINED = frozenset({b"EXECVE", b"CWD", b"PROCTITLE"})
_LAST = frozenset({b"PROCTITLE", b"EOE"})
_KEPT = 64


def join(lines: list[bytes]) -> list[bytes]:
    """The same lines; to one that tells of a system call those that tell what was started are added, as far as a
    decoder reads: endless arguments hide nothing.

    The others stay where they are too: rules for ``auditd`` are about single records.
    """
    calls: dict[Call, int] = {}
    joined = list(lines)
    for index, line in enumerate(lines):
        kind, call = _record(line)
        if kind == b"SYSCALL":
            calls[call] = index
        elif kind in _JOINED and index - (first := calls.get(call, -_KEPT)) < _KEPT:
            whole = joined[first] + b"\n" + line
            joined[first] = whole if len(whole) <= MAX_LINE else joined[first]
    return joined


def unfinished(lines: list[bytes]) -> int:
    """How many lines at the end begin with a system call whose last record has not come; at most `_KEPT`.

    The kernel writes PROCTITLE last; records of two calls may stand between one another.
    """
    calls: dict[Call, int] = {}
    for index, line in enumerate(lines[-_KEPT:], max(0, len(lines) - _KEPT)):
        kind, call = _record(line)
        if kind == b"SYSCALL":
            calls[call] = index
        elif kind in _LAST:
            calls.pop(call, None)
    return len(lines) - min(calls.values(), default=len(lines))


Call = tuple[bytes | None, bytes]
"""The machine, where records name it, and what all records of one call have in common."""


def _record(line: bytes) -> tuple[bytes, Call]:
    """What kind of record it is, and of which call; nothing when the line is none."""
    found = _SERIAL.match(line)
    return (found[2], (found[1], found[3])) if found else (b"", (None, b""))
