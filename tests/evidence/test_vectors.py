"""The vectors printed in the format's document: another program made them, ours must agree."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rempart.evidence import canonical, entry
from rempart.evidence.checkpoint import VerifierKey, parse, sign
from rempart.evidence.entry import Entry, Record
from rempart.evidence.merkle import Frontier
from rempart.evidence.verify import verify

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "design" / "journal.md"


@pytest.fixture(scope="module")
def vectors() -> Any:
    found = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


def test_entries_chain_and_roots_are_those_of_the_document(vectors: Any) -> None:
    frontier, previous = Frontier(), entry.NO_ENTRY
    for vector in vectors["entries"]:
        data, body = vector["entry"].encode(), vector["body"].encode()
        read = Entry.decode(data)
        assert read.encode() == data
        assert canonical.encode(canonical.decode(body)) == body
        assert read.previous == previous
        assert (
            entry.commitment(bytes.fromhex(vector["salt"]), body).hex()
            == vector["digest"]
            == read.digest.hex()
        )
        previous = entry.hash_of(data)
        frontier = frontier.append(previous)
        assert previous.hex() == vector["hash"]
        assert frontier.root().hex() == vector["root"]


def test_the_checkpoint_is_that_of_the_document(vectors: Any) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors["seed"]))
    key = VerifierKey.of(vectors["origin"], private)
    checkpoint = parse(vectors["checkpoint"])
    assert str(key) == vectors["verifier_key"]
    assert key.id.hex() == vectors["key_id"]
    assert checkpoint.signed_by(key)
    assert sign(vectors["origin"], checkpoint.size, checkpoint.root, checkpoint.at, private) == checkpoint


def test_the_journal_of_the_document_verifies_once_its_erasure_is_carried_out(vectors: Any) -> None:
    records = [
        Record(number, vector["entry"].encode(), bytes.fromhex(vector["salt"]), vector["body"].encode())
        for number, vector in enumerate(vectors["entries"], 1)
    ]
    assert verify(records, [vectors["checkpoint"]]).first_bad == 2
    records[1] = Record(2, records[1].entry)
    verdict = verify(records, [vectors["checkpoint"]], trusted=[vectors["verifier_key"]])
    assert verdict.ok
    assert (verdict.entries, verdict.erased, verdict.late) == (3, 1, 1)
