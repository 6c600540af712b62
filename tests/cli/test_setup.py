"""`rempart setup`: from a file of answers, and by hand on a terminal that is left and taken up again."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.adapters import answered
from rempart.config import Places
from rempart.first_hour.answers import Answers, Step
from rempart.site.description import parse
from rempart.site.language import Language
from rempart.station.installer import Installer

pytestmark = pytest.mark.edge  # ip(8) is asked what is around

ANSWERS = """\
[language]
language = "nl"
[institution]
template = "medical-house"
name = "Les Tilleuls"
phone = "04 000 00 10"
[network]
uplink = "wan"
uplink-addresses = ["203.0.113.2/24"]
{zones}
[devices]
[lifelines]
"safeguard.interface" = "lan"
"safeguard.networks" = "10.77.1.250"
[openings]
"door.telephone.phone" = "{phone}"
[outside]
[people]
account = "anne.dupont"
full-name = "Anne Dupont"
[source]
path = "/var/log/remote/all.log"
decoder = "syslog"
"""
ZONES = "\n".join(
    f'"zone.{zone}.interface" = "lan"\n"zone.{zone}.networks" = "10.77.1.0/24"'
    for zone in ("rooms", "reception", "servers")
)


def places(folder: Path) -> list[str]:
    return [
        *("--site", str(folder / "site.toml"), "--state", str(folder / "state")),
        *("--run", str(folder / "run")),
    ]


def answers_file(folder: Path, phone: str = "04 000 00 12") -> Path:
    file = folder / "answers.toml"
    file.write_text(ANSWERS.format(zones=ZONES, phone=phone))
    return file


def test_a_file_of_answers_becomes_a_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", *places(tmp_path), "--answers", str(answers_file(tmp_path))]) == 0
    site = parse((tmp_path / "site.toml").read_text(), "site.toml")
    assert site.opening("telephone").fallback.phone == "04 000 00 12"
    assert main(["site", "check", str(tmp_path / "site.toml")]) == 0
    assert "nog" not in capsys.readouterr().err


def test_an_answer_changed_later_keeps_the_rest_and_the_earlier_description(tmp_path: Path) -> None:
    assert main(["setup", *places(tmp_path), "--answers", str(answers_file(tmp_path))]) == 0
    before = (tmp_path / "site.toml").read_text()
    later = tmp_path / "later.toml"
    later.write_text('[openings]\n"door.telephone.phone" = "04 000 00 99"\n')
    assert main(["setup", *places(tmp_path), "--answers", str(later)]) == 0
    after = parse((tmp_path / "site.toml").read_text(), "site.toml")
    assert after.opening("telephone").fallback.phone == "04 000 00 99"
    assert after.name == "Les Tilleuls"
    (kept,) = tmp_path.glob("site.toml.until-*")
    assert kept.read_text() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "“call me” is no telephone number"),
        ('[languages]\nlanguage = "fr"\n', "no step is called languages"),
        ('[language]\nlang = "fr"\n', "this step asks for no lang"),
        ('[network]\nuplink = "wan"\n', "a step before it is not answered"),
        ("[language\n", "this is not TOML"),
    ],
)
def test_a_wrong_file_is_named_and_what_was_right_before_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    file = answers_file(tmp_path, phone="call me")
    if text is not None:
        file.write_text(text)
    assert main(["setup", *places(tmp_path), "--answers", str(file)]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "site.toml").exists()
    if text is None:
        assert answered.read(tmp_path / "state" / "first-hour.json").lifelines is not None


def test_the_test_attack_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = answers_file(tmp_path)
    assert main(["setup", *places(tmp_path), "--answers", str(file)]) == 0
    file.write_text("[test]\n")
    assert main(["setup", *places(tmp_path), "--answers", str(file)]) == 4
    assert "the station does not run" in capsys.readouterr().err


def test_the_line_that_came_is_shown_and_what_is_invisible_in_it_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "all.log"
    log.write_bytes(b"2026-11-27T02:00:00+00:00 care-1 cron[9]: \x1b[2J\xe2\x80\xae<b>\xff done\n")
    file = answers_file(tmp_path)
    file.write_text(file.read_text().replace("/var/log/remote/all.log", str(log)) + "[test]\n")
    assert main(["setup", *places(tmp_path), "--answers", str(file)]) == 4
    told = capsys.readouterr().out
    assert "care-1 cron[9]: ⟨U+001B⟩[2J⟨U+202E⟩<b>\ufffd done" in told
    assert "\x1b" not in told


PAGE = Path(__file__).parents[2] / "docs" / "operating" / "first-hour.md"


def test_the_page_names_every_step_and_its_answers_are_taken(tmp_path: Path) -> None:
    text = PAGE.read_text()
    assert re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE) == list(Step)
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "answers.toml").write_text(block)
    assert main(["setup", *places(tmp_path), "--answers", str(tmp_path / "answers.toml")]) == 0
    kept = answered.read(tmp_path / "state" / "first-hour.json")
    assert kept.network is not None
    assert not (tmp_path / "site.toml").exists()  # steps are missing


@pytest.mark.parametrize("address", ["8.8.8.8", "0.0.0.0", "10.255.255.254", "::1", "box"])
def test_the_page_is_served_to_no_address_that_may_lead_outside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert main(["setup", *places(tmp_path), "--browser", address]) == 2
    assert "neither loopback nor an address of this box inside" in capsys.readouterr().err


class Terminal:
    """`rempart setup` on a pseudo-terminal, as a person at the box has it."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.screen, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rempart", "setup", *places(folder), *words],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**os.environ, "LANG": "en_GB.UTF-8", "LC_ALL": "", "PYTHONUTF8": "1"},
        )
        os.close(inner)
        self.seen = ""

    def until(self, words: str) -> str:
        """Everything shown until these words; it fails after a minute and a half without them."""
        began = time.monotonic()
        while words not in self.seen:
            assert time.monotonic() - began < 90, f"{words!r} did not come: {self.seen[-2000:]}"
            if select.select([self.screen], [], [], 0.5)[0]:
                try:
                    self.seen += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:  # its end: the program is gone
                    assert words in self.seen, self.seen[-2000:]
        shown, _, self.seen = self.seen.partition(words)
        return shown

    def type(self, text: str) -> None:
        os.write(self.screen, f"{text}\n".encode())

    def end(self) -> int:
        try:
            return self.process.wait(60)
        finally:
            os.close(self.screen)


ASKED = "q stop: "


def test_a_terminal_may_be_left_and_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Terminal(tmp_path)
    first.until(ASKED)
    first.type("1")
    assert "Nederlands" in first.until("New value")
    first.type("4")
    first.until(ASKED)
    first.type("")
    assert "The institution" in first.until(ASKED)
    first.type("2")
    first.until("New value")
    first.type("Les Tilleuls")
    first.until(ASKED)
    first.type("")  # the template was not chosen
    assert "An answer is needed" in first.until(ASKED)
    first.type("q")
    first.until("Everything is kept")
    assert first.end() == 3
    assert answered.read(tmp_path / "state" / "first-hour.json").language is Language.ENGLISH

    again = Terminal(tmp_path)
    assert "The institution" in again.until(ASKED)
    again.type("b")
    assert "Language" in again.until(ASKED)
    again.type("q")
    assert again.end() == 3


def test_a_changed_answer_asks_for_the_description_to_be_written_anew(tmp_path: Path) -> None:
    assert main(["setup", *places(tmp_path), "--answers", str(answers_file(tmp_path))]) == 0
    installer = Installer(
        Places(site=tmp_path / "site.toml", state=tmp_path / "state", run=tmp_path / "run", rules=())
    )
    asked = {field.id: field.value for field in installer.fields(Step.PEOPLE)}
    installer.answer(Step.PEOPLE, asked)
    assert installer.answers.proof.written is not None
    installer.answer(Step.PEOPLE, {**asked, "full-name": "Anne Martin"})
    assert installer.answers.proof.written is None


def test_answers_may_be_begun_in_a_file_and_ended_on_a_terminal(tmp_path: Path) -> None:
    assert main(["setup", *places(tmp_path), "--answers", str(answers_file(tmp_path))]) == 0
    (tmp_path / "site.toml").unlink()
    terminal = Terminal(tmp_path, "--step", Step.PEOPLE)
    assert "Anne Dupont" in terminal.until("q stoppen: ")
    terminal.type("")
    assert "Schrijven en starten" in terminal.until("q stoppen: ")
    for _ in (Step.START, Step.TEST):
        terminal.type("s")
        terminal.until("q stoppen: ")
    terminal.type("s")  # all that was left is passed over: that is no end
    terminal.until("Alles is bewaard")
    assert terminal.end() == 3
    kept: Answers = answered.read(tmp_path / "state" / "first-hour.json")
    assert kept.people is not None


def test_the_papers_are_made_and_readable(tmp_path: Path) -> None:
    file = answers_file(tmp_path)
    file.write_text(f"{file.read_text()}[papers]\n")
    assert main(["setup", *places(tmp_path), "--answers", str(file)]) == 0
    made = sorted(path.name for path in (tmp_path / "state" / "papers").iterdir())
    assert len(made) == 11
    assert {"bypass.nl.pdf", "replacing.nl.pdf"} <= set(made)
    assert "impact-assessment.nl.pdf" in made
    assert all((tmp_path / "state" / "papers" / name).read_bytes().startswith(b"%PDF") for name in made)
