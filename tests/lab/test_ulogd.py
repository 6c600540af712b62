"""What ulogd writes about refused packets and ended flows, each at once: it does not wait for a buffer to be full."""

import json
import shutil
import time

import pytest

from rempart.containment.render.ulogd import SYSCTLS, config

pytestmark = pytest.mark.lab


@pytest.fixture
def lines(house, places):
    if not shutil.which("ulogd"):
        pytest.skip("needs ulogd: apt install ulogd2 ulogd2-json")
    places.packets_log.parent.mkdir(parents=True)
    configuration = places.packets_log.with_name("ulogd.conf")
    configuration.write_text(config(places))
    for name, value in SYSCTLS.items():
        house.at("gw", "sysctl", "-qw", f"{name}={value}")
    house.start("gw", "ulogd", "-c", str(configuration))
    until = time.monotonic() + 30
    while not places.packets_log.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.3)

    def read():
        return [json.loads(line) for line in places.packets_log.read_text().splitlines()]

    return read


def waited(lines, wanted):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = [line for line in lines() if wanted(line)]
        if found:
            return found[0]
        time.sleep(0.01)
    raise AssertionError(lines())


def test_a_refused_packet_is_written_before_others_follow(house, kernel, present, contained, lines) -> None:
    kernel.enforce(contained, present())
    house.answer("wards", "192.0.2.20", 443)
    line = waited(lines, lambda line: line.get("oob.prefix") == "closed:e-health")
    assert (line["src_ip"], line["dest_ip"], line["dest_port"]) == ("10.1.0.7", "192.0.2.20", 443)
    assert (line["oob.in"], line["oob.out"]) == ("wards", "wan")


def test_a_flow_that_ended_is_written_with_its_volume(house, kernel, present, all_open, lines) -> None:
    kernel.enforce(all_open, present())
    with house.listen("out", "192.0.2.20", 443) as door, house.call("wards", "192.0.2.20", 443) as running:
        there, _ = door.accept()
        with there:
            running.sendall(b"x" * 5000)
            assert len(there.recv(5000)) > 0
    house.at("gw", "conntrack", "-D", "-d", "192.0.2.20")
    line = waited(lines, lambda line: "orig.raw.pktlen" in line)
    assert line["orig.raw.pktlen"] > 5000
    assert line["flow.start.sec"] > 1_700_000_000
