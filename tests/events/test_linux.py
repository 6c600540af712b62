"""What programs on Linux say, in the words of Sigma's categories where they say what these are about."""

import pytest

from rempart.events.decode import DECODERS
from rempart.events.event import Event, LogSource

HEAD = b"2026-11-26T03:00:00+01:00 home "
ASKED = {"query": "c2.example.com", "record_type": "TXT", "src_ip": "10.0.2.7"}
FOUND = {"Filename": "/srv/a: b.exe", "Signature": "Win.Trojan.X-1"}


@pytest.mark.parametrize(
    ("line", "logsource", "fields"),
    [
        (
            b"named[7]: client @0x7f1c 10.0.2.7#53210 (c2.example.com): query: C2.example.com IN TXT +E(0)K (10.0.2.1)",
            LogSource("linux", "dns", "named"),
            ASKED,
        ),
        (
            b"named[7]: client 10.0.2.7#1 (c2.example.com): view inside: query: c2.example.com IN TXT + (10.0.2.1)",
            LogSource("linux", "dns", "named"),
            ASKED,
        ),
        (
            b"unbound[7]: [7:0] info: 10.0.2.7 c2.example.com. TXT IN",
            LogSource("linux", "dns", "unbound"),
            ASKED,
        ),
        (
            b"unbound: [7:1f] reply: 10.0.2.7 c2.example.com. TXT IN NOERROR 0.000000 0 62",
            LogSource("linux", "dns", "unbound"),
            ASKED,
        ),
        (b"unbound: [7:0] info: service stopped", LogSource("linux", None, "unbound"), {}),
        (b"named[7]: zone example.com/IN: loaded", LogSource("linux", None, "named"), {}),
        (
            b"clamd[7]: /srv/a: b.exe: Win.Trojan.X-1 FOUND",
            LogSource("linux", "antivirus", "clamav"),
            FOUND,
        ),
        (b"clamd[7]: SelfCheck: Database status OK.", LogSource("linux", None, "clamav"), {}),
        (b"sh: /srv/a: b.exe: Win.Trojan.X-1 FOUND", LogSource("linux", None, "syslog"), {}),
    ],
)
def test_names_asked_for_and_viruses_found(line: bytes, logsource: LogSource, fields: dict[str, str]) -> None:
    event = DECODERS["syslog"](HEAD + line, "syslog", 1)
    assert isinstance(event, Event)
    assert event.logsource == logsource
    for name in (*ASKED, *FOUND):
        assert event.fields.get(name) == fields.get(name)
    assert event.fields["message"]
