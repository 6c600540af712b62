"""How often a person is asked for: the corpus as one day of a site of 60 users, through rules, incidents and alerts.

    scripts/bench fatigue [--json] [--corpus DIR]

There is no recorded month of a real home beside the project. What is measured is a bad day, and a calm one:

* **The bad day**: all of the corpus's windows/, network/ and linux/ folders happens to one site between 07:30 and
  07:30: some 100,000 Windows events, that is about 1,700 a user, and what gateways and servers wrote. It is the noise
  and the attacks of more than fifty attack exercises at once, so it asks for more than a real day would. Events keep
  their order; the engine's clock goes evenly through the day.
* **The calm day**: the ordinary life in tests/attacks (``benign/``), which must ask for nobody.

All of SigmaHQ's rules and Rempart's own look at every event, with no exception made for the site: a site untamed.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rempart.adapters import rules as rule_files
from rempart.adapters import shipped
from rempart.adapters.collect import files
from rempart.cli._search import _events, units
from rempart.detection.behaviour.behaviour import Behaviour
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding, Level
from rempart.detection.sigma import load
from rempart.detection.surroundings import Surroundings
from rempart.engine import facts
from rempart.engine.inputs import Found, Ordered, Seal, Started, Ticked
from rempart.engine.orders import Acknowledge
from rempart.engine.state import initial
from rempart.engine.step import Terms, step
from rempart.errors import Problem
from rempart.incidents.ranking import Concern, concern
from rempart.instants import Instant, hours, minutes, parse_rfc3339
from rempart.site import description
from rempart.site.site import Site
from rempart.station.policy import read_policy
from rempart.telling.alert import Urgency

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
ATTACKS = Path(__file__).resolve().parents[1] / "tests" / "attacks"
FOLDERS = ("windows", "network", "linux")
BEGIN = parse_rfc3339("2026-11-26T06:30:00+00:00")
DAY = hours(24)
USERS = 60
ANSWERED = minutes(10)
"""After this long somebody takes each alert, so that what comes then may ask anew."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One day at a site of `USERS` users."""

    human_findings_per_day: int
    """Times somebody was asked for on the bad day: alerts raised, the crowd's included. The aim: at most 5."""
    woken_per_day: int
    """Those of them that do not wait for the morning."""
    asked_without_the_bound: int
    """Incidents that would have asked, were there no bound of five a day."""
    incidents: int
    findings: int
    """What the rules told, of level low and above."""
    events: int
    calm_day: int
    """Times somebody was asked for on the calm day. The aim: 0."""
    calm_events: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    arguments = parser.parse_args()
    figures = measure(arguments.corpus)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:28} {figure:>10,}")


def measure(corpus: Path = CORPUS) -> dict[str, int]:
    """The figures, by name."""
    site = _site()
    surroundings = Surroundings.of(site)
    texts = dict(rule_files.read([str(corpus / "rules"), str(shipped.rules())]))
    rules = load(texts.items(), surroundings.placeholders)
    detection = Detection(rules, surroundings, behaviour=Behaviour(surroundings))
    bad = Day(site, detection.afresh(), [str(corpus / folder) for folder in FOLDERS])
    calm = Day(site, detection.afresh(), [str(folder) for folder in sorted(ATTACKS.glob("*/benign"))])
    return asdict(
        Figures(
            human_findings_per_day=len(bad.asked),
            woken_per_day=sum(fact.urgency is Urgency.NOW for fact in bad.asked),
            asked_without_the_bound=bad.would_ask,
            incidents=bad.incidents,
            findings=sum(bad.levels[level] for level in Level if level >= Level.LOW),
            events=bad.events,
            calm_day=len(calm.asked),
            calm_events=calm.events,
        )
    )


class Day:
    """One day of a site: events in their order, evenly through the day, to findings, incidents and alerts."""

    def __init__(self, site: Site, detection: Detection, paths: Sequence[str]) -> None:
        found = list(self._found(detection, paths))
        self.levels = Counter(finding.level for _, finding in found)
        terms = Terms(site, read_policy(None))
        state, _ = step(terms, initial(site), Started(BEGIN))
        self.asked: list[facts.AlertRaised] = []
        would_ask: set[str] = set()
        seen: set[str] = set()
        for number, finding in found:
            now = Instant(BEGIN + DAY * number // max(1, self.events))
            state, commands = step(terms, state, Found(now, replace(finding, time=now)))
            sealed = [fact for c in commands if isinstance(c, Seal) for fact in c.facts]
            state, _ = step(terms, state, Ticked(now))
            for alert in state.alerts.values():
                if alert.waits and now - alert.raised > ANSWERED:
                    state, _ = step(terms, state, Ordered(now, Acknowledge(by="bench", code=alert.code)))
            self.asked += [fact for fact in sealed if isinstance(fact, facts.AlertRaised)]
            seen |= {fact.incident for fact in sealed if isinstance(fact, facts.FindingJoined)}
            would_ask |= {i.id for i in state.incidents.values() if concern(i) is not Concern.COUNTED}
            merged = {fact.merged for fact in sealed if isinstance(fact, facts.IncidentsMerged)}
            would_ask -= merged
            seen -= merged
        step(terms, state, Ticked(Instant(BEGIN + DAY)))
        self.would_ask, self.incidents = len(would_ask), len(seen)

    def _found(self, detection: Detection, paths: Sequence[str]) -> Iterator[tuple[int, Finding]]:
        """Every finding with the number of the event that brought it about."""
        self.events = 0
        problems: list[Problem] = []
        logs = [log for path in paths for log in files.find(path) if not isinstance(log, Problem)]
        for unit in units(logs, problems.append):
            for event in _events(unit, None, problems):
                self.events += 1
                for finding in detection.feed(event):
                    yield self.events, finding


def _site() -> Site:
    """The home of the attack directories, with all private networks inside: the corpus comes from many laboratories."""
    site = description.parse((ATTACKS / "site.toml").read_text(encoding="utf-8"), "site.toml")
    wards, *others = site.zones
    private = (*wards.networks, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    return replace(site, zones=(replace(wards, networks=private), *others))


if __name__ == "__main__":
    main()
