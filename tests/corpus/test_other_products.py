"""Logs of clouds, sensors and Linux: every line is an event or refused by name, and only its product's rules fire."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.adapters.collect import files
from rempart.adapters.collect.files import Batch
from rempart.detection.match import Matcher
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS
from rempart.events.event import Event

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

FOLDERS = ("cloud", "network", "linux")
PRODUCTS = {
    "aws": "otrf_aws_* panther_AWS.CloudTrail*",
    "azure": "panther_Azure.*",
    "gcp": "panther_GCP.AuditLog*",
    "github": "panther_GitHub.Audit*",
    "kubernetes": "panther_Amazon.EKS*",
    "linux": "otrf_syslog_* otrf_sh_*",
    "m365": "otrf_m365_Office* panther_Microsoft365*",
    "okta": "panther_Okta*",
    "onelogin": "panther_OneLogin*",
    "suricata": "suricata_*",
    "zeek": "otrf_zeek_* zed_zeek_*",
}


def lines(paths: list[Path]) -> Iterator[tuple[str, int, bytes]]:
    for path in sorted(paths):
        for batch in files.batches(str(path)):
            assert isinstance(batch, Batch)
            for number, line in enumerate(batch.lines, batch.first):
                yield path.name, number, line


def reads(line: bytes, name: str, number: int) -> dict[str, Event | None]:
    """What each decoder that reads the line makes of it."""
    read = {}
    refused = []
    for decoder, decode in DECODERS.items():
        try:
            read[decoder] = decode(line, name, number)
        except DecodeError as refusal:
            refused.append(refusal)
    assert all(each.what and each.where == f"{name}:{number}" for each in refused)
    return read


def test_no_line_is_read_by_two_decoders(corpus: Path) -> None:
    seen: Counter[str] = Counter()
    logs = [path for each in FOLDERS for path in (corpus / each).iterdir() if "LICENSE" not in path.name]
    logs = [path for path in logs if path.suffix in (".ndjson", ".log", ".zst")]
    for name, number, line in lines(logs):
        read = reads(line, name, number)
        assert len(read) <= 1, (name, number, list(read))
        seen.update(list(read) or ["refused"])
    assert seen["zeek"] == 24_023
    assert seen["journal"] == 143
    assert sum(seen.values()) == 25_641


@pytest.mark.parametrize("product", PRODUCTS)
def test_only_rules_of_the_product_fire(
    corpus: Path, matcher: Matcher, product: str, snapshot: SnapshotAssertion
) -> None:
    paths = [
        path
        for folder in FOLDERS
        for name in PRODUCTS[product].split()
        for path in (corpus / folder).glob(name)
    ]
    fired: dict[str, Counter[str]] = defaultdict(Counter)
    for name, number, line in lines(paths):
        for event in filter(None, reads(line, name, number).values()):
            for rule in matcher.matches(event):
                assert rule.logsource.product in (event.logsource.product, None)
                assert matcher.evidence(rule, event)
                fired[f"{event.logsource.product}/{event.logsource.service}"][rule.card.title] += 1
    assert {source: dict(sorted(rules.items())) for source, rules in sorted(fired.items())} == snapshot
