"""Reads what macOS says of started programs and of files: ``eslogger``, osquery, the unified log."""

from collections.abc import Mapping
from typing import Any

from rempart.errors import DecodeError
from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events.event import Event, LogSource

_CATEGORIES = {
    "exec": "process_creation",
    "create": "file_event",
    "rename": "file_rename",
    "unlink": "file_delete",
}
_SOURCES = {kind: LogSource("macos", category) for kind, category in _CATEGORIES.items()}
_OTHER = LogSource("macos")
_LOGGER = "com.apple.eslogger"
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "exec": {
        "Image": "path",
        "CommandLine": "cmdline",
        "CurrentDirectory": "cwd",
        "User": "username",
        "ProcessId": "pid",
        "ParentProcessId": "parent",
    },
    "create": {"TargetFilename": "filename", "Image": "path"},
    "rename": {"TargetFilename": "dest_filename", "SourceFilename": "filename", "Image": "path"},
    "unlink": {"TargetFilename": "filename", "Image": "path"},
}
"""osquery's names for Sigma's, in ``es_process_events`` and ``es_process_file_events``."""
Fields = dict[str, Any]


def decode(line: bytes, source: str, record: int) -> Event | None:
    """The event of one record; None for programs that ended or forked. Raises `rempart.errors.DecodeError` when it is
    no record of macOS.

    Started programs have ``Image``, ``CommandLine``, ``CurrentDirectory`` and, from ``eslogger``, ``ParentImage``: the
    program that was in the process before, which is the one that started it. Files have ``TargetFilename``,
    ``SourceFilename`` and ``Image``. Environments are left out: they hold secrets, and no rule is about them.
    """
    said = documents.read(line, source, record)
    if isinstance(said.get("columns"), dict):
        return _row(said, source, record)
    if said.get("subsystem") == _LOGGER:  # ``eslogger --oslog``
        said = documents.read(documents.word(said, "eventMessage").encode(), source, record)
    if (
        isinstance(said.get("event"), dict)
        and isinstance(said.get("process"), dict)
        and "schema_version" in said
    ):
        return _endpoint(said, source, record)
    if {"eventMessage", "processImagePath", "machTimestamp"} <= said.keys():
        return Event(_OTHER, documents.flat(said), source, record, documents.moment(said.get("timestamp")))
    raise _refused(source, record)


def _refused(source: str, record: int) -> DecodeError:
    return lines.refused("this is no record of macOS", source, record)


def _endpoint(said: Fields, source: str, record: int) -> Event:
    """One of ``eslogger``'s: ``event`` has one member, named for what happened."""
    kind, act = next(iter(said["event"].items()), ("", None))
    act = act if isinstance(act, dict) else {}
    act.pop("env", None)
    words = {"Image": _path(said["process"], "executable")}
    match kind:
        case "exec":
            words = _started(said["process"], act)
        case "create" | "rename":
            words |= {"TargetFilename": _destination(act), "SourceFilename": _path(act, "source")}
        case "unlink":
            words |= {"TargetFilename": _path(act, "target")}
    fields = documents.flat(said) | {name: word for name, word in words.items() if word not in ("", None)}
    return Event(_SOURCES.get(kind, _OTHER), fields, source, record, documents.moment(said.get("time")))


def _started(before: Fields, act: Fields) -> Fields:
    target = _inner(act, "target")
    args = act.get("args")
    return {
        "Image": _path(target, "executable"),
        "CommandLine": lines.capped(" ".join(map(str, args))) if isinstance(args, list) else "",
        "CurrentDirectory": _path(act, "cwd"),
        "ParentImage": _path(before, "executable"),
        "ProcessId": _number(_inner(target, "audit_token").get("pid")),
        "ParentProcessId": _number(target.get("ppid")),
    }


def _destination(act: Fields) -> str:
    """A file that was there before, or the folder and the name of a new one."""
    destination = _inner(act, "destination")
    new = _inner(destination, "new_path")
    if folder := _path(new, "dir"):
        return lines.capped(f"{folder.rstrip('/')}/{documents.word(new, 'filename')}")
    return _path(destination, "existing_file")


def _inner(of: Fields, name: str) -> Fields:
    part = of.get(name)
    return part if isinstance(part, dict) else {}


def _path(of: Fields, name: str) -> str:
    return lines.capped(documents.word(_inner(of, name), "path"))


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _row(said: Fields, source: str, record: int) -> Event | None:
    """A row of osquery's result log. Its tables of Endpoint Security are macOS' alone; they name no parent program."""
    columns = said["columns"]
    kind = columns.get("event_type")
    if not isinstance(kind, str) or not {"global_seq_num", "path", "pid"} <= columns.keys():
        raise _refused(source, record)
    if kind not in _COLUMNS or said.get("action") == "removed":
        return None
    columns.pop("env", None)
    own = documents.flat(columns)
    words = {
        name: own[column] for name, column in _COLUMNS[kind].items() if own.get(column) not in ("", None)
    }
    if host := documents.word(said, "hostIdentifier"):
        words["host"] = lines.capped(host)
    when = documents.moment(_seconds(columns.get("time", said.get("unixTime"))))
    return Event(_SOURCES[kind], own | words, source, record, when)


def _seconds(value: Any) -> Any:
    """Seconds as osquery writes them: in columns everything is text."""
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12
        else value
    )
