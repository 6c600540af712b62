"""One pure decoder for each kind of log, found by the name that ``site.toml`` gives."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from rempart.errors import DecodeError, DecoderFailed, kind_and_place
from rempart.events.decode import (
    apache,
    auditd,
    azure,
    bind,
    bitbucket,
    cef,
    cisco,
    cloudtrail,
    dnsmasq,
    duo,
    fortigate,
    gcp,
    github,
    haproxy,
    iis,
    journal,
    juniper,
    kubernetes,
    leef,
    m365,
    macos,
    nginx,
    okta,
    onelogin,
    opencanary,
    opnsense,
    paloalto,
    squid,
    sshd,
    suricata,
    syslog,
    ulogd,
    vsftpd,
    windows,
    zeek,
)
from rempart.events.event import Event

_Line = TypeVar("_Line", bytes, str)

Decoder = Callable[[bytes, str, int], Event | None]
"""``decode(line, source, record)``: the line's event, or None when the line is of the right kind but says nothing of
interest. Raises `rempart.errors.DecodeError`, and nothing else, when the line is not of that kind.

``source`` and ``record`` (line number from 1) say where the line was read. The event's time is None where the line
names none; whoever collected it then gives it the instant at which it was read."""

DECODERS: Mapping[str, Decoder] = {
    "auditd": auditd.decode,
    "azure": azure.decode,
    "bind": bind.decode,
    "bitbucket": bitbucket.decode,
    "cef": cef.decode,
    "cisco": cisco.decode,
    "cloudtrail": cloudtrail.decode,
    "dnsmasq": dnsmasq.decode,
    "duo": duo.decode,
    "fortigate": fortigate.decode,
    "gcp": gcp.decode,
    "github": github.decode,
    "haproxy": haproxy.decode,
    "iis": iis.decode,
    "journal": journal.decode,
    "juniper": juniper.decode,
    "kubernetes": kubernetes.decode,
    "leef": leef.decode,
    "m365": m365.decode,
    "macos": macos.decode,
    "nginx": nginx.decode,
    "squid": squid.decode,
    "apache": apache.decode,  # after nginx and squid: what is in their formats is their own
    "okta": okta.decode,
    "onelogin": onelogin.decode,
    "opencanary": opencanary.decode,
    "opnsense": opnsense.decode,
    "paloalto": paloalto.decode,
    "sshd": sshd.decode,
    "suricata": suricata.decode,
    "syslog": syslog.decode,
    "ulogd": ulogd.decode,
    "vsftpd": vsftpd.decode,
    "windows-json": windows.decode,
    "zeek": zeek.decode,
}
"""In the order in which `rempart detect` tries them. No two read the same line, but for nginx, squid and apache, and
syslog, which reads what any program writes with a syslog head."""


def decoded(
    decode: Callable[[_Line, str, int], Event | None], line: _Line, source: str, record: int
) -> Event | None:
    """What a decoder makes of a line. Raises `DecodeError`, also when the decoder fails: hostile bytes chose the line.

    A defect of one decoder costs the lines that meet it, never whoever reads: `DecoderFailed` says where it is.
    """
    try:
        return decode(line, source, record)
    except DecodeError:
        raise
    except Exception as defect:
        raise DecoderFailed(
            f"a decoder failed on this line: {kind_and_place(defect)}",
            where=f"{source}:{record}",
            now="The line is kept. Tell the maintainers, without the line: it may hold names.",
        ) from defect
