"""Reads the files of the FTP server vsftpd: its own, and transfers as wu-ftpd wrote them (xferlog)."""

import re

from rempart.events import line as lines
from rempart.events.event import Event, LogSource

LOGSOURCE = LogSource(product="linux", service="vsftpd")

_HEAD = r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} "
_SAID = re.compile(
    _HEAD + r"\[pid \d{1,10}\] (?P<message>(?:\[(?P<user>[^\]]{0,255})\] )?(?P<rest>.*))", re.DOTALL
)
_DONE = re.compile(
    r'(?:(?P<outcome>OK|FAIL) )?(?P<act>[A-Z]{2,16}): Client "(?P<ip>[0-9A-Fa-f.:]{2,45})"(?:, "(?P<file>[^"]*)")?.*',
    re.DOTALL,
)
_TRANSFER = re.compile(
    _HEAD
    + r"\d{1,9} (?P<host>\S{1,255}) (?P<size>\d{1,18}) (?P<file>.{1,4096}) [ab] [_CUT] (?P<way>[iod]) [agr] "
    r"(?P<user>\S{1,255}) \S{1,32} [01] \S{1,255} (?P<done>[ci])",
    re.DOTALL,
)
_WAYS = {"i": "UPLOAD", "o": "DOWNLOAD", "d": "DELETE"}
_OUTCOMES = {"OK": "success", "FAIL": "failure", "c": "success", "i": "failure"}


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is none of vsftpd's.

    The fields are ``message`` (without time and process), ``user``, ``src_ip``, ``act``, ``file`` and ``outcome``. Its
    times name no zone, so the event has none.
    """
    text = lines.text(line, source, record)
    if found := _TRANSFER.fullmatch(text):
        words = {
            "user": found["user"],
            "src_ip": found["host"],
            "act": _WAYS[found["way"]],
            "file": found["file"],
        }
        words |= {"message": text[25:], "outcome": _OUTCOMES[found["done"]]}
    elif found := _SAID.fullmatch(text):
        words = {"message": found["message"], "user": found["user"] or ""}
        if done := _DONE.fullmatch(found["rest"]):
            words |= {"src_ip": done["ip"], "act": done["act"], "file": done["file"] or ""}
            words["outcome"] = _OUTCOMES.get(done["outcome"] or "", "")
    else:
        raise lines.refused("this is no line of vsftpd's", source, record)
    fields = {name: lines.capped(word) for name, word in words.items() if word}
    return Event(LOGSOURCE, fields, source, record)
