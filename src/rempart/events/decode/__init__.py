"""One pure decoder for each kind of log, found by the name that ``site.toml`` gives."""

from collections.abc import Callable, Mapping

from rempart.events.decode import dnsmasq, haproxy, nginx, sshd, syslog, ulogd, windows
from rempart.events.event import Event

Decoder = Callable[[bytes, str, int], Event | None]
"""``decode(line, source, record)``: the line's event, or None when the line is of the right kind but says nothing of
interest. Raises `rempart.errors.DecodeError`, and nothing else, when the line is not of that kind.

``source`` and ``record`` (line number from 1) say where the line was read. The event's time is None where the line
names none; whoever collected it then gives it the instant at which it was read."""

DECODERS: Mapping[str, Decoder] = {
    "dnsmasq": dnsmasq.decode,
    "haproxy": haproxy.decode,
    "nginx": nginx.decode,
    "sshd": sshd.decode,
    "syslog": syslog.decode,
    "ulogd": ulogd.decode,
    "windows-json": windows.decode,
}
