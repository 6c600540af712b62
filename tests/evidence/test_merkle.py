"""The Merkle tree against the vectors of Certificate Transparency, and its proofs under hypothesis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.evidence.merkle import (
    EMPTY,
    Frontier,
    consistency_proof,
    consistent,
    includes,
    inclusion_proof,
    leaf_hash,
    root_of,
)

LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The eight leaves of the reference tests of RFC 6962's log implementation."""

ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}

CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_the_reference_ones(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier = frontier.append(leaf)
    assert frontier.root().hex() == ROOTS[size]


def test_the_inclusion_proofs_are_the_reference_ones() -> None:
    for (index, size), proof in INCLUSION.items():
        assert [step.hex() for step in inclusion_proof(index, LEAVES[:size])] == proof


def test_the_consistency_proofs_are_the_reference_ones() -> None:
    for (old, size), proof in CONSISTENCY.items():
        assert [step.hex() for step in consistency_proof(old, LEAVES[:size])] == proof


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(n.to_bytes(4)) for n in range(size)]


def test_every_proof_of_every_small_tree_holds() -> None:
    for size in range(1, 33):
        all_leaves, root = leaves(size), root_of(leaves(size))
        for index in range(size):
            assert includes(all_leaves[index], index, size, inclusion_proof(index, all_leaves), root)
            old = index + 1
            proof = consistency_proof(old, all_leaves)
            assert consistent(old, size, proof, root_of(all_leaves[:old]), root)


@given(st.integers(1, 300), st.data())
def test_an_inclusion_proof_holds_for_its_leaf_only(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    all_leaves = leaves(size)
    proof, root = inclusion_proof(index, all_leaves), root_of(all_leaves)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else index
    assert includes(all_leaves[index], index, size, proof, root)
    assert not includes(all_leaves[other], index, size, proof, root) or other == index
    assert not includes(all_leaves[index], index, size, [*proof, EMPTY], root)
    assert not includes(all_leaves[index], size, size, proof, root)
    assert not proof or not includes(all_leaves[index], index, size, proof[:-1], root)


@given(st.integers(2, 300), st.data())
def test_a_consistency_proof_holds_for_its_trees_only(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    all_leaves = leaves(size)
    proof, before, now = consistency_proof(old, all_leaves), root_of(all_leaves[:old]), root_of(all_leaves)
    assert consistent(old, size, proof, before, now)
    assert not consistent(old, size, proof, EMPTY, now)
    assert not consistent(old, size, proof, before, EMPTY)
    assert not consistent(old, size, [], before, now)
    at = data.draw(st.integers(0, len(proof) - 1))
    assert not consistent(old, size, [*proof[:at], EMPTY, *proof[at + 1 :]], before, now)


@given(st.integers(0, 400))
def test_a_frontier_survives_being_written(size: int) -> None:
    frontier = Frontier()
    for leaf in leaves(size):
        frontier = frontier.append(leaf)
    assert Frontier.decode(size, frontier.encode()) == frontier
    assert frontier.root() == root_of(leaves(size))
    with pytest.raises(ValueError):
        Frontier.decode(size, frontier.encode() + b"\x00")
