"""`rempart rules`: what loads and what does not, samples, sets in force; hostile names stay text."""

import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rempart.__main__ import main
from rempart.adapters.clock import SystemClock
from rempart.adapters.store.events import Batch, EventStore
from rempart.detection.exception import parse
from rempart.errors import ExitCode
from rempart.instants import as_datetime

ROOT = Path(__file__).resolve().parents[2]
ATTACKS = ROOT / "tests" / "attacks"
GOOD = """title: Hole tried
id: 2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11
level: medium
logsource: {category: webserver}
detection:
  asked: {cs-uri-stem|contains: /.env}
  condition: asked
"""
WAITS = GOOD.replace("5a11", "5a12").replace("contains: /.env", "expand: '%paths%'")
BAD = GOOD.replace("5a11", "5a13").replace("condition: asked", "condition: absent")
EXCEPTIONS = """
[[exceptions]]
rules = ["Hole tried"]
fields = { c-ip = "192.0.2.7" }
reason = "The scan that we ordered"
author = "A. Peeters"
until = %s
"""
LINE = '{client} - - [2026-11-20T03:00:00+00:00] "GET {path} HTTP/1.1" 404 512 "-" "Mozilla" "www.example"\n'


def folder(path: Path, **rules: str) -> str:
    path.mkdir(parents=True)
    for name, text in rules.items():
        (path / f"{name}.yml").write_text(text)
    return str(path)


# -- check ------------------------------------------------------------------------------------------------------------


def test_the_table_says_of_every_rule_what_became_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "check", folder(tmp_path / "r", a=GOOD, b=WAITS, c=BAD)]) == ExitCode.FOUND
    loads, waits, refused, total = capsys.readouterr().out.replace(str(tmp_path), "").splitlines()
    assert loads.split() == ["loads", "medium", "/r/a.yml,", "line", "2", "Hole", "tried"]
    assert waits.split()[:4] == ["waits", "/r/b.yml,", "line", "6"]
    assert "%paths%" in waits
    assert refused.split()[:4] == ["refused", "/r/c.yml,", "line", "7"]
    assert "absent" in refused
    assert total == "1 load, 1 wait for values of the site, 1 refused."


def test_the_table_as_lines_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", folder(tmp_path / "r", a=GOOD), "--format", "jsonl"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {
        "state": "loads",
        "file": str(tmp_path / "r" / "a.yml"),
        "line": 2,
        "level": "medium",
        "said": "Hole tried",
        "mend": None,
    }


def test_with_the_site_every_rule_of_rempart_loads(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["rules", "check", str(ROOT / "rules"), "--site", str(ATTACKS / "site.toml")])
    assert capsys.readouterr().out.endswith("0 wait for values of the site, 0 refused.\n")
    assert code == ExitCode.OK


def test_what_is_built_on_a_rule_that_waits_is_not_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", str(ROOT / "rules" / "network")]) == ExitCode.OK
    assert capsys.readouterr().out.endswith(" 2 wait for values of the site, 0 refused.\n")


def test_a_hostile_title_moves_no_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("Hole tried", '"\\e[2Jgone\\u202e"')
    main(["rules", "check", folder(tmp_path / "r", a=text)])
    assert "\\u{1b}[2Jgone\\u{202e}" in capsys.readouterr().out


@pytest.mark.parametrize(("until", "ended"), [("2020-01-31", True), ("2999-01-31", False)])
def test_exceptions_beside_the_site_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], until: str, ended: bool
) -> None:
    shutil.copy(ATTACKS / "site.toml", tmp_path / "site.toml")
    (tmp_path / "exceptions.toml").write_text(EXCEPTIONS % until)
    command = ["rules", "check", folder(tmp_path / "r", a=GOOD), "--site", str(tmp_path / "site.toml")]
    assert main(command) == ExitCode.OK
    told = capsys.readouterr().err
    assert f"hides Hole tried where c-ip = 192.0.2.7 until {until} (The scan that we ordered" in told
    assert ("HAS ENDED" in told) == ended
    (tmp_path / "exceptions.toml").write_text((EXCEPTIONS % until).replace("Hole tried", "Hole tired"))
    assert main(command) == ExitCode.FOUND
    assert "Did you mean 'hole tried'?" in capsys.readouterr().err
    (tmp_path / "exceptions.toml").write_text("[[exceptions]]\n")
    assert main(command) == ExitCode.USAGE
    assert "4 mistake(s)" in capsys.readouterr().err


# -- test -------------------------------------------------------------------------------------------------------------


def sample(path: Path, expected: list[dict[str, Any]], *, benign: str = "/") -> Path:
    (path / "benign").mkdir(parents=True)
    (path / "README.md").write_text("# A hole is tried\n")
    (path / "nginx.log").write_text(LINE.format(client="192.0.2.7", path="/.env"))
    (path / "benign" / "nginx.log").write_text(LINE.format(client="192.0.2.8", path=benign))
    (path / "expected.json").write_text(json.dumps(expected))
    return path


def test_the_rules_of_rempart_and_their_attacks(capsys: pytest.CaptureFixture[str]) -> None:
    attacks = [str(ATTACKS / name) for name in ("website-probes", "listed", "files-locked")]
    assert main(["rules", "test", *attacks]) == ExitCode.OK
    told = capsys.readouterr().out
    assert told.count("as expected") == 3
    assert "no sample" in told


def test_what_is_expected_may_name_only_what_matters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attack = sample(tmp_path / "attack", [{"title": "Hole tried", "level": "medium", "findings": 1}])
    assert main(["rules", "test", str(attack), "--rules", folder(tmp_path / "r", a=GOOD)]) == ExitCode.OK
    assert capsys.readouterr().out.endswith("1 samples; 0 rules that no sample shows.\n")


def test_every_difference_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = [{"title": "Hole tried", "level": "high", "colour": "red"}, {"title": "Other"}]
    attack = sample(tmp_path / "attack", expected, benign="/.env")
    (attack / "README.md").unlink()
    more = GOOD.replace("Hole tried", "More").replace("5a11", "5a14")
    rules = folder(tmp_path / "r", a=GOOD, b=more)
    assert main(["rules", "test", str(tmp_path), "--rules", rules]) == ExitCode.FOUND
    told = [line.strip() for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert told == [
        "README.md is missing",
        "'Hole tried': 'level' is 'medium', expected 'high'",
        "'Hole tried': 'colour' is None, expected 'red'",
        "'Other' was not told",
        "'More' was told and not expected",
        "benign: 'Hole tried' should be silent",
        "benign: 'More' should be silent",
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("teapot.log", "", "no decoder is called 'teapot'"),
        ("nginx.log", "not a line of nginx", "nginx.log, line 1"),
        ("expected.json", "{", "expected.json"),
        ("expected.json", "[1]", "no list of"),
    ],
)
def test_a_sample_that_cannot_be_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, told: str
) -> None:
    attack = sample(tmp_path / "attack", [])
    (attack / name).write_text(text)
    rules = folder(tmp_path / "r", a=GOOD)
    assert main(["rules", "test", str(attack), "--rules", rules]) == ExitCode.USAGE
    assert told in capsys.readouterr().err


def test_without_a_sample_nothing_is_called_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "test", str(tmp_path)]) == ExitCode.USAGE
    assert "no attack directory" in capsys.readouterr().err


# -- supply -----------------------------------------------------------------------------------------------------------


def test_install_list_and_roll_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = ["--state", str(tmp_path / "state")]
    assert main(["rules", "rollback", *state]) == ExitCode.USAGE
    assert main(["rules", "install", folder(tmp_path / "one", a=GOOD, b=WAITS, c=BAD), *state]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "refused  c.yml, line 7" in told
    assert "1 rules load, 1 wait for values of the site, 1 refused." in told
    archive = tmp_path / "two.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.yml", GOOD)
    assert main(["rules", "install", str(archive), *state, "--sha256", "00"]) == ExitCode.USAGE
    assert main(["rules", "install", str(archive), *state]) == ExitCode.OK
    assert "nobody has vouched" in capsys.readouterr().out
    assert main(["rules", "rollback", *state]) == ExitCode.OK
    assert main(["rules", "list", *state]) == ExitCode.OK
    listed = capsys.readouterr().out.splitlines()[2:]
    assert listed[0].startswith("own ")
    assert listed[1].startswith(f"in force   {tmp_path}/one since 2")
    assert listed[3].startswith(f"previous   {archive} since 2")


def test_a_set_of_which_nothing_loads_is_not_put_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ["--state", str(tmp_path / "state")]
    assert main(["rules", "install", folder(tmp_path / "one", c=BAD), *state]) == ExitCode.USAGE
    assert "no rule of it can be used" in capsys.readouterr().err
    assert main(["rules", "list", *state]) == ExitCode.OK
    assert "in force   none installed" in capsys.readouterr().out


# -- SigmaHQ's regression data ----------------------------------------------------------------------------------------

INFO = """
rule_metadata: [{id: 2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11, title: Hole tried}]
regression_tests_info: [{type: evtx, match_count: 1, path: regression_data/web/a.evtx}]
"""


@pytest.mark.parametrize(
    ("info", "code", "told"),
    [
        (INFO, ExitCode.USAGE, "a.evtx"),
        (INFO.replace("5a11", "5a99"), ExitCode.USAGE, "a.evtx"),
        (INFO.replace("evtx", "text"), ExitCode.OK, "1 samples"),
        ("[unclosed", ExitCode.USAGE, "info.yml"),
        ("a: 1", ExitCode.USAGE, "it does not say which rule matches what"),
    ],
)
def test_regression_data_that_cannot_be_used_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], info: str, code: ExitCode, told: str
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "info.yml").write_text(info)
    rules = folder(tmp_path / "r", a=GOOD)
    assert main(["rules", "test", str(tmp_path / "data"), "--rules", rules]) == code
    shown = capsys.readouterr()
    assert told in shown.out + shown.err


@pytest.mark.corpus
def test_regression_data_of_sigmahq(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = corpus / "regression" / "rules-emerging-threats"
    rule = next(data.rglob("info.yml")).parent.name
    shutil.copytree(next(data.rglob(rule)), tmp_path / "data", copy_function=shutil.copyfile)
    (tmp_path / "data").chmod(0o755)
    rules = [str(next((corpus / "rules").rglob(f"{rule}.yml")))]
    assert main(["rules", "test", str(tmp_path / "data"), "--rules", *rules]) == ExitCode.OK
    info = tmp_path / "data" / "info.yml"
    info.write_text(info.read_text().replace("match_count: 1", "match_count: 7"))
    assert main(["rules", "test", str(tmp_path / "data"), "--rules", *rules]) == ExitCode.FOUND
    assert "matched 1 times, stated are 7" in capsys.readouterr().out


# -- except -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose watch kept 40 requests, half of them of a scan that somebody ordered."""
    shutil.copy(ATTACKS / "site.toml", tmp_path / "site.toml")
    folder(tmp_path / "set", a=GOOD)
    assert main(["rules", "install", str(tmp_path / "set"), "--state", str(tmp_path)]) == ExitCode.OK
    now = SystemClock().now()
    lines = [
        f"{'192.0.2.7' if number % 2 else f'198.51.100.{number + 10}'} - - [{as_datetime(now).isoformat()}] "
        f'"GET /.env?{number} HTTP/1.1" 404 512 "-" "Mozilla" "www.example"'
        for number in range(40)
    ]
    (tmp_path / "watch").mkdir()
    store = EventStore(tmp_path / "watch" / "events.db")
    store.append(
        [
            Batch(
                id=1,
                read=now,
                source="access.log",
                decoder="nginx",
                numbers=list(range(40)),
                bodies=[line.encode() for line in lines],
                position=b"{}",
            )
        ]
    )
    store.close()
    return tmp_path


def excepted(home: Path, *words: str) -> int:
    until = (as_datetime(SystemClock().now()) + timedelta(days=30)).date().isoformat()
    asked = ["rules", "except", "--site", str(home / "site.toml"), "--state", str(home)]
    return main(
        [*asked, "--until", until, "--by", "A. Peeters", "--reason", "The scan that we ordered", *words]
    )


def test_a_preview_shows_what_an_exception_would_have_hidden_and_writes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert excepted(home, "--rule", "Hole tried", "--field", "c-ip=192.0.2.7", "--preview") == ExitCode.OK
    told = capsys.readouterr().out
    assert "of 40 events" in told
    assert "Hole tried" in told
    assert "192.0.2.7" in told
    assert "198.51.100" not in told
    assert not (home / "exceptions.toml").exists()


def test_an_exception_is_written_beside_the_others_and_reads_well(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "exceptions.toml").write_text(EXCEPTIONS % "2030-01-01")
    assert excepted(home, "--rule", "Hole tried", "--field", "c-ip=198.51.100.0/24") == ExitCode.OK
    first, second = parse((home / "exceptions.toml").read_text(), "exceptions.toml").exemptions
    assert first.fields[0][1][0].text == "192.0.2.7"
    assert (second.author, second.fields[0][1][0].text) == ("A. Peeters", "198.51.100.0/24")


def test_what_hides_something_grave_is_not_written_unless_one_insists(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grave = GOOD.replace("level: medium", "level: critical")
    folder(home / "grave", a=grave)
    assert main(["rules", "install", str(home / "grave"), "--state", str(home)]) == ExitCode.OK
    hides = ("--rule", "Hole tried", "--field", "c-ip=192.0.2.7")
    assert excepted(home, *hides) == ExitCode.FOUND
    assert "nothing was written" in capsys.readouterr().out
    assert not (home / "exceptions.toml").exists()
    assert excepted(home, *hides, "--even-grave") == ExitCode.OK


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--rule", "Nothing of this name"),
        ("--field", "c-ip"),
        ("--field", "c-ip=*"),
        ("--rule", "x\u202e"),
    ],
)
def test_an_exception_that_would_hide_all_or_nothing_is_refused(home: Path, words: tuple[str, ...]) -> None:
    assert excepted(home, *words) == ExitCode.USAGE
    assert not (home / "exceptions.toml").exists()
