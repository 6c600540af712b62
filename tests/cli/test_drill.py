"""The drill, told on a terminal."""

import pytest

from rempart.__main__ import main


def test_the_story_is_told_with_its_days(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "chc", "--facts"]) == 0
    told = capsys.readouterr().out
    assert "day  0 Fri 18/11 16:05  Direction    as a precaution every connection outward is cut" in told
    assert "(lavenir.net)" in told
    assert "re-closed by itself: gp-portal" in told
    assert "by itself: TrialEnded" in told
    assert "sealed: Contained" in told
    assert told.endswith("with the site still reopening.\nNo lifeline was closed.\n")
    assert "DayEnded\n" not in told
