"""Rewriting: locked files are found within twenty; installers, backups and pictures being converted are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection.behaviour.rewriting import FILES, REPLACED, Recent, Rewriting, parts
from rempart.detection.behaviour.sighting import Change, FileChange
from rempart.detection.finding import Finding, Level
from rempart.events.event import Event, LogSource
from rempart.instants import Instant, seconds

Step = tuple[float, FileChange]
DOCS = "C:\\Users\\anna\\Documents\\"


def change(second: float, path: str, what: Change, *, before: str = "", program: str = "C:\\x.exe") -> Step:
    return second, FileChange("PC1", program, path, what, before)


def fed(steps: list[Step], detector: Rewriting | None = None) -> list[Finding]:
    detector = detector or Rewriting()
    found = []
    for record, (second, step) in enumerate(steps, 1):
        time = Instant(seconds(1_795_000_000 + second))
        found += detector.see(step, Event(LogSource(), {}, "log", record, time), time)
    return found


def locked(
    number: int, *, every: float = 0.5, first_written: bool = True, ending: str = ".locked"
) -> list[Step]:
    steps = []
    for n in range(number):
        pair = [
            change(n * every, f"{DOCS}plan{n}.docx{ending}", Change.WRITTEN),
            change(n * every + 0.1, f"{DOCS}plan{n}.docx", Change.REMOVED),
        ]
        steps += pair if first_written else pair[::-1]
    return steps


@pytest.mark.parametrize("first_written", [True, False])
def test_files_that_are_locked_are_found(first_written: bool) -> None:
    found = fed(locked(25, first_written=first_written))
    assert [each.level for each in found] == [Level.HIGH]
    proofs = {proof.field: proof.value for proof in found[0].proofs}
    assert proofs["files replaced within a minute"] == f"{REPLACED} (from {REPLACED} on)"
    assert proofs["their new ending"] == f"locked ({REPLACED} of {REPLACED})"
    assert "attack.t1486" in found[0].tags


def test_files_that_are_renamed_in_one_go_are_found() -> None:
    steps = [change(n, f"{DOCS}{n}.pdf.xyz1", Change.RENAMED, before=f"{DOCS}{n}.pdf") for n in range(25)]
    assert len(fed(steps)) == 1


def test_an_ending_in_the_place_of_another_counts_too() -> None:
    steps = [
        step
        for n in range(25)
        for step in (
            change(n, f"{DOCS}{n}.pdf", Change.REMOVED),
            change(n, f"{DOCS}{n}.crypt", Change.WRITTEN),
        )
    ]
    assert len(fed(steps)) == 1


@pytest.mark.parametrize(
    "steps",
    [
        locked(REPLACED - 1),
        locked(100, every=10),
        locked(100, ending=".zip"),
        [change(n / 10, f"C:\\Program Files\\X\\{n}.dll", Change.WRITTEN) for n in range(900)],
        [change(n / 50, f"{DOCS}one\\{n}.jpg", Change.WRITTEN) for n in range(900)],
        [
            step
            for n in range(100)
            for step in (
                change(n / 9, f"{DOCS}{n}.tmp", Change.REMOVED),
                change(n / 9, f"{DOCS}{n}.docx", Change.WRITTEN),
            )
        ],
        [
            step
            for n in range(100)
            for step in (
                change(n / 9, f"{DOCS}{n}.heic", Change.REMOVED),
                change(n / 9, f"{DOCS}{n}.jpg", Change.WRITTEN),
            )
        ],
    ],
    ids=["few", "slowly", "packed", "installed", "copied from a camera", "saved", "converted"],
)
def test_ordinary_work_is_silent(steps: list[Step]) -> None:
    assert fed(steps) == []


def test_hundreds_of_files_in_many_folders_are_found() -> None:
    steps = [change(n / 20, f"{DOCS}{n % 20}\\{n}.docx", Change.REMOVED) for n in range(400)]
    (found,) = fed(steps)
    assert found.level is Level.MEDIUM


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_a_path_falls_into_its_parts(path: str) -> None:
    stem, ending = parts(path)
    assert path in (stem, f"{stem}.{ending}")
    assert "/" not in ending
    assert "\\" not in ending


@given(st.lists(st.tuples(st.text(max_size=12), st.sampled_from(Change), st.text(max_size=12)), max_size=40))
@settings(max_examples=60)
def test_no_path_breaks_it(steps: list[tuple[str, Change, str]]) -> None:
    fed([change(n, path, what, before=before) for n, (path, what, before) in enumerate(steps)])


def test_memory_is_bounded() -> None:
    recent = Recent()
    for n in range(FILES * 2):
        for what, ending in ((Change.REMOVED, "docx"), (Change.WRITTEN, "locked")):
            recent.take(FileChange("PC1", "x", f"{n}{what}.{ending}", what), Instant(seconds(1)))
    held = (recent.changed, recent.removed, recent.written, recent.replaced)
    assert max(map(len, held)) <= FILES
