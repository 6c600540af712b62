"""Writes docs/rules.md from the rule files: ``python tests/detection/rules_page.py > docs/rules.md``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
HEAD = """# Rempart's own rules

What a gateway sees without any agent on the machines behind it. The rules are Sigma files in `rules/` (licence
EUPL-1.2); rules by others (SigmaHQ) load beside them. This page is made from the files by
`python tests/detection/rules_page.py > docs/rules.md`, and a test holds it against them.

Beyond Sigma's own fields, the site's description adds to every event: `from` and `to` (*inside* or *outside*),
`opening` (the door's id), `destination: known` (the flow leaves by an opening with hosts of its own, e.g. the backup),
`person` (the number in a care file's path, never told on), `slot-1s` and `slot-1m` (the second and the minute, so that
a steady pace can be counted). The key `rempart` says what a rule means: its kind and outcome, who acted (`actors`), on
what (`victims`), which `accounts`; `spoofable` where forged packets could cause it, and then nothing is ever done by
itself because of it.

**Exceptions.** Give what is allowed an opening of its own, with its hosts, in `site.toml`: its flows are no longer
counted. For all else there is `exceptions.toml`, with a reason and a last day (`docs/operating/rules.md`).

**Repeats.** A finding is told when its condition begins to hold, again when the count doubles, and again after a pause.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"\n## {folder.name}\n{''.join(_rules(folder))}" for folder in _folders())


def _folders() -> list[Path]:
    return sorted(path for path in (ROOT / "rules").iterdir() if path.is_dir())


def _rules(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.yml")):
        documents = [each for each in yaml.safe_load_all(path.read_text()) if each]
        for rule in documents:
            yield _rule(rule, path)


def _rule(rule: dict[str, Any], path: Path) -> str:
    meaning = rule["rempart"]
    forged = ", could be forged" if meaning.get("spoofable") else ""
    said = f"{rule['level']}, {meaning['kind']}, {meaning.get('outcome', 'attempt')}{forged}"
    false = "".join(f"- False alarm: {each}\n" for each in rule["falsepositives"])
    words = " ".join(rule["description"].split())
    return f"\n### {rule['title']}\n\n{words}\n\n- {said}; `{path.relative_to(ROOT)}`\n{false}"


if __name__ == "__main__":
    sys.stdout.write(page())
