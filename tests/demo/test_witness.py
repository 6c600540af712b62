"""The witness counts what leaves, by sort and time."""

import socket
import struct

from demo.witness import Sightings, Sort, sort_of
from hypothesis import given
from hypothesis import strategies as st

_PORTS = st.integers(0, 65535)
_ADDRESS = st.ip_addresses(v=4).map(str)


@given(st.sampled_from([6, 17]), _ADDRESS, _PORTS, _ADDRESS, _PORTS, st.integers(5, 15))
def test_a_packet_is_read_as_it_was_written(
    protocol: int, source: str, source_port: int, target: str, target_port: int, words: int
) -> None:
    head = bytes([0x40 | words]) + bytes(8) + bytes([protocol]) + bytes(2)
    head += socket.inet_aton(source) + socket.inet_aton(target) + bytes(words * 4 - 20)
    packet = head + struct.pack(">HH", source_port, target_port)
    assert sort_of(packet) == Sort(protocol, source, source_port, target, target_port)


def test_only_what_came_later_is_after() -> None:
    sort = Sort(17, "10.0.0.1", 1, "198.18.0.1", 53)
    seen = Sightings({(sort, 100): 5, (sort, 101): 2, (sort, 102): 1}, 0)
    assert seen.after(100) == {sort: 3}
    assert seen.after(102) == {}
