"""Signed checkpoints: the note of another implementation, and every bit of our own."""

import base64
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rempart.evidence.checkpoint import NotACheckpoint, VerifierKey, parse, sign, valid_origin
from rempart.instants import Instant

OLD, NEW = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
ORIGIN = "rempart/home"
NOTE = sign(ORIGIN, 5, bytes(range(32)), Instant(1_790_000_000_000_000), OLD, NEW)
KEYS = [VerifierKey.of(ORIGIN, key) for key in (OLD, NEW)]


def test_the_key_and_signature_of_another_implementation() -> None:
    """The example in the documentation of Go's golang.org/x/mod/sumdb/note."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    coded = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    data = base64.b64decode(coded)
    assert data[:4] == key.id
    assert key.signed(text.encode(), data[4:])
    assert not key.signed(text.encode() + b" ", data[4:])


def test_what_is_signed_is_parsed_and_vouched_for_by_each_key() -> None:
    assert parse(NOTE.note) == NOTE
    assert all(NOTE.signed_by(key) for key in KEYS)
    stranger = VerifierKey.of(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32))
    assert not NOTE.signed_by(stranger)
    assert all(VerifierKey.parse(str(key)) == key for key in KEYS)


def test_every_flipped_bit_is_found() -> None:
    data = NOTE.note.encode()
    for at in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        try:
            read = parse(bytes(flipped).decode(errors="replace"))
        except NotACheckpoint:
            continue
        assert not all(read.signed_by(key) for key in KEYS)


@given(st.text())
def test_any_text_is_a_checkpoint_or_refused(text: str) -> None:
    for candidate in (text, NOTE.note[:40] + text, text + NOTE.note[40:]):
        with suppress(NotACheckpoint):
            assert parse(candidate).note == candidate


@given(st.text())
def test_any_text_is_a_verifier_key_or_refused(text: str) -> None:
    for candidate in (text, f"{ORIGIN}+{text}", f"{text}+{KEYS[0]}"):
        with suppress(NotACheckpoint):
            assert str(VerifierKey.parse(candidate)) == candidate


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "é", "x" * 201])
def test_an_origin_cannot_forge_lines(origin: str) -> None:
    assert not valid_origin(origin)
