"""The rules of the corpus, loaded once, and what each event of it matches."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rempart.adapters import rules as rule_files
from rempart.adapters.collect import evtx, files
from rempart.adapters.collect.files import Batch
from rempart.detection.match import Matcher
from rempart.detection.rule import RuleSet
from rempart.detection.sigma import load
from rempart.errors import Problem
from rempart.events.decode import windows
from rempart.events.event import Event


@pytest.fixture(scope="session")
def sigma(corpus: Path) -> RuleSet:
    """All rules of the corpus, without values for placeholders."""
    return load(rule_files.read([str(corpus / "rules" / "sigma")]))


@pytest.fixture(scope="session")
def matcher(sigma: RuleSet) -> Matcher:
    return Matcher(sigma.rules)


@pytest.fixture(scope="session")
def events_of() -> Callable[[Path], Iterator[Event]]:
    """Reads the events of one file of the corpus, none of which is damaged."""
    return _events


def _events(path: Path) -> Iterator[Event]:
    if path.suffix == ".evtx":
        for record in evtx.records(str(path)):
            assert not isinstance(record, Problem)
            yield windows.decode(record[1], str(path), record[0])
        return
    for batch in files.batches(str(path)):
        assert isinstance(batch, Batch)
        for number, line in enumerate(batch.lines, batch.first):
            yield windows.decode(line, str(path), number)
