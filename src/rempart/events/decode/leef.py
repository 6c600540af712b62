"""Reads QRadar's Log Event Extended Format (LEEF), in which devices of many makers say what they saw."""

import re

from rempart.events import device
from rempart.events import line as lines
from rempart.events.event import Event

_HEAD = re.compile(
    r"(?:^|[\s:])LEEF: ?(?P<version>[12])(?:\.0)?\|(?P<vendor>[^|]{0,256})\|(?P<product>[^|]{0,256})\|"
    r"(?P<release>[^|]{0,256})\|(?P<id>[^|]{0,256})\|"
)
_MARK = re.compile(r"(?:(?:0?x)(?P<code>[0-9A-Fa-f]{1,4})|(?P<sign>[^|=\w]))?\|")
_BEFORE = 4_096
"""Characters in which the head ends."""
_KEYS = 1_000


def decode(line: bytes, source: str, record: int) -> Event:
    """The event of one line. Raises `rempart.errors.DecodeError` when it is no LEEF.

    Names are LEEF's; beside them stand those of Sigma's categories (`rempart.events.device`). A syslog head is passed
    over. Attributes are parted by tabs, or by what the head of version 2.0 says.
    """
    text = lines.text(line, source, record)
    head = _HEAD.search(text[:_BEFORE])
    if head is None:
        raise lines.refused("this is no line in LEEF", source, record)
    mark, at = "\t", head.end()
    if head["version"] == "2" and (told := _MARK.match(text, at)):
        at = told.end()
        mark = chr(int(told["code"], 16)) if told["code"] else told["sign"] or mark
    fields = {
        "deviceVendor": head["vendor"],
        "deviceProduct": head["product"],
        "deviceVersion": head["release"],
        "eventId": head["id"],
    }
    for word in text[at:].split(mark, _KEYS)[:_KEYS]:
        name, equals, value = word.strip().partition("=")
        if equals and name and value and len(name) <= 64:
            fields.setdefault(name, lines.capped(value))
    return device.event(head["vendor"], fields, source, record)
