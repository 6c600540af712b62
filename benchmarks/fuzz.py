"""Fuzzes what hostile bytes reach: decoders, joined lines, rule files, matching. Coverage guides the bytes (atheris).

    scripts/bench fuzz [TARGET ...] [--seconds 60] [--keep FOLDER]     without a target: all, one after the other

Allowed: `DecodeError` from a decoder; from rules nothing, they are listed as refused. No event may take `SLOW` seconds.
What breaks this is left in the folder and named; ``--again TARGET FILE`` runs one input alone, without instruments.
Exit code 1 when something was found.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SLOW = 0.05
"""Seconds of CPU that one event may take, uninstrumented."""
LOADING = 2.0
"""Seconds of CPU that one rule file may take: hostile rules only cost the time of whoever installs them."""
TRIES = 3
"""A machine that is busy is slow now and then; what is slow each time is slow."""

HEADER = b"EventID,Channel,AuditData"
"""Begins a table."""

Target = Callable[[bytes], None]


def decoding(name: str) -> Target:
    """Any bytes are an event, nothing of interest, or refused."""
    from rempart.errors import DecodeError
    from rempart.events.decode import DECODERS

    decode = DECODERS[name]

    def target(data: bytes) -> None:
        with suppress(DecodeError):
            decode(data, "fuzz", 1)

    return target


def joining() -> Target:
    """Lines that are given with others: as many come out as went in, each beginning as it did, and all can be read."""
    from rempart.errors import DecodeError
    from rempart.events.decode import auditd, zeek
    from rempart.events.joining import Joining

    def target(data: bytes) -> None:
        joining, lines = Joining(), data.split(b"\n")
        waiting = joining.unfinished(lines)
        assert 0 <= waiting <= min(64, len(lines))
        joined = joining.joined(lines)
        assert len(joined) == len(lines)
        for line, whole in zip(lines, joined, strict=True):
            assert whole.startswith(line) or whole.endswith(line)
            for decode in (auditd.decode, zeek.decode):
                with suppress(DecodeError):
                    decode(whole, "fuzz", 1)

    return target


def framing() -> Target:
    """Whatever the lines of a file are, records come out; each is bytes, and their reading ends."""
    from rempart.events.framing import Documents, Elements, framing

    def target(data: bytes) -> None:
        plain = data.split(b"\n")
        table = [HEADER, *plain]
        for frames, lines in (
            *((framing(each), each) for each in (plain, table)),
            *((each, plain) for each in (Elements(), Documents())),
        ):
            if frames is not None:
                records = [*frames.records(lines[:3]), *frames.records(lines[3:]), *frames.rest()]
                assert all(isinstance(each, bytes) for each in records)
                assert not frames.rest()

    return target


_EVENTS: tuple[Mapping[str, Any], ...] = (
    {},
    {
        "CommandLine": "powershell -enc AAAA",
        "Image": "C:\\a.exe",
        "EventID": 1,
        "x": None,
        "Channel": "Security",
    },
    {"a": "", "b": [1, "two", None, 2.5], "c": True, "d": {"e": 1}, "src_ip": "10.0.0.1", "sc-status": 404},
)


def loading() -> Target:
    """Any text is a set of rules, some of them refused; what is left can be asked, packed and unpacked."""
    from rempart.detection.detector import Detection
    from rempart.detection.packed import packed, unpacked
    from rempart.detection.sigma import load
    from rempart.events.event import Event, LogSource
    from rempart.instants import Instant

    def target(data: bytes) -> None:
        rules = load([("fuzz.yml", data.decode("utf-8", "replace"))], {"name": ["a*", "\\", "10.0.0.0/8"]})
        assert unpacked(packed(rules)) == rules
        detection = Detection(rules)
        sources = {each.logsource for each in rules.rules} | {LogSource("windows"), LogSource()}
        for number, source in enumerate(sources):
            for fields in _EVENTS:
                detection.feed(Event(source, fields, "fuzz", number, Instant(number)))

    return target


def matching() -> Target:
    """Any event, asked every kind of question: an answer comes, the same with nothing remembered."""
    from rempart.adapters import rules as files
    from rempart.detection.match import Matcher
    from rempart.detection.sigma import load
    from rempart.errors import DecodeError
    from rempart.events.decode import DECODERS
    from rempart.events.event import Event, LogSource

    rules = load([*files.read([str(ROOT / "rules")]), ("all.yml", "---".join(_every_kind()))])
    assert not rules.refused, rules.refused
    matcher, names = Matcher(rules.rules), sorted(DECODERS)

    def target(data: bytes) -> None:
        for event in _events(data, names):
            found = matcher.matches(event)
            for rule in found:
                matcher.evidence(rule, event)
            again = Event(event.logsource, event.fields, "fuzz", 1)
            assert [rule.card.id for rule in matcher.matches(again)] == [rule.card.id for rule in found]

    def _events(data: bytes, names: list[str]) -> Iterator[Event]:
        with suppress(DecodeError):
            event = DECODERS[names[data[0] % len(names)] if data else "windows-json"](data[1:], "fuzz", 1)
            if event is not None:
                yield event
                values = {f"f{place % 4}": value for place, value in enumerate(event.fields.values())}
                yield Event(LogSource("fuzz"), values, "fuzz", 1)

    return target


def _every_kind() -> Iterator[str]:
    """One rule for each kind of question."""
    asked = (
        "f|contains: a", "f|startswith: a", "f|endswith: a", "f: a*b?c", "f|re: '(a|b)+\\d{1,9}$'", "f|re|i|s: a.b",
        "f|cidr: 10.0.0.0/8", "f|lt: 5", "f|gte: 5", "f|hour: 5", "f|base64offset|contains: abc", "f|windash: ' -x'",
        "f: null", "f: ''", "f|exists: true", "f|cased: A", "f|fieldref: g", "f|fieldref|contains: g", "f|neq: a",
    )  # fmt: skip
    for number, each in enumerate(asked):
        question = each.replace("f", f"f{number % 4}", 1)
        yield (
            f"\ntitle: t{number}\nid: 00000000-0000-4000-8000-{number:012}\nlogsource: {{product: fuzz}}\n"
            f"detection: {{s: {{{question}}}, condition: s}}\n"
        )
    for number, each in enumerate(("[a, 'b*c', 7]", "{'|re': 'x+y'}", "{'|all': [a, b]}")):
        yield (
            f"\ntitle: k{number}\nid: 00000000-0000-4000-8000-1{number:011}\nlogsource: {{product: fuzz}}\n"
            f"detection: {{s: {each}, condition: s}}\n"
        )


def expressions() -> Target:
    """A regular expression that is taken is searched at once in whatever text: the first line and the rest."""
    from rempart.detection.condition import Leaf, LeafKind
    from rempart.detection.predicates import ExpressionRefused, FieldTests, check_expressions

    def target(data: bytes) -> None:
        pattern, _, text = data.decode("utf-8", "replace").partition("\n")
        leaf = Leaf("f", LeafKind.RE, pattern[:200], cased=True, detail="is")
        try:
            check_expressions([leaf])
        except ExpressionRefused:
            return
        tests = FieldTests()
        tests.add(1, leaf)
        tests.true_of(text)

    return target


def targets() -> Mapping[str, Callable[[], Target]]:
    """All targets by name."""
    from rempart.events.decode import DECODERS

    decoders = {name: (lambda name=name: decoding(name)) for name in DECODERS}
    others = {
        "joining": joining,
        "framing": framing,
        "rules": loading,
        "matching": matching,
        "expressions": expressions,
    }
    return {**decoders, **others}


def seeds(name: str) -> Iterator[bytes]:
    """What fuzzing begins with: real lines, real rules."""
    samples = ROOT / "tests" / "events" / "decode" / "samples"
    if name == "rules":
        yield from (path.read_bytes() for path in sorted((ROOT / "rules").rglob("*.yml")))
        yield from (rule.encode() for rule in _every_kind())
        yield _CORRELATIONS
    elif name == "expressions":
        yield from (b"(a|b)+c$\nababab", rb"\d{1,9}x?" + b"\n12345x", b"^(?:[a-z]+\\.)*exe$\na.b.c.exe")
    elif name == "joining":
        yield (samples / "auditd.log").read_bytes()
        yield b"#separator \\x09\n#path\tdns\n#fields\tts\tquery\n#types\ttime\tstring\n1.5\ta\n"
    elif name == "matching":
        for place, path in enumerate(sorted(samples.glob("*.log"))):
            yield from (bytes((place,)) + line for line in path.read_bytes().splitlines())
    elif (samples / f"{name}.log").exists():
        yield from (samples / f"{name}.log").read_bytes().splitlines()
    else:
        yield json.dumps(
            {"EventID": 4688, "Channel": "Security", "NewProcessName": "a", "ProcessId": "0x1"}
        ).encode()
        system = {"EventID": {"#text": 1}, "Provider": {"#attributes": {"Name": "a"}}}
        yield json.dumps(
            {"Event": {"System": system, "EventData": {"a b": [1], "c": {"#text": "d"}}}}
        ).encode()


_CORRELATIONS = b"""
title: a
name: a
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: .exe}, f: {ParentCommandLine|contains: x}, condition: s and not 1 of f*}
---
title: b
correlation:
  {type: value_percentile, rules: [a], group-by: [x], timespan: 1h, condition: {gte: 1, field: [n], percentile: 95}}
---
title: c
correlation: {type: temporal_ordered, rules: [a, b], timespan: 5m, aliases: {u: {a: User, b: x}}, group-by: [u]}
---
title: d
logsource: {product: windows}
filter: {rules: any, s: {User|expand: '%name%'}, condition: not s}
"""


# -- running ------------------------------------------------------------------------------------------------------


def fuzz(name: str, seconds: int, folder: Path) -> bool:
    """Fuzz one target in a process of its own. True when it held."""
    work = folder / name
    (work / "corpus").mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        (work / "corpus" / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    command = [
        sys.executable,
        "-m",
        "benchmarks.fuzz",
        "--within",
        name,
        "--seconds",
        str(seconds),
        "--keep",
        str(folder),
    ]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    done = next((line for line in reversed(ended.stderr.splitlines()) if line.startswith("Done ")), "")
    broken = [*work.glob("crash-*"), *work.glob("timeout-*"), *work.glob("oom-*")]
    slow = [path for path in work.glob("slow-*") if again(name, path, quiet=True) > _limit(name)]
    print(f"{name}: {done or 'ended early'}, {len(broken)} broken, {len(slow)} slow", flush=True)
    if ended.returncode or broken:
        print(ended.stderr[-3_000:])
    for path in (*broken, *slow):
        print(f"  scripts/bench fuzz --again {name} {path}")
    return not (ended.returncode or broken or slow)


def within(name: str, seconds: int, folder: Path) -> None:
    """The instrumented process: never returns."""
    import atheris

    with atheris.instrument_imports(include=["rempart", "sigma", "yaml"], enable_loader_override=False):
        target = targets()[name]()
    work = folder / name

    def timed(data: bytes) -> None:
        if _took(target, data) > _limit(name) and min(_took(target, data) for _ in range(TRIES)) > _limit(
            name
        ):
            (work / f"slow-{sha256(data).hexdigest()[:16]}").write_bytes(data)

    options = [f"-max_total_time={seconds}", "-max_len=16384", "-timeout=20", "-rss_limit_mb=3000"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={work}/", str(work / "corpus")], timed)
    atheris.Fuzz()


def again(name: str, path: Path, *, quiet: bool = False) -> float:
    """Run one input alone; the seconds it takes."""
    target, data = targets()[name](), path.read_bytes()
    took = min(_took(target, data) for _ in range(TRIES))
    if not quiet:
        print(f"{name}: {took * 1000:.1f} ms for {len(data)} bytes")
    return took


def _took(target: Target, data: bytes) -> float:
    began = time.process_time()
    target(data)
    return time.process_time() - began


def _limit(name: str) -> float:
    return LOADING if name in ("rules", "expressions") else SLOW


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(prog="scripts/bench fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument(
        "--keep", type=Path, help="a folder for the inputs; else they go with the machine's next clean-up"
    )
    parser.add_argument("--again", action="store_true", help="run TARGET with FILE once")
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.again:
        name, file = arguments.targets
        return int(again(name, Path(file)) > _limit(name))
    if arguments.within:
        within(arguments.targets[0], arguments.seconds, arguments.keep)
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="rempart-fuzz-"))
    held = [fuzz(name, arguments.seconds, folder) for name in arguments.targets or targets()]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
