"""Reads ArcSight's Common Event Format (CEF), in which devices of many makers say what they saw."""

import re

from rempart.events import device
from rempart.events import line as lines
from rempart.events.event import Event

_HEAD = re.compile(r"(?:^|[\s:])CEF: ?[01]\|")
_PART = re.compile(r"((?:[^\\|]|\\.){0,1024})\|", re.DOTALL)
_KEY = re.compile(r"(?:^|(?<=\s))([A-Za-z0-9_.\-\[\]]{1,64})=")
_ESCAPED = re.compile(r"\\([\\=|nr])")
_MEANT = {"n": "\n", "r": "\r"}
_HEADER = ("deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")
_LABEL = "Label"


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is no CEF.

    Names are CEF's; what stands in numbered fields (``cs1``) is there under its label too. Beside them stand those of
    Sigma's categories (`rempart.events.device`). A syslog head is passed over.
    """
    text = lines.text(line, source, record)
    begun = _HEAD.search(text[:_BEFORE])
    at = begun.end() if begun else -1
    words: list[str] = []
    while at >= 0 and len(words) < len(_HEADER) and (part := _PART.match(text, at)):
        words.append(_plain(part[1]))
        at = part.end()
    if len(words) < len(_HEADER):
        raise lines.refused("this is no line in CEF", source, record)
    fields = dict(zip(_HEADER, words, strict=True)) | _extension(text[at:])
    labels = {name: fields[name + _LABEL] for name in fields if name + _LABEL in fields}
    for name, label in labels.items():
        if len(label) <= _LONGEST_LABEL:
            fields.setdefault(label, fields[name])
    return device.event(words[0], fields, source, record)


_LONGEST_LABEL = 64
_BEFORE = 1_024
"""Characters in which the head ends."""


def _extension(text: str) -> dict[str, str]:
    """Keys and values: a value may hold blanks, and goes on until the next key."""
    keys = list(_KEY.finditer(text))[:_KEYS]
    ends = (*(key.start() for key in keys[1:]), len(text))
    return {
        key[1]: lines.capped(_plain(text[key.end() : end].strip()))
        for key, end in zip(keys, ends, strict=False)  # without a key there is an end all the same
        if text[key.end() : end].strip()
    }


_KEYS = 1_000


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text) if "\\" in text else text
