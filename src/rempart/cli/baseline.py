"""``rempart baseline``: what the files of a machine were, signed, and what has changed since."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rempart.adapters import tree
from rempart.adapters.clock import SystemClock
from rempart.cli._terminal import harmless
from rempart.edge import whole
from rempart.errors import ExitCode, InputRefused
from rempart.evidence import baseline
from rempart.evidence.baseline import Baseline, Comparison, NotABaseline
from rempart.evidence.checkpoint import NotACheckpoint, VerifierKey, valid_origin
from rempart.instants import rfc3339

_DESCRIPTION = """\
Makes a signed manifest of a folder (a machine's disk, mounted; or its share) and compares two. It tells what was
checked, what changed, and what was NOT checked; "no trace found in what was checked" is never "clean". Keep the key
away from the machine that is looked at; note the verifier key it prints. Contents are hashed, never kept.

exit codes: 0 no trace found in what was checked, and all was checked; 1 something differs; 2 not a baseline, or not
signed by that key; 3 nothing differs, but not everything could be checked"""

_SHOWN = 200


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart baseline``."""
    parser = verbs.add_parser(
        "baseline",
        help="sign what a machine's files are; compare before and after",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    make = steps.add_parser("make", help="look at a folder and sign what was seen")
    make.add_argument("asset", help="the machine's id in site.toml")
    make.add_argument("root", type=Path, help="the folder to look at")
    make.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="where the baseline goes: a new file"
    )
    make.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="the signing key; made if it is not there"
    )
    make.add_argument(
        "--skip", action="append", default=[], metavar="PATTERN", help="paths to leave out: var/log/*"
    )
    compare = steps.add_parser("compare", help="what differs between two baselines of a machine")
    compare.add_argument("asset", help="the machine's id in site.toml")
    compare.add_argument("before", type=Path, metavar="BEFORE", help="the baseline made while all was well")
    compare.add_argument("after", type=Path, metavar="AFTER", help="the baseline made now")
    compare.add_argument("--verifier", required=True, metavar="KEY", help="as `make` printed it")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make or compare."""
    if not valid_origin(arguments.asset):
        raise InputRefused(f"{arguments.asset!a} cannot name a machine", now="Use its id in site.toml.")
    return _make(arguments) if arguments.step == "make" else _compare(arguments)


def _make(arguments: argparse.Namespace) -> int:
    key = _key(arguments.key)
    try:
        looked = list(tree.look(arguments.root, tuple(arguments.skip)))
    except OSError as fault:
        raise InputRefused(
            f"it cannot be looked at: {fault.strerror}", where=str(arguments.root), now="Name a folder."
        ) from None
    text = baseline.written(arguments.asset, looked, SystemClock().now(), key)
    try:
        with arguments.out.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as fault:
        raise InputRefused(
            f"cannot be written: {fault.strerror}", where=str(arguments.out), now="Give another --out."
        ) from None
    verifier = VerifierKey.of(baseline.origin_of(arguments.asset), key)
    made = baseline.read(text, arguments.asset, verifier)
    blind = sum(bool(each.why) for each in looked)
    print(f"{arguments.out}: {len(looked)} paths, {blind} of them not checked, root {made.seal.root.hex()}")
    print(f"note this, away from the machine: --verifier '{verifier}'")
    return ExitCode.PARTIAL if blind else ExitCode.OK


def _compare(arguments: argparse.Namespace) -> int:
    try:
        verifier = VerifierKey.parse(arguments.verifier)
    except NotACheckpoint as fault:
        raise InputRefused(f"--verifier is no key: {fault}", now="Give what `make` printed.") from None
    before = _read(arguments.before, arguments.asset, verifier)
    after = _read(arguments.after, arguments.asset, verifier)
    found = baseline.compare(before.looked, after.looked)
    for line in told(arguments.asset, before, after, found):
        print(harmless(line, 400))
    if not found.untouched:
        return ExitCode.FOUND
    return ExitCode.PARTIAL if found.not_checked else ExitCode.OK


def told(asset: str, before: Baseline, after: Baseline, found: Comparison) -> Iterator[str]:
    """The comparison in words."""
    yield f"{asset}: {rfc3339(before.seal.at)} against {rfc3339(after.seal.at)}"
    yield f"checked: {found.checked} paths"
    lists = (
        ("changed", [f"{path} ({what})" for path, what in found.changed]),
        ("appeared", list(found.appeared)),
        ("gone", list(found.gone)),
        ("NOT checked", [f"{path}: {why}" for path, why in found.not_checked]),
    )
    for title, paths in lists:
        yield f"{title}: {len(paths)}"
        yield from (f"  {path}" for path in paths[:_SHOWN])
        if len(paths) > _SHOWN:
            yield f"  and {len(paths) - _SHOWN} more"
    if found.untouched:
        yield "no trace found in what was checked"


def _read(path: Path, asset: str, verifier: VerifierKey) -> Baseline:
    try:
        return baseline.read(path.read_text(encoding="utf-8"), asset, verifier)
    except OSError as fault:
        raise InputRefused(
            f"it cannot be read: {fault.strerror}", where=str(path), now="Name a baseline."
        ) from None
    except (NotABaseline, UnicodeDecodeError) as fault:
        raise InputRefused(
            f"this is no baseline to rely on: {fault}", where=str(path), now="Take another copy of it."
        ) from None


def _key(path: Path) -> Ed25519PrivateKey:
    """The signing key in a file of 32 bytes that nobody else may read; a new one when there is none."""
    try:
        if path.exists():
            return Ed25519PrivateKey.from_private_bytes(_beginning(path))
        key = Ed25519PrivateKey.generate()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes_raw())
            file.flush()
            os.fsync(descriptor)
        whole.settle(path.parent)
        return key
    except (OSError, ValueError) as fault:
        raise InputRefused(
            f"the key cannot be used: {_why(fault)}", where=str(path), now="Give another --key."
        ) from None


def _beginning(path: Path) -> bytes:
    """Enough of a file to see whether it is a key: no more, since it may be anything."""
    with path.open("rb") as file:
        return file.read(33)


def _why(fault: OSError | ValueError) -> str:
    return str((isinstance(fault, OSError) and fault.strerror) or fault)
