"""Containment, measured from packets: how soon a cut is a cut, what it lets through, and whom it harms.

In network namespaces, as root; packets are stamped by the sender and by the receiving kernel with one clock. The
README quotes it. Run: scripts/bench contain [--json] [--only PART] [--quick].
"""

import argparse
import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.lab.conftest import House

from benchmarks.gateway import deadline, inside, line, orders

TARGETS = {
    "order_to_ack_ms_p99_idle": ("at most", 5),
    "order_to_ack_ms_p99_loaded": ("at most", 15),
    "netlink_ms_p99": ("at most", 2),
    "packets_after_ack": ("at most", 0),
    "inside_sent": ("at least", 1_000_000),
    "inside_lost": ("at most", 0),
    "lifeline_lost": ("at most", 0),
    "inside_delay_added_ms_p999": ("at most", 5),
    "line_to_drop_ms_p50": ("at most", 3),
    "line_to_drop_ms_p99": ("at most", 10),
    "fail2ban_over_rempart_p50": ("at least", 60),
    "deadline_error_ms_max": ("at most", 10),
    "maintenance_ms_p99": ("at most", 5),
    "maintenance_requests": ("at least", 100_000),
    "maintenance_errors": ("at most", 0),
    "waf_attacks_blocked_pct": ("at least", 93),
    "waf_texts_refused_pct": ("at most", 1),
    "egress_allowed_failed": ("at most", 0),
    "egress_forbidden_passed": ("at most", 0),
}

ELSEWHERE = {
    "maintenance": ("maintenance_ms_p99", "maintenance_requests", "maintenance_errors"),
    "waf": ("waf_attacks_blocked_pct", "waf_texts_refused_pct"),
    "egress": ("egress_allowed_failed", "egress_forbidden_passed"),
}
"""Benches of their own whose figures belong to this object; null when one is not there."""


def in_the_house(part: Callable[[House], dict[str, Any]]) -> dict[str, Any]:
    """One part in a house of its own, removed without a trace."""
    house = House(f"contain-{os.getpid()}-")
    try:
        house.build()
        return part(house)
    finally:
        house.destroy()


def elsewhere(name: str) -> dict[str, Any]:
    """The figures of another bench, by its ``measure()``."""
    if importlib.util.find_spec(f"benchmarks.{name}") is None:
        return dict.fromkeys(ELSEWHERE[name])
    figures = importlib.import_module(f"benchmarks.{name}").measure()
    return {key: figures.get(key) for key in ELSEWHERE[name]}


def parts(*, quick: bool) -> dict[str, Callable[[], dict[str, Any]]]:
    """What can be measured, by name. ``quick`` is for trying it out: its figures are not to be quoted."""
    some = 5 if quick else 1
    return {
        "orders": lambda: in_the_house(lambda house: orders.measure(house, 100 // some)),
        "inside": lambda: in_the_house(lambda house: inside.measure(house, 200 // some, 1_000_000 // some)),
        "line": lambda: in_the_house(lambda house: line.measure(house, 100 // some, 20 // some)),
        "deadline": lambda: in_the_house(lambda house: deadline.measure(house, 100 // some)),
        **{name: lambda name=name: elsewhere(name) for name in ELSEWHERE},  # type: ignore[misc]
    }


def measured(only: str | None, *, quick: bool) -> dict[str, Any]:
    """Everything, or one part."""
    figures: dict[str, Any] = {}
    for name, measure in parts(quick=quick).items():
        if only in (None, name):
            began = time.monotonic()
            figures |= measure()
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return figures


def missed(figures: dict[str, Any]) -> list[str]:
    """The figures that are not what they should be; what was not measured is not among them."""
    return [
        name
        for name, (how, target) in TARGETS.items()
        if (figure := figures.get(name)) is not None
        and (figure > target if how == "at most" else figure < target)
    ]


def main() -> int:
    """Measure and print; 1 when a figure misses its target."""
    parser = argparse.ArgumentParser(prog="bench contain", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=list(parts(quick=True)))
    parser.add_argument("--quick", action="store_true", help="a fifth of everything")
    arguments = parser.parse_args()
    figures = measured(arguments.only, quick=arguments.quick)
    late = missed(figures)
    if arguments.json:
        print(json.dumps({**figures, "missed": late}, indent=2))
        return int(bool(late))
    for name, figure in figures.items():
        how, target = TARGETS.get(name, ("", ""))
        print(f"{name:36} {figure!s:>12}   {how} {target}{'   MISSED' if name in late else ''}")
    return int(bool(late))


if __name__ == "__main__":
    raise SystemExit(main())
