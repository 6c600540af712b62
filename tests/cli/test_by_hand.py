"""What the command line says of work by hand: when, by whom, and who checked it."""

import pytest

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


def test_no_probe_speaks_of_a_block() -> None:
    block = HandStepStatus(
        action="block", target="198.51.100.66", number=1, step="", reply="yes", by="Anne", at=AT
    )
    (told,) = said(HandworkStatus(steps=[TO_DO, block], cut=Checked.CONFIRMED, probes=["Outside"]))
    assert told.startswith("by hand, at 03:05, not checked by Rempart: block 198.51.100.66, 1: block 198.51")


def test_only_what_can_be_done_by_hand_can_be_ticked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser("by-hand").parse_args(["by-hand", "tick", "watch", "yes"])
    assert "invalid choice" in capsys.readouterr().err
