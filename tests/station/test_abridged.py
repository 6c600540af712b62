"""A status is one frame whatever people typed, and says what it left off."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.home import NOW, RECORDS, SITE, terms
from rempart.adapters.socket import encode
from rempart.engine.inputs import Found
from rempart.engine.state import initial
from rempart.engine.step import step
from rempart.incidents.incident import Sentence
from rempart.messages import (
    MAX_FRAME,
    CorrectionStatus,
    GateStatus,
    HandStepStatus,
    HandworkStatus,
    MeasureStatus,
    OutsideStatus,
    OverrideStatus,
    PaperStatus,
    RehearsalStatus,
    Status,
    TickStatus,
    TroubleStatus,
)
from rempart.station.abridged import ROOM, abridged
from rempart.station.status import status

WORST = "\0" * 400
NAME = "\x1b" * 120


def quiet() -> Status:
    """A house with one incident."""
    state, _ = step(terms(), initial(SITE), Found(NOW, RECORDS))
    return status(SITE, state, NOW, head=(1, "5f" * 32), verified=NOW, fault="")


def block(number: int, reason: str = WORST, action: str = "block") -> MeasureStatus:
    target = f"2001:db8::{number:x}"
    return MeasureStatus(target=target, action=action, since=NOW, until=None, by=NAME, reason=reason)


def flooded(told: Status, sizes: dict[str, int], text: str) -> Status:
    """The status with so many of each, every text as it is given."""
    by: dict[str, Any] = {"by": text[:120], "at": NOW}
    (incident,) = told.incidents
    grave = structs.replace(
        incident,
        actors=[text[:200]] * 50,
        assets=[text[:200]] * 50,
        story=[(NOW, Sentence("story.found", {"actors": 1, "where": text[:120], "who": text[:120]}))] * 60,
    )
    ticks = [TickStatus(ward="w", question="q", reply="no", note=text, by=text[:120])] * sizes["ticks"]
    corrections = [CorrectionStatus(opening="o", becomes="b", reason=text, by=text[:120], written=False)]
    held = RehearsalStatus(
        began=NOW,
        until=NOW,
        by=text[:120],
        ended=NOW,
        early=False,
        locked=None,
        ticks=ticks,
        unanswered=[],
        corrections=corrections * sizes["corrections"],
    )
    trouble = TroubleStatus(
        id="t", service="s", ail="a", ward="w", note=text, settled=None, remedy=text, **by
    )
    hand = HandStepStatus(action="cut", target="", number=1, step=text, reply="no", note=text, **by)
    outside = OutsideStatus(item="i", number=1, action=text[:200], phone=None, reply="no", proof=text, **by)
    answers = [GateStatus(gate=f"G{n}", answer="yes", proof=text, **by) for n in range(8)]
    return structs.replace(
        told,
        enforcement_fault=text * 100,
        incidents=[structs.replace(grave, id=f"inc-{n}") for n in range(sizes["incidents"])],
        measures=[block(n, text) for n in range(sizes["measures"])],
        openings=[structs.replace(each, answers=answers, partner=text) for each in told.openings],
        by_hand=HandworkStatus(steps=[hand] * sizes["by-hand"]),
        care=structs.replace(
            told.care,
            rehearsal=held,
            troubles=[trouble] * sizes["troubles"],
            outside=[outside] * sizes["outside"],
            papers=[PaperStatus(id="p", opening="o", what=text, entered=None, **by)] * sizes["papers"],
        ),
        reopening=structs.replace(
            told.reopening,
            overrides=[OverrideStatus(opening="o", by=text[:120], due=NOW, reason=text)] * sizes["overrides"],
        ),
    )


LISTS = (
    "incidents",
    "measures",
    "ticks",
    "corrections",
    "troubles",
    "outside",
    "papers",
    "by-hand",
    "overrides",
)

QUIET = quiet()


@settings(max_examples=20, deadline=None)
@given(
    st.fixed_dictionaries({name: st.integers(0, 600) for name in LISTS}),
    st.text(st.sampled_from('\0\x1b"\\é\U0001f6d1 a'), max_size=6).map(lambda seed: (seed * 400)[:400]),
)
def test_it_is_one_frame_and_nothing_is_lost_uncounted(sizes: dict[str, int], text: str) -> None:
    sizes["incidents"] = min(sizes["incidents"], 50)
    whole = flooded(QUIET, sizes, text)
    told = abridged(whole)
    assert len(encode(told)) <= MAX_FRAME
    assert [each.id for each in told.openings] == [each.id for each in whole.openings]
    care, rehearsal = told.care, told.care.rehearsal
    assert rehearsal
    shown = {
        "incidents": told.incidents,
        "measures": told.measures,
        "ticks": rehearsal.ticks,
        "corrections": rehearsal.corrections,
        "troubles": care.troubles,
        "outside": care.outside,
        "papers": care.papers,
        "by-hand": told.by_hand.steps,
        "overrides": told.reopening.overrides,
    }
    for name, these in shown.items():
        assert len(these) + told.left_off.get(name, 0) == sizes[name], name
        assert these or not sizes[name], name  # the foremost always stands


def test_what_fits_is_told_whole() -> None:
    assert abridged(QUIET) is QUIET


def test_hundreds_of_hostile_reasons_take_nothing_from_the_rest_and_isolations_stay() -> None:
    measures = [*(block(n) for n in range(500)), block(500, action="isolate")]
    whole = structs.replace(QUIET, measures=measures)
    told = abridged(whole)
    assert len(encode(whole.measures[0])) * 500 > MAX_FRAME  # else it shows nothing
    assert told.left_off.keys() == {"measures"}
    assert told.measures[-1].action == "isolate"
    assert [each.target for each in told.measures] == [m.target for m in measures[-len(told.measures) :]]
    assert structs.replace(told, measures=measures, left_off={}) == whole


def test_the_rooms_leave_place_for_what_is_no_list() -> None:
    assert sum(ROOM.values()) <= MAX_FRAME - 32 * 1024
