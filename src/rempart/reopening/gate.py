"""The gates an opening passes before its trial: proof, person and time for each; "don't know" never passes.

The gates follow ANSSI's E3R doctrine (endiguement, éviction, éradication) and NIST SP 800-61r3: see
docs/design/reopening.md. The eighth, *watch*, is the trial itself.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum


class Gate(StrEnum):
    """What must be true before an opening is tried, in order."""

    NEED = "need"  # which care task, owner, alternative
    CUT_VERIFIED = "cut-verified"  # the cut was tested, no beacon for some hours
    EVIDENCE = "evidence"  # sealed; complaint and clocks started
    EVICTION = "eviction"  # the way in is known and shut; secrets renewed
    ASSET = "asset"  # what stands behind the opening was rebuilt or checked
    FILTER = "filter"  # exact hosts, ports, hours, persons
    APPROVAL = "approval"  # a second person agrees


def missing(passed: Collection[str], asked: Iterable[Gate] = Gate) -> tuple[Gate, ...]:
    """The gates among those asked for that have not passed, in order."""
    return tuple(gate for gate in asked if gate.value not in passed)
