"""The configuration of ulogd, which writes what the kernel refuses and every flow that ends as lines of JSON.

Its own process, so that the bytes of hostile packets are parsed neither by the guard nor by watch.
"""

import re

from rempart.config import Places
from rempart.errors import InputRefused

GROUP = 1
"""The NFLOG group that the ruleset reports to."""
DESTROY = 0x4
"""Conntrack's event for a flow that ended; it carries the flow's packets and bytes in both directions."""

SWEEP = 2
"""Seconds after which an ended flow is told of at the latest."""

SYSCTLS = {
    "net.netfilter.nf_conntrack_acct": "1",
    "net.netfilter.nf_conntrack_timestamp": "1",
    "net.netfilter.nf_conntrack_tcp_timeout_time_wait": "1",
}
"""What the kernel must be told for flows to carry volumes and the time they began."""

_PATH = re.compile(r"/[A-Za-z0-9/._+@-]*")


def config(places: Places, *, plugins: str = "/usr/lib/x86_64-linux-gnu/ulogd") -> str:
    """ulogd.conf: packets and ended flows to `Places.packets_log`, each line flushed as it is written.

    ``plugins`` is the folder of ulogd's plugins, which depends on the machine's architecture. Raises InputRefused.
    """
    return "\n".join(
        (
            "[global]",
            f'logfile="{_path(str(places.packets_diary))}"',
            "loglevel=5",
            *(f'plugin="{_path(plugins)}/ulogd_{name}.so"' for name in _PLUGINS),
            "stack=packets:NFLOG,base1:BASE,ifi1:IFINDEX,ip2str1:IP2STR,json1:JSON",
            "stack=flows:NFCT,ip2str2:IP2STR,json2:JSON",
            "stack=broom:NFCT,ip2str3:IP2STR,json3:JSON",
            "",
            "[packets]",
            f"group={GROUP}",
            "netlink_socket_buffer_size=1048576",
            "netlink_socket_buffer_maxsize=33554432",
            # Reports wait for company at most a hundredth of a second.
            "netlink_qthreshold=32",
            "netlink_qtimeout=1",
            "",
            "[flows]",
            "hash_enable=0",
            f"event_mask={DESTROY}",
            "netlink_socket_buffer_size=1048576",
            "netlink_socket_buffer_maxsize=33554432",
            "",
            # The kernel tells of an ended flow when it sweeps its table, up to a minute later, or when somebody reads
            # the table. This stack reads it and throws the lines away, so that volumes are known in time.
            "[broom]",
            f"pollinterval={SWEEP}",
            "hash_enable=1",
            "netlink_socket_buffer_size=1048576",
            "netlink_socket_buffer_maxsize=33554432",
            "",
            "[json3]",
            'file="/dev/null"',
            "",
            *(line for name in ("json1", "json2") for line in _json(name, places)),
        )
    )


_PLUGINS = (
    "inppkt_NFLOG",
    "inpflow_NFCT",
    "raw2packet_BASE",
    "filter_IFINDEX",
    "filter_IP2STR",
    "output_JSON",
)


def _json(name: str, places: Places) -> list[str]:
    return [f"[{name}]", "sync=1", f'file="{_path(str(places.packets_log))}"', 'device="rempart"', ""]


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise InputRefused(
            f"{text[:80]!r} is not a path that ulogd can be given",
            now="Use a folder without spaces or quotes.",
        )
    return text
