"""axe-core, which looks for barriers to people with disabilities: what it finds on a page, in words."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

SCRIPT = Path(__file__).parent / "axe" / "axe.min.js"
"""Put there by scripts/setup."""

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""The tags of the rules that WCAG 2.2, levels A and AA, ask for."""

# Without ``preload``: no rule of these needs style sheets or media read a second time.
_RUN = """
async (only) => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"], preload: false });
  const reasons = (node) => [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ");
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target.join(" ")}: ${reasons(node)}`));
}
"""


def needed() -> None:
    """Skip the test where axe-core is not."""
    if not SCRIPT.exists():
        pytest.skip(f"no {SCRIPT}: scripts/setup takes it from npm")


def barriers(page: Page) -> list[str]:
    """Every violation of WCAG 2.2 AA that axe finds on the page as it is shown now, folds opened."""
    return _found(page, {"type": "tag", "values": WCAG})


def pale(page: Page) -> list[str]:
    """Texts without enough contrast: the one rule that another colour scheme can break."""
    return _found(page, {"type": "rule", "values": ["color-contrast"]})


def _found(page: Page, only: dict[str, object]) -> list[str]:
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(SCRIPT.read_text())  # not a script element: the pages' policy refuses those
    found: list[str] = page.evaluate(_RUN, only)
    return found
