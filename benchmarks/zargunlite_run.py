"""Times zargunlite on JSON lines, in its own environment: it is compared with, never used.

    PYTHON benchmarks/zargunlite_run.py RULES EVENTS

Rules become SQL beforehand and are kept beside the environment; the time is that of reading, loading and asking.
"""

import json
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Print its CPU seconds, rules and matches."""
    core, model, preprocess = (
        import_module(f"zargunlite.{name}") for name in ("core", "model", "preprocess")
    )
    folder, events = sys.argv[1:]
    rules = [model.ZircoliteRule(title=title, rule=sql) for title, sql in queries(folder)]
    start = time.process_time()
    with Path(events).open("rb") as lines:
        rows = [preprocess.mapping_field(preprocess.flatten_json(json.loads(line))) for line in lines]
    with core.ZargunCore() as database:
        database.load_data(rows, strict_field_name=False)
        matches = sum(database.execute_zircolite_rule(rule).count for rule in rules)
    spent = time.process_time() - start
    print(json.dumps({"cpu_s": spent, "rules": len(rules), "events": len(rows), "matches": matches}))


def queries(folder: str) -> list[tuple[str, list[str]]]:
    """(title, SQL) of each rule, made once."""
    kept = Path(sys.prefix) / "queries.json"
    if not kept.exists():
        kept.write_text(json.dumps(list(converted(folder))))
    return [(title, sql) for title, sql in json.loads(kept.read_text())]


def converted(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Every rule that pySigma's SQLite backend can turn into SQL."""
    make = import_module("sigma.backends.sqlite").sqliteBackend
    read = import_module("sigma.collection").SigmaCollection.from_yaml
    sysmon = import_module("sigma.pipelines.sysmon").sysmon_pipeline
    windows = import_module("sigma.pipelines.windows").windows_logsource_pipeline
    refused = import_module("sigma.exceptions").SigmaError
    for path in sorted(Path(folder).rglob("*.yml")):
        backend = make(processing_pipeline=sysmon() + windows())
        try:
            yield path.stem, [str(each) for each in backend.convert(read(path.read_text()))]
        except (refused, NotImplementedError, TypeError, ValueError):
            continue


if __name__ == "__main__":
    main()
