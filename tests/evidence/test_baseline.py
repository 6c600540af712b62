"""Baselines: what goes in comes out, any flipped bit is found, and nothing that was not checked is called unchanged."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.evidence.baseline import Looked, NotABaseline, compare, origin_of, read, written
from rempart.evidence.checkpoint import VerifierKey
from rempart.instants import Instant

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = VerifierKey.of(origin_of("pc"), KEY)
AT = Instant(1_700_000_000_000_000)

PATHS = st.text(alphabet="abc/._%20", min_size=1, max_size=12)
LOOKED = st.builds(
    Looked,
    path=PATHS,
    kind=st.sampled_from(["file", "folder", "link"]),
    mode=st.sampled_from([0o644, 0o4755]),
    owner=st.sampled_from([0, 1000]),
    group=st.just(0),
    size=st.integers(0, 9),
    digest=st.sampled_from(["", "aa", "bb"]),
    why=st.sampled_from(["", "", "", "Permission denied"]),
)
MACHINES = st.lists(LOOKED, max_size=12, unique_by=lambda each: each.path)


def by_path(looked: list[Looked]) -> dict[str, Looked]:
    return {each.path: each for each in looked}


@given(MACHINES)
def test_what_goes_in_comes_out(looked: list[Looked]) -> None:
    assert read(written("pc", looked, AT, KEY), "pc", VERIFIER).looked == by_path(looked)


@settings(max_examples=60)
@given(MACHINES, st.data())
def test_any_flipped_bit_is_found(looked: list[Looked], data: st.DataObject) -> None:
    text = written("pc", looked, AT, KEY)
    raw = bytearray(text.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 6))
    with pytest.raises((NotABaseline, UnicodeDecodeError)):
        read(raw.decode(), "pc", VERIFIER)


def test_another_machine_and_another_key_are_refused() -> None:
    text = written("pc", [], AT, KEY)
    with pytest.raises(NotABaseline, match="it is of rempart-baseline/pc"):
        read(text, "server", VERIFIER)
    other = VerifierKey.of(origin_of("pc"), Ed25519PrivateKey.generate())
    with pytest.raises(NotABaseline, match="not signed by that key"):
        read(text, "pc", other)
    with pytest.raises(NotABaseline, match="no checkpoint"):
        read("nothing", "pc", VERIFIER)


@given(MACHINES, MACHINES)
def test_every_path_is_told_once_and_what_was_not_checked_is_said_so(
    one: list[Looked], other: list[Looked]
) -> None:
    before, after = by_path(one), by_path(other)
    found = compare(before, after)
    told = [
        *(path for path, _ in found.changed),
        *found.appeared,
        *found.gone,
        *(path for path, _ in found.not_checked),
    ]
    assert len(told) == len(set(told))
    assert len(told) + found.same == len(before.keys() | after.keys())
    blind = {path for path, looked in (*before.items(), *after.items()) if looked.why}
    assert blind <= {path for path, _ in found.not_checked}


FILE = Looked(path="bin/x", kind="file", mode=0o755, owner=0, group=0, size=3, digest="aa")


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (replace(FILE, digest="bb"), "content"),
        (replace(FILE, mode=0o4755), "mode"),
        (replace(FILE, owner=1000), "owner"),
        (replace(FILE, kind="link", digest="cc"), "kind, content"),
    ],
)
def test_what_differs_is_named(after: Looked, what: str) -> None:
    found = compare({"bin/x": FILE}, {"bin/x": after})
    assert found.changed == (("bin/x", what),)
    assert not found.untouched


def test_a_file_in_a_folder_the_other_could_not_enter_is_not_called_new() -> None:
    closed = replace(FILE, path="bin", kind="folder", digest="", why="Permission denied")
    found = compare({"bin": closed}, {"bin": replace(closed, why=""), "bin/x": FILE})
    assert found.appeared == ()
    assert found.not_checked[1] == ("bin/x", "the other could not look into bin: Permission denied")
