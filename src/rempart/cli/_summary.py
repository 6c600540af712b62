"""What a search found, in the lines that a person reads last: by ATT&CK tactic, then by rule."""

from collections.abc import Iterator

from rempart.cli._terminal import harmless
from rempart.detection.tally import Tally

_RULES = 20
"""Rules that are named; the report names all."""


def lines(tally: Tally, events: int) -> Iterator[str]:
    """The summary, line by line."""
    rules = tally.rules()
    levels = ", ".join(f"{count:,} {level.name.lower()}" for level, count in tally.levels())
    yield f"{many(tally.findings, 'finding')} by {many(len(rules), 'rule')} in {many(events, 'event')}" + (
        f": {levels}" if levels else ""
    )
    if not rules:
        return
    yield ""
    yield f"  {'ATT&CK tactic':24} {'findings':>10} {'rules':>7}"
    for share in tally.shares():
        label = share.tactic.label if share.tactic else "none named"
        yield f"  {label:24} {share.findings:>10,} {share.rules:>7,}"
    yield ""
    yield f"  {'level':13} {'findings':>10}  rule"
    for fired in rules[:_RULES]:
        yield f"  {fired.card.level.name.lower():13} {fired.count:>10,}  {harmless(fired.card.title, 90)}"
    if len(rules) > _RULES:
        yield f"  … and {many(len(rules) - _RULES, 'rule')} more; --report FILE.html shows all"


def many(number: int, noun: str) -> str:
    """*1 rule*, *2 rules*."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
