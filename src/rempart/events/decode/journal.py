"""Reads syslog kept as JSON: journald's export (``journalctl -o json``) and Log Analytics' table Syslog."""

from rempart.events import document as documents
from rempart.events import line as lines
from rempart.events import linux
from rempart.events.event import Event
from rempart.instants import Instant


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one record. Raises `rempart.errors.DecodeError` when it is of neither kind.

    journald writes a message that is not UTF-8 as a list of bytes.
    """
    said = documents.read(line, source, record)
    if message := documents.word(said, "SyslogMessage"):
        program, host = documents.word(said, "ProcessName"), documents.word(said, "HostName")
        time = documents.moment(said.get("EventTime") or said.get("TimeGenerated"))
        saying = linux.said(program, message, host=host)
    elif "__REALTIME_TIMESTAMP" in said and "MESSAGE" in said:
        program = documents.word(said, "SYSLOG_IDENTIFIER") or documents.word(said, "_COMM")
        pid = documents.word(said, "SYSLOG_PID") or documents.word(said, "_PID")
        time = _microseconds(documents.word(said, "__REALTIME_TIMESTAMP"))
        saying = linux.said(
            program, _message(said["MESSAGE"]), host=documents.word(said, "_HOSTNAME"), pid=pid
        )
    else:
        raise lines.refused(
            "this is neither journald's JSON nor a record of the table Syslog", source, record
        )
    return Event(
        saying.logsource, saying.fields, source, record, time if saying.time is None else saying.time
    )


def _message(message: object) -> str:
    if isinstance(message, list):
        return bytes(each for each in message if isinstance(each, int) and 0 <= each < 256).decode(
            "utf-8", "backslashreplace"
        )
    return message if isinstance(message, str) else ""


def _microseconds(text: str) -> Instant | None:
    return Instant(int(text)) if text.isdecimal() and len(text) <= 17 else None
