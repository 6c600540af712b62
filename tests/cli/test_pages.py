"""What README and the pages of docs/ say to type is what the command line takes, and their links lead somewhere."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rempart.__main__ import parser
from rempart.events.decode import DECODERS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`(rempart [^`]+)`|^[ $]*(rempart [a-z].*)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_a_page_quotes_are_taken(page: Path) -> None:
    refused = [command for command in quoted(page.read_text()) if not taken(command)]
    assert refused == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    dead = [
        f"{path}#{heading}"
        for path, heading in _LINK.findall(_BLOCK.sub("", page.read_text()))
        if not leads(page.parent / path if path else page, heading)
    ]
    assert dead == []


def test_readme_counts_the_logs_that_are_read() -> None:
    assert f"{len(DECODERS)} kinds of logs" in " ".join((ROOT / "README.md").read_text().split())


def test_a_command_that_is_not_known_would_be_found() -> None:
    assert list(quoted("`rempart contain --now` and\n$ rempart verify x  # why\n")) == [
        "rempart contain --now",
        "rempart verify x",
    ]
    assert not taken("rempart contain --now")
    assert not taken("rempart site burn")
    assert taken("rempart site check site.toml")


def quoted(text: str) -> Iterator[str]:
    """Commands in code, without what is said of them behind a #."""
    for inline, line in _QUOTED.findall(text):
        yield (inline or line).split("#")[0].split(" | ")[0].strip()


def taken(command: str) -> bool:
    """Whether its verb, its step and its options are there. Values are examples, and not judged."""
    verb: argparse.ArgumentParser = parser()
    words = [word.strip("…,;:'\"().") for word in command.split()[1:]]
    for word in words:
        if steps := below(verb):
            if word in steps:
                verb = steps[word]
            elif re.fullmatch("[a-z-]*", word) and not word.startswith("-") and word:
                return False
    return all(word.split("=")[0] in verb._option_string_actions for word in words if word.startswith("--"))


def below(verb: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers one step below, by name."""
    steps = [each for each in verb._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(steps[0].choices) if steps else {}


def leads(target: Path, heading: str) -> bool:
    """Whether the file is there, and in a page the heading, as GitHub makes its anchor."""
    if not target.exists():
        return False
    if not heading or target.suffix != ".md":
        return True
    lines = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
    return heading in {re.sub(r"[^\w\s-]", "", line.strip().lower()).replace(" ", "-") for line in lines}
