"""What the command line says of work by hand: when, by whom, and who checked it."""

import pytest
from msgspec.structs import replace

from rempart.__main__ import parser
from rempart.cli.by_hand import said
from rempart.engine.handwork import Checked
from rempart.instants import parse_rfc3339
from rempart.messages import HandStepStatus, HandworkStatus

AT = parse_rfc3339("2026-11-21T02:05:00Z")
TO_DO = HandStepStatus(action="contain", target="", number=1, step="", reply="unknown")
DONE = HandStepStatus(
    action="contain", target="", number=2, step="Unplug port 1", reply="yes", by="Anne", note="red", at=AT
)


def test_nothing_is_said_before_anybody_did_anything() -> None:
    assert list(said(HandworkStatus(steps=[TO_DO]))) == []
    assert list(said(HandworkStatus())) == []


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (Checked.UNCHECKED, "not checked by Rempart"),
        (Checked.CONFIRMED, "a probe gets no answer any more (Outside)"),
        (Checked.CONTRADICTED, "BUT A PROBE STILL GETS AN ANSWER (Outside)"),
    ],
)
def test_a_cut_by_hand_is_told_with_what_is_still_to_do(cut: Checked, told: str) -> None:
    to_do, done = said(HandworkStatus(steps=[TO_DO, DONE], cut=cut, probes=["Outside"]))
    assert to_do.startswith("to do by hand: contain, 1: switch off the way out at your firewall")
    assert done == f"by hand, at 03:05, {told}: contain, 2: Unplug port 1 (red, Anne)"


@pytest.mark.parametrize(
    ("done", "told"),
    [
        ("2026-11-21T01:40:00Z", "by hand, at 02:40 (said at 03:05), "),
        ("2026-11-20T22:58:00Z", "by hand, at 20/11 23:58 (said at 03:05), "),
        ("2026-11-21T02:05:00Z", "by hand, at 03:05, "),
    ],
)
def test_when_it_was_done_comes_before_when_it_was_said(done: str, told: str) -> None:
    step = replace(DONE, on=parse_rfc3339(done))
    (_, line) = said(HandworkStatus(steps=[TO_DO, step]))
    assert line.startswith(told)


def test_the_time_is_a_belgian_clocks() -> None:
    given = parser("by-hand").parse_args(
        ["by-hand", "tick", "contain", "yes", "--on", "2026-11-21T02:40", "--by", "Anne"]
    )
    assert given.on == parse_rfc3339("2026-11-21T01:40:00Z")


def test_no_probe_speaks_of_a_block() -> None:
    block = HandStepStatus(
        action="block", target="198.51.100.66", number=1, step="", reply="yes", by="Anne", at=AT
    )
    (told,) = said(HandworkStatus(steps=[TO_DO, block], cut=Checked.CONFIRMED, probes=["Outside"]))
    assert told.startswith("by hand, at 03:05, not checked by Rempart: block 198.51.100.66, 1: block 198.51")


def test_only_what_can_be_done_by_hand_can_be_ticked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser("by-hand").parse_args(["by-hand", "tick", "watch", "yes"])
    assert "'watch' is unknown; known are: contain, block, isolate" in capsys.readouterr().err
