"""The cut, seen from packets: every flow established beforehand, both ends sending.

How long it takes is measured in benchmarks/cut.py.
"""

import time

import pytest

from rempart.adapters.enforce.nftables import Kernel
from rempart.containment.measure import disagreements

pytestmark = [pytest.mark.lab, pytest.mark.timed]


def test_established_flows_stop_and_inside_goes_on(
    traffic, kernel: Kernel, present, all_open, contained
) -> None:
    kernel.enforce(all_open, present())
    traffic.flow("wards", "out", "tcp", "192.0.2.30", 443)
    traffic.flow("wards", "out", "tcp", "2001:db8:f::20", 443)
    traffic.flow("wards", "out", "udp", "192.0.2.66", 443)
    traffic.flow("out", "servers", "tcp", "10.2.0.5", 3389, "198.51.100.5")
    traffic.flow("wards", "out", "udp", "192.0.2.10", 5060)
    traffic.flow("out", "wards", "udp", "10.1.0.7", 10001, "192.0.2.10")
    traffic.flow("wards", "servers", "udp", "10.2.0.5", 9000)
    traffic.flow("wards", "servers", "tcp", "10.2.0.5", 9001)
    traffic.begin()
    time.sleep(1)
    kernel.enforce(contained, present())
    acknowledged = time.monotonic_ns()
    assert disagreements(contained, kernel.read(present()), present()) == ()
    time.sleep(2)
    seen = traffic.finish()

    cut = [
        end
        for name in ("tcp/443", "udp/443", "tcp/3389")
        for place in seen.values()
        for end in place.get(name, ())
    ]
    assert len(cut) == 8
    for end in cut:
        assert len(end["arrived"]) > 100  # it was running
        assert [stamp for _, stamp in end["arrived"] if stamp > acknowledged] == []
    for client, server, name in (
        ("wards", "out", "udp/5060"),
        ("out", "wards", "udp/10001"),
        ("wards", "servers", "udp/9000"),
        ("wards", "servers", "tcp/9001"),
    ):
        one, other = seen[client][name][0], seen[server][name][0]
        assert one["sent"] > 1500
        assert (one["sent"], other["sent"]) == (len(other["arrived"]), len(one["arrived"]))
