"""The demo's world without Rempart: a gateway that forwards everything and a bare proxy in front of the dmz."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.addresses import Plan, plan
from demo.programs import Programs
from demo.request import NO_ANSWER, ask
from demo.world import GATEWAY, World

_PROXY = """
global
  maxconn 500
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  option forwardfor
frontend uplink
  bind {plan.uplink}:80
  use_backend portal if {{ hdr(host) -i {plan.portal} }}
  default_backend website
backend website
  server one {dmz}:{plan.ports.website}
backend portal
  server one {dmz}:{plan.ports.portal}
"""


@pytest.fixture(autouse=True, scope="module")
def _privileged(request: pytest.FixtureRequest) -> None:
    """Worlds need root, or root of a user namespace as `scripts/demo` makes it."""
    if request.node.get_closest_marker("lab") and os.geteuid() != 0:
        pytest.skip("needs network namespaces: run the tests as root")


@pytest.fixture(scope="module")
def day() -> Plan:
    return plan(4)


@pytest.fixture(scope="module")
def world(day: Plan) -> Iterator[World]:
    with World(day) as made:
        yield made


@pytest.fixture(scope="module")
def programs(world: World) -> Programs:
    """Every server, and a proxy on the gateway that publishes website and portal."""
    started = Programs(world)
    started.start()
    configuration: Path = world.folder / "haproxy.cfg"
    configuration.write_text(_PROXY.format(plan=world.plan, dmz=world.plan.address("dmz")))
    world.start(GATEWAY, "proxy", ["haproxy", "-db", "-f", str(configuration)])
    while ask((world.plan.uplink, 80), "/", namespace=world.path("visitor")).status == NO_ANSWER:
        time.sleep(0.02)
    return started
