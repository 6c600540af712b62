"""A baseline: what the files of a machine were at a moment, signed, so that before and after can be compared.

Text, one file: a line a path as canonical JSON in the order of paths, a blank line, and a checkpoint (C2SP) whose root
is the RFC 6962 tree over those lines. What could not be looked at is a line too: a comparison says *not checked*, never
"unchanged", of it. It says what was compared, not that a machine is clean.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rempart.evidence import canonical, checkpoint
from rempart.evidence.checkpoint import Checkpoint, NotACheckpoint, VerifierKey
from rempart.evidence.merkle import Frontier, leaf_hash
from rempart.instants import Instant


class NotABaseline(ValueError):
    """The text is no baseline, or not what was signed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One path. ``digest``: SHA-256 in hex of a file's bytes, or of a link's target; empty for a folder.

    ``why`` says why it was not checked; empty: it was.
    """

    path: str
    """Percent-encoded (RFC 3986), so that any bytes a file is named by survive."""
    kind: str
    mode: int
    owner: int
    group: int
    size: int
    digest: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Everything that was looked at, in the order of paths, and the signed root over it."""

    looked: Mapping[str, Looked]
    seal: Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two baselines say of each other. Paths of the first four are disjoint."""

    same: int
    changed: tuple[tuple[str, str], ...]
    """Path and what differs: content, mode, owner, kind."""
    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    not_checked: tuple[tuple[str, str], ...]
    """Path and why, in either."""

    @property
    def checked(self) -> int:
        """How many paths could be compared."""
        return self.same + len(self.changed) + len(self.appeared) + len(self.gone)

    @property
    def untouched(self) -> bool:
        """Whether nothing that was checked differs."""
        return not (self.changed or self.appeared or self.gone)


def written(asset: str, looked: Iterable[Looked], at: Instant, key: Ed25519PrivateKey) -> str:
    """The baseline as text, signed. ``asset`` names the machine: printable ASCII without space or plus."""
    lines = [_line(each) for each in sorted(looked, key=lambda each: each.path)]
    seal = checkpoint.sign(origin_of(asset), len(lines), _root(lines), at, key)
    return "".join(f"{line}\n" for line in lines) + "\n" + seal.note


def read(text: str, asset: str, verifier: VerifierKey) -> Baseline:
    """The baseline of that machine. Raises `NotABaseline` unless it is whole, in order and signed by that key."""
    body, gap, note = text.partition("\n\n") if not text.startswith("\n") else ("", "\n", text[1:])
    if not gap:
        raise NotABaseline("it has no checkpoint at its end")
    try:
        seal = checkpoint.parse(note)
    except NotACheckpoint as fault:
        raise NotABaseline(f"its checkpoint cannot be read: {fault}") from fault
    lines = body.split("\n") if body else []
    if seal.origin != origin_of(asset):
        raise NotABaseline(f"it is of {seal.origin}, not of {origin_of(asset)}")
    if (seal.size, seal.root) != (len(lines), _root(lines)):
        raise NotABaseline("its lines are not those that were signed")
    if not seal.signed_by(verifier):
        raise NotABaseline("it is not signed by that key")
    looked = [_looked(line) for line in lines]
    if [each.path for each in looked] != sorted({each.path for each in looked}):
        raise NotABaseline("its paths are not in order, or one is there twice")
    return Baseline(looked={each.path: each for each in looked}, seal=seal)


def compare(before: Mapping[str, Looked], after: Mapping[str, Looked]) -> Comparison:
    """What differs. A path that either could not look at is not checked, whatever the other saw."""
    same, changed, blind = 0, [], []
    both = sorted(before.keys() & after.keys())
    for path in both:
        old, new = before[path], after[path]
        if why := old.why or new.why:
            blind.append((path, why))
        elif differs := _differences(old, new):
            changed.append((path, ", ".join(differs)))
        else:
            same += 1
    appeared, hidden = _seen(after, before)
    gone, lost = _seen(before, after)
    return Comparison(
        same=same,
        changed=tuple(changed),
        appeared=appeared,
        gone=gone,
        not_checked=tuple(sorted([*blind, *hidden, *lost])),
    )


def _seen(
    one: Mapping[str, Looked], other: Mapping[str, Looked]
) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Paths that only ``one`` has: those it saw, and those not checked because one of the two was blind there."""
    only = sorted(one.keys() - other.keys())
    blind = {path for path, looked in other.items() if looked.why}
    seen, hidden = [], []
    for path in only:
        above = next((folder for folder in _folders(path) if folder in blind), None)
        if one[path].why:
            hidden.append((path, one[path].why))
        elif above is not None:
            hidden.append((path, f"the other could not look into {above}: {other[above].why}"))
        else:
            seen.append(path)
    return tuple(seen), hidden


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _differences(old: Looked, new: Looked) -> list[str]:
    return [
        name
        for name, one, other in (
            ("kind", old.kind, new.kind),
            ("content", (old.digest, old.size), (new.digest, new.size)),
            ("mode", old.mode, new.mode),
            ("owner", (old.owner, old.group), (new.owner, new.group)),
        )
        if one != other
    ]


_TYPES: dict[str, type] = {
    **dict.fromkeys(("path", "kind", "digest", "why"), str),
    **dict.fromkeys(("mode", "owner", "group", "size"), int),
}


def origin_of(asset: str) -> str:
    """The name under which a machine's baselines are signed."""
    return f"rempart-baseline/{asset}"


def _root(lines: Sequence[str]) -> bytes:
    tree = Frontier()
    for line in lines:
        tree = tree.append(leaf_hash(line.encode()))
    return tree.root()


def _line(looked: Looked) -> str:
    said = {name: getattr(looked, name) for name in Looked.__dataclass_fields__}
    return canonical.encode(said).decode()


def _looked(line: str) -> Looked:
    try:
        said = canonical.decode(line.encode())
    except canonical.NotCanonical as fault:
        raise NotABaseline(f"a line cannot be read: {fault}") from fault
    if not isinstance(said, dict) or {name: type(value) for name, value in said.items()} != _TYPES:
        raise NotABaseline(f"a line is not of a path: {line[:80]!a}")
    return Looked(**said)
