"""How Sigma files become rules: nothing outside this package knows pySigma.

pySigma reads the files, applies the modifiers and gives the conditions of its pipelines 'sysmon' and
'windows-logsources'; what comes out is our own tree (`rempart.detection.condition`). It is given text, never a path
to open. It does not match anything: `rempart.detection.match` does.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence

from rempart.detection.repeats import Allowance
from rempart.detection.rule import RuleSet
from rempart.detection.sigma import modifiers
from rempart.detection.sigma.draft import Draft

__all__ = ["load"]

modifiers.teach()


def load(
    files: Iterable[tuple[str, str]], placeholders: Mapping[str, Sequence[str]] | None = None
) -> RuleSet:
    """Rules from (path, YAML text) pairs. ``placeholders`` gives the values of ``%name%``.

    Raises nothing for a bad rule: it is listed in ``refused`` with its path and what to mend.
    """
    draft = Draft(placeholders or {}, Allowance())
    with warnings.catch_warnings(
        action="ignore", category=FutureWarning
    ):  # of Python, about ``[[`` in expressions
        for path, text in files:
            draft.add(path, text)
    return draft.finish()
