"""The Merkle tree over the journal: leaves, roots and proofs (RFC 6962, section 2.1).

Sizes count leaves; indexes start at 0, so entry *n* is leaf *n* - 1. Hashes are 32 bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

EMPTY = sha256().digest()
"""The root of no leaf at all."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf. The prefix keeps a leaf from passing for a node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the full subtrees of a growing tree, largest first: all it takes to append and to know the root.

    One peak for each bit set in ``size``.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        """The frontier with one more leaf hash: as many merges as ``size`` ends in set bits."""
        peaks, size = self.peaks, self.size
        while size & 1:
            leaf, peaks, size = node_hash(peaks[-1], leaf), peaks[:-1], size >> 1
        return Frontier(self.size + 1, (*peaks, leaf))

    def root(self) -> bytes:
        """The Merkle tree hash over all leaves."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def encode(self) -> bytes:
        """The peaks one after the other."""
        return b"".join(self.peaks)

    @classmethod
    def decode(cls, size: int, data: bytes) -> "Frontier":
        """The frontier of ``size`` leaves from its peaks; raises ValueError when their number cannot be."""
        if size < 0 or len(data) != 32 * size.bit_count():
            raise ValueError(f"{len(data)} bytes are no frontier of {size} leaves")
        return cls(size, tuple(data[at : at + 32] for at in range(0, len(data), 32)))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over these leaf hashes, as the RFC defines it (MTH)."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The audit path of one leaf, nearest first (PATH). Raises IndexError for a leaf that is not there."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(index, leaves[:split]), root_of(leaves[split:])]
    return [*inclusion_proof(index - split, leaves[split:]), root_of(leaves[:split])]


def consistency_proof(old: int, leaves: Sequence[bytes]) -> list[bytes]:
    """What shows that the tree of the first ``old`` leaves grew into this one (PROOF). 1 <= old <= len(leaves)."""
    if not 1 <= old <= len(leaves):
        raise IndexError(f"no tree of {old} leaves within {len(leaves)}")
    return _subproof(old, leaves, whole=True)


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows that ``leaf`` is leaf ``index`` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    last, result = size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            result = node_hash(step, result)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            result = node_hash(result, step)
        index, last = index >> 1, last >> 1
    return last == 0 and result == root


def consistent(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether ``proof`` shows that the tree of ``old`` leaves begins that of ``new`` (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if not 1 <= old < new or not proof:
        return False
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            after = node_hash(after, step)
        first, last = first >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _subproof(old: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of the RFC; ``whole`` while the verifier knows the old root already."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = _split(len(leaves))
    if old <= split:
        return [*_subproof(old, leaves[:split], whole=whole), root_of(leaves[split:])]
    return [*_subproof(old - split, leaves[split:], whole=False), root_of(leaves[:split])]
