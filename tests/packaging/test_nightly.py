"""What the nightly box is made of stands in this tree; the night itself is `scripts/nightly-boot`."""

import re
from pathlib import Path

from nightly.__main__ import WHOSE
from nightly.box.steps import STEPS, left
from nightly.box.streams import STREAMS

from rempart.site.description import parse
from rempart.station.parts import Part, parts
from rempart.station.users import _NAMES

TOP = Path(__file__).parents[2]
BOX = TOP / "nightly" / "box"


def test_the_site_of_the_box_is_right_and_every_outward_stream_has_its_opening() -> None:
    site = parse((BOX / "site.toml").read_text(), "site.toml")
    assert {opening.id for opening in site.openings} >= STREAMS.keys() - {"inside", "inward"}
    assert [opening.id for opening in site.lifelines()] == ["telephone", "names"]


def test_the_site_of_the_box_needs_every_part() -> None:
    site = parse((BOX / "site.toml").read_text(), "site.toml")
    assert set(parts(site)) == set(Part) == set(WHOSE)


def test_each_end_of_a_stream_is_started() -> None:
    units = {unit.stem for unit in BOX.glob("*.service")}
    assert {f"nightly-send-{start}" for start, _, _ in STREAMS.values()} <= units
    assert {f"nightly-receive-{to}" for _, to, _ in STREAMS.values()} <= units


def test_what_the_kernel_has_left_is_read_from_its_own_words() -> None:
    listed = """table inet rempart {
	map trial {
		type mark : verdict
		flags timeout
		elements = { 0x00000002 timeout 23h59m59s expires 23h59m58s988ms : goto filtered_2 }
	}

	set blocked4 {
		type ipv4_addr
		flags timeout
		elements = { 198.51.100.7 timeout 1d23h59m59s expires 1d2h3m4s, 198.51.100.9 }
	}
}
"""
    assert left(listed) == {"block": 93_784, "trial": 86_398.988}
    assert left(listed.replace("0x00000002", "0x00000012").replace("100.7", "100.9")) == {}


def test_packaging_makes_the_users_that_the_station_runs_as() -> None:
    made = set(re.findall(r"^u (\S+)", (TOP / "packaging" / "sysusers.conf").read_text(), re.MULTILINE))
    assert made == {name for name in _NAMES.values() if name.startswith("rempart-")}


def test_the_result_that_is_kept_is_of_every_step() -> None:
    kept = (TOP / "docs" / "boot.md").read_text()
    assert len(STEPS) == 8
    for when in (
        "contained",
        "restored to a second box",
        "after a reboot",
        "after a power cut",
        "journal damaged",
        "site.toml unreadable",
        "program broken",
    ):
        assert f"| {when}: datagrams that arrived |" in kept
