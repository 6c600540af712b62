"""Rules, and what they see in events. What other programs may use is in ``__all__``; docs/detect.md shows how.

Each name is read from its module when it is first asked for: who only needs a `Finding` does not load pySigma.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rempart.detection.behaviour.behaviour import Behaviour
    from rempart.detection.detector import Detection
    from rempart.detection.exception import Exceptions
    from rempart.detection.explain import Explanation, Plain
    from rempart.detection.finding import Finding, Kind, Level, Outcome, Proof
    from rempart.detection.indicator import Indicators
    from rempart.detection.match import Matcher
    from rempart.detection.meaning import Meaning
    from rempart.detection.report import Report
    from rempart.detection.rule import Correlation, Rule, RuleCard, RuleSet
    from rempart.detection.sigma import load
    from rempart.detection.surroundings import Surroundings
    from rempart.detection.tactic import Tactic, tactics, techniques
    from rempart.detection.tally import Tally

__all__ = [
    "Behaviour",
    "Correlation",
    "Detection",
    "Exceptions",
    "Explanation",
    "Finding",
    "Indicators",
    "Kind",
    "Level",
    "Matcher",
    "Meaning",
    "Outcome",
    "Plain",
    "Proof",
    "Report",
    "Rule",
    "RuleCard",
    "RuleSet",
    "Surroundings",
    "Tactic",
    "Tally",
    "load",
    "tactics",
    "techniques",
]

_MODULES = {
    "Behaviour": "behaviour.behaviour",
    "Correlation": "rule",
    "Detection": "detector",
    "Exceptions": "exception",
    "Explanation": "explain",
    "Finding": "finding",
    "Indicators": "indicator",
    "Kind": "finding",
    "Level": "finding",
    "Matcher": "match",
    "Meaning": "meaning",
    "Outcome": "finding",
    "Plain": "explain",
    "Proof": "finding",
    "Report": "report",
    "Rule": "rule",
    "RuleCard": "rule",
    "RuleSet": "rule",
    "Surroundings": "surroundings",
    "Tactic": "tactic",
    "Tally": "tally",
    "load": "sigma",
    "tactics": "tactic",
    "techniques": "tactic",
}


def __getattr__(name: str) -> Any:
    """The public name from its module (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"rempart.detection has no public name {name!r}")
    return getattr(import_module(f"rempart.detection.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
