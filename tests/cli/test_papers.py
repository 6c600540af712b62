"""The verbs that make papers of an incident, run on a real journal: duties, paper, export."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bagit
import pytest
from pypdf import PdfReader

from rempart.__main__ import main
from rempart.adapters import bag
from rempart.adapters.attachments import Attachments
from rempart.adapters.journal import Journal, verify_exported
from rempart.detection.finding import Kind, Level, Outcome
from rempart.engine import facts
from rempart.engine.facts import AnyFact, body_of, kind_of
from rempart.errors import ExitCode
from rempart.instants import Instant, after, minutes, parse_rfc3339
from rempart.site.language import Language

AT = parse_rfc3339("2026-11-20T15:00:00Z")
SITE = """
id = "tilleuls"
name = "Résidence Les Tilleuls"
template = "nursing-home"
languages = ["fr"]
phone = "+32 4 224 71 11"

[uplink]
interface = "wan0"
addresses = ["203.0.113.2/24"]

[[zones]]
id = "wards"
name = "Wards"
interface = "lan1"
networks = ["10.10.0.0/24"]

[[openings]]
id = "mail"
mark = 1
name = "Mail"
direction = "out"
zones = ["wards"]
hosts = ["192.0.2.25"]
services = ["tcp/443"]
care = 4
lifeline = false
fallback = { text = "telephone", phone = "+32 4 224 71 11" }

[[safeguards]]
id = "way-in"
interface = "lan1"
networks = ["10.10.0.5/32"]
services = ["tcp/22"]
"""
HOSTILE = '#panic("x")\u202e\x1b[31m'


def joined(incident: str, minute: int, account: str) -> facts.FindingJoined:
    return facts.FindingJoined(
        at=after(AT, minutes(minute)),
        incident=incident,
        finding=f"{incident}-{minute}",
        rule="r",
        title="t",
        level=Level.HIGH,
        kind=Kind.GUESSING,
        outcome=Outcome.SUCCESS,
        actors=["203.0.113.7"],
        victims=["10.10.0.9"],
        accounts=[account],
        assets=[],
        source="log",
        record=1,
        count=60,
        tally=1,
    )


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A state folder with a journal of two incidents, and a site.toml beside it."""
    (tmp_path / "site.toml").write_text(SITE)
    told: list[AnyFact] = [
        joined("B", 0, "somebody.else"),
        joined("A", 1, HOSTILE),
        facts.Contained(at=after(AT, minutes(2)), by="Anne", reason="", incidents=["A"]),
        facts.PersonsTouched(at=after(AT, minutes(3)), incident="A", persons=180, records=200),
    ]
    guard = tmp_path / "state" / "guard"
    guard.mkdir(parents=True)
    journal = Journal.open(guard / "journal.db", guard / "keys", origin="rempart/tilleuls", now=AT)
    journal.seal_all([(kind_of(fact), body_of(fact)) for fact in told], at=Instant(AT))
    journal.close()
    return tmp_path


def run(station: Path, *arguments: str) -> int:
    return main([*arguments, "--state", str(station / "state"), "--site", str(station / "site.toml")])


@pytest.mark.parametrize("kind", ["complaint", "timeline"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_paper_cites_the_entries_of_its_incident(station: Path, kind: str, language: str) -> None:
    out = station / "paper.pdf"
    assert run(station, "paper", kind, "A", "--lang", language, "--out", str(out)) == ExitCode.OK
    text = "".join(page.extract_text() for page in PdfReader(out).pages)
    assert '#panic("x")<U+202E><U+001B>' in text
    assert "Anne" in text
    assert "somebody.else" not in text
    assert "180" in text


def test_a_bag_validates_and_its_journal_verifies(station: Path) -> None:
    out = station / "bag"
    assert run(station, "export", "A", "--out", str(out)) == ExitCode.OK
    tool = Path(sys.executable).with_name("bagit.py")
    assert subprocess.run([tool, "--validate", out], capture_output=True, check=False).returncode == 0
    payload = bag.check(out)
    verdict = verify_exported(payload / "journal")
    assert verdict.ok
    assert verdict.root.hex() in (out / "bag-info.txt").read_text()
    assert sorted(path.name for path in (payload / "papers").iterdir()) == [
        f"{kind}.{language}.pdf" for kind in ("complaint", "timeline") for language in sorted(Language)
    ]
    assert {"LISEZMOI.txt", "README.txt"} <= {path.name for path in payload.iterdir()}


@pytest.mark.parametrize(("option", "shown"), [((), False), (("--whole",), True)])
def test_other_incidents_contents_stay_at_home_unless_asked(
    station: Path, option: tuple[str, ...], *, shown: bool
) -> None:
    assert run(station, "export", "A", "--out", str(station / "bag"), *option) == ExitCode.OK
    entries = (station / "bag" / "data" / "journal" / "journal.jsonl").read_text()
    assert ("somebody.else" in entries) is shown


SHOT, LETTER, LOST = b"\x89PNG not really", b"Mrs Exemple's letter", b"gone from the disk"


def attached(content: bytes, name: str, minute: int, incident: str = "A") -> facts.FileAttached:
    return facts.FileAttached(
        at=after(AT, minutes(minute)),
        incident=incident,
        name=name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        note="",
        by="Anne",
    )


@pytest.fixture
def exhibited(station: Path) -> Path:
    """The station with a picture attached to A, a letter that was erased, and a file that the disk has lost."""
    guard = station / "state" / "guard"
    kept = Attachments(guard / "attachments")
    letter = attached(LETTER, "letter.pdf", 5)
    told: list[AnyFact] = [
        attached(SHOT, f"../{HOSTILE}.png", 4),
        letter,
        attached(b"another attack's", "other.png", 6, incident="B"),
        attached(LOST, "lost.png", 7),
        facts.FileErased(
            at=after(AT, minutes(9)), incident="B", sha256=letter.sha256, by="Claire", reason="she asked"
        ),
    ]
    for content in (SHOT, b"another attack's"):
        kept.keep(content)
    journal = Journal.open(guard / "journal.db", guard / "keys", origin="rempart/tilleuls", now=AT)
    journal.seal_all([(kind_of(fact), body_of(fact)) for fact in told], at=Instant(AT))
    journal.close()
    return station


def test_a_bag_carries_the_files_of_its_incident_and_says_which_were_erased(
    exhibited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = exhibited
    out = station / "bag"
    assert run(station, "export", "A", "--out", str(out)) == ExitCode.OK
    payload = bag.check(out)
    (file,) = (payload / "files").iterdir()
    assert file.read_bytes() == SHOT
    rows = json.loads((payload / "files.json").read_text())
    assert [row["missing"][:15] for row in rows] == ["", "erased", "the file cannot"]
    assert file.name == rows[0]["sha256"]
    assert rows[1]["erased"]["by"] == "Claire"
    entries = [json.loads(line) for line in (payload / "journal" / "journal.jsonl").read_text().splitlines()]
    bodies = {each["entry"]["number"]: each.get("body") or {} for each in entries}
    for row in rows:
        assert row["sha256"] == bodies[row["attached"]["entry"]]["sha256"]
    assert bodies[rows[1]["erased"]["entry"]]["reason"] == "she asked"
    said = capsys.readouterr().err
    assert "letter.pdf" in said
    assert "lost.png" in said
    assert main(["verify", str(out)]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "attached files: 1 as sealed, 1 erased, 1 not in the bag" in said
    assert "not in the bag: lost.png" in said


def _rows(payload: Path, *, without: str = "", **changed: object) -> None:
    """Write the index again: without a file, or with its first row changed."""
    index = payload / "files.json"
    rows = [row for row in json.loads(index.read_text()) if row["sha256"] != without]
    index.write_text(json.dumps([{**rows[0], **changed}, *rows[1:]]))


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _altered(payload: Path) -> None:
    (payload / "files" / _name(SHOT)).write_bytes(SHOT + b"?")


def _taken_out(payload: Path) -> None:
    (payload / "files" / _name(SHOT)).unlink()


def _taken_out_with_its_row(payload: Path) -> None:
    _taken_out(payload)
    _rows(payload, without=_name(SHOT))


def _put_in(payload: Path) -> None:
    (payload / "files" / _name(b"planted")).write_bytes(b"planted")


def _put_back(payload: Path) -> None:
    (payload / "files" / _name(LETTER)).write_bytes(LETTER)


def _renamed(payload: Path) -> None:
    _rows(payload, name="harmless.png")


def _blamed(payload: Path) -> None:
    _rows(payload, attached={"by": "Bert", "at": "2026-11-20T16:00:00.000000Z", "entry": 10**9})


def _garbled(payload: Path) -> None:
    (payload / "files.json").write_text("[" * 100_000)


@pytest.mark.parametrize("option", [(), ("--whole",)])
@pytest.mark.parametrize(
    ("done", "where", "what"),
    [
        (_altered, f"files/{_name(SHOT)}", "its bytes are not those that entry"),
        (_taken_out, f"files/{_name(SHOT)}", "is not in the bag"),
        (_taken_out_with_its_row, f"files/{_name(SHOT)}", "is not in the bag"),
        (_put_in, f"files/{_name(b'planted')}", "no entry of the journal"),
        (_put_back, f"files/{_name(LETTER)}", "erased it (letter.pdf), and yet it is here"),
        (_renamed, "files.json, row 1", "it says otherwise than entry"),
        (_blamed, "files.json, row 1", "no entry of the journal"),
        (_garbled, "files.json", "it cannot be read"),
    ],
)
def test_a_bag_whose_files_are_not_what_was_sealed_does_not_verify(
    exhibited: Path,
    capsys: pytest.CaptureFixture[str],
    option: tuple[str, ...],
    done: Callable[[Path], None],
    where: str,
    what: str,
) -> None:
    """Also when whoever did it wrote the bag's own digests anew, which anybody can."""
    out = exhibited / "bag"
    assert run(exhibited, "export", "A", "--out", str(out), *option) == ExitCode.OK
    capsys.readouterr()
    done(out / "data")
    forged = bagit.Bag(str(out))
    forged.save(manifests=True)
    assert main(["verify", str(out), "--json"]) == ExitCode.FOUND
    verdict = json.loads(capsys.readouterr().out)
    assert not verdict["verified"]
    assert any(fault["place"] == where and what in fault["what"] for fault in verdict["faults"])
    assert main(["verify", str(out)]) == ExitCode.FOUND
    assert where in capsys.readouterr().out


def test_a_file_of_a_bag_that_leads_elsewhere_is_not_followed(
    exhibited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = exhibited / "bag"
    assert run(exhibited, "export", "A", "--out", str(out)) == ExitCode.OK
    file = out / "data" / "files" / _name(SHOT)
    elsewhere = out / "data" / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert main(["verify", str(out)]) == ExitCode.FOUND
    assert f"files/{_name(SHOT)}: it cannot be read" in capsys.readouterr().out


def test_the_verifier_takes_the_bag(station: Path) -> None:
    run(station, "export", "A", "--out", str(station / "bag"))
    assert main(["verify", str(station / "bag")]) == ExitCode.OK


def test_the_same_journal_makes_the_same_bag(station: Path) -> None:
    for name in ("one", "two"):
        run(station, "export", "A", "--out", str(station / name))
    one, two = ((station / name / "manifest-sha256.txt").read_text() for name in ("one", "two"))
    assert one == two


def test_a_journal_that_does_not_verify_makes_no_paper(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = station / "state" / "guard" / "journal.db"
    raw = journal.read_bytes()
    journal.write_bytes(raw.replace(b'"Anne"', b'"Anna"'))
    assert run(station, "paper", "complaint", "A", "--out", str(station / "paper.pdf")) == ExitCode.FOUND
    assert not (station / "paper.pdf").exists()
    assert "entry" in capsys.readouterr().err


def test_duties_are_listed_with_their_clocks(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (station / "answers.toml").write_text(
        "".join(
            f'[[answers]]\nquestion = "{question}"\nanswer = "yes"\nby = "Anne\\u001b[31m"\n'
            "at = 2026-11-20T17:00:00+01:00\nsince = 2026-11-20T16:30:00+01:00\n"
            for question in ("personal-data-breach", "risk-to-persons")
        )
    )
    answers = ("--answers", str(station / "answers.toml"), "--at", "2026-11-21T09:00:00Z")
    assert run(station, "duties", "A", *answers, "--lang", "en") == ExitCode.OK
    shown = capsys.readouterr().out
    assert "GDPR: notify the breach to the authority [applies here; clock running]" in shown
    assert "Due: 23/11/2026 16:30:00 (UTC+1)" in shown
    assert "NIS2: early warning [still to be asked; clock not started]" in shown
    assert "\x1b" not in shown

    assert run(station, "duties", "A", *answers, "--json") == ExitCode.OK
    listed = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    assert listed["gdpr-authority"]["due_at"] == "2026-11-23T15:30:00.000000Z"
    assert listed["nis2-early-warning"]["applies"] == "to-ask"
    assert "fte" in listed["nis2-early-warning"]["open_questions"]


def test_an_overdue_clock_is_an_answer_for_the_shell(station: Path) -> None:
    (station / "answers.toml").write_text(
        "".join(
            f'[[answers]]\nquestion = "{question}"\nanswer = "yes"\nby = "Anne"\nat = 2026-11-20T16:00:00Z\n'
            for question in ("personal-data-breach", "risk-to-persons")
        )
    )
    answers = ("--answers", str(station / "answers.toml"), "--at", "2026-11-24T09:00:00Z")
    assert run(station, "duties", *answers) == ExitCode.FOUND


def test_no_incident_of_that_name(station: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(station, "paper", "complaint", "Z", "--out", str(station / "x.pdf")) == ExitCode.USAGE
    assert "It knows: A, B" in capsys.readouterr().err
