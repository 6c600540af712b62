"""A day of ordinary scanners, line by line through the real decoders and rules: the website's trial survives it."""

from dataclasses import replace
from pathlib import Path
from random import Random

from engine.home import NOW, SITE, terms
from rempart.adapters import rules as rule_files
from rempart.detection.detector import Detection
from rempart.detection.finding import Finding
from rempart.detection.sigma import load
from rempart.detection.surroundings import Surroundings
from rempart.engine import facts, orders
from rempart.engine.inputs import AnyInput, Found, Ordered, Seal
from rempart.engine.orders import GateAnswer
from rempart.engine.state import State, initial
from rempart.engine.step import step
from rempart.events.decode import DECODERS
from rempart.instants import Instant, after, as_datetime, hours, minutes, seconds
from rempart.reopening.gate import Gate
from rempart.site.opening import OpeningState

ROOT = Path(__file__).resolve().parents[2]
PROBES = (
    "/wp-login.php",
    "/.env",
    "/.git/config",
    "/phpmyadmin/index.php",
    "/cgi-bin/luci/;stok=/locale?form=country",
    "/index.php?id=1%27%20UNION%20SELECT%201,2--",
    "/../../etc/passwd",
    "/${jndi:ldap://x/a}",
    "/admin/login",
    "/robots.txt",
)


class Life:
    """The home's engine, and what was sealed."""

    def __init__(self) -> None:
        self.terms = terms()
        self.state: State = initial(SITE)
        self.sealed: list[facts.AnyFact] = []

    def tell(self, happened: AnyInput) -> None:
        self.state, commands = step(self.terms, self.state, happened)
        self.sealed += [fact for command in commands if isinstance(command, Seal) for fact in command.facts]

    def order(self, order: orders.AnyOrder) -> None:
        self.tell(Ordered(NOW, order))


def website_on_trial() -> Life:
    """The site was contained; everything before the website is back, and the website is on trial for two days."""
    life = Life()
    life.order(orders.Contain(by="Night nurse"))
    for name in ("ehealth", "portal", "website"):
        for gate in Gate:
            person = "Dr Peeters" if gate is Gate.APPROVAL else "Alex"
            life.order(
                orders.AnswerGate(by=person, opening=name, gate=gate, answer=GateAnswer.YES, proof="checked")
            )
        life.order(orders.Reopen(by="Alex", opening=name, state=OpeningState.OPEN, seconds=172_800))
    return life


def a_day_of_scanners() -> list[tuple[Instant, bytes]]:
    """Forty scanners, each with its own tempo: known holes, missing pages, wrong passwords, all refused."""
    chance, lines = Random(20261122), []
    for number in range(40):
        address = f"198.51.100.{number + 100}"
        begin = after(NOW, seconds(chance.uniform(0, 85_000)))
        for _ in range(chance.randint(20, 120)):
            begin = after(begin, seconds(chance.expovariate(1 / chance.choice((0.2, 5, 60)))))
            code, user = chance.choice(((404, "-"), (404, "-"), (403, "-"), (401, "admin"), (200, "-")))
            path = chance.choice(PROBES) if code != 200 else "/"
            lines.append((begin, line(begin, address, user, path, code)))
    return sorted(lines)


def line(at: Instant, address: str, user: str, path: str, code: int) -> bytes:
    stamp = as_datetime(at).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    return f'{address} - {user} [{stamp}] "GET {path} HTTP/1.1" {code} 153 "-" "zgrab/0.x" "www.example"'.encode()


def findings(detection: Detection, lines: list[tuple[Instant, bytes]]) -> list[tuple[Instant, Finding]]:
    found = []
    for number, (at, raw) in enumerate(lines, 1):
        event = DECODERS["nginx"](raw, "website.log", number)
        assert event is not None
        found += [(at, finding) for finding in detection.feed(event)]
    return found


def test_the_websites_trial_survives_a_day_of_ordinary_scanners() -> None:
    surroundings = Surroundings.of(SITE)
    detection = Detection(
        load(rule_files.read([str(ROOT / "rules")]), surroundings.placeholders), surroundings
    )
    noise = findings(detection, a_day_of_scanners())
    assert len(noise) > 100  # it is noisy
    life = website_on_trial()
    for at, finding in noise:
        life.tell(Found(at, finding))
    assert life.state.doors["website"].stand.state is OpeningState.OPEN
    assert not any(isinstance(fact, facts.OpeningReclosed | facts.TrialEnded) for fact in life.sealed)
    assert after(NOW, hours(20)) < noise[-1][0]
    joined = [fact for fact in life.sealed if isinstance(fact, facts.FindingJoined)]
    assert len(joined) < len(noise)  # repeats are counted, not sealed one by one


def test_the_same_day_with_one_success_closes_it() -> None:
    surroundings = Surroundings.of(SITE)
    detection = Detection(
        load(rule_files.read([str(ROOT / "rules")]), surroundings.placeholders), surroundings
    )
    at = after(NOW, minutes(10))
    guessed = [
        (after(at, seconds(n)), line(after(at, seconds(n)), "198.51.100.9", "dr.maes", "/x", 401))
        for n in range(30)
    ]
    entered = (after(at, seconds(31)), line(after(at, seconds(31)), "198.51.100.9", "dr.maes", "/x", 200))
    life = website_on_trial()
    for moment, finding in findings(detection, [*guessed, entered]):
        life.tell(Found(moment, replace(finding, time=moment)))
    assert life.state.doors["website"].stand.state is OpeningState.CLOSED
    assert life.state.doors["ehealth"].stand.state is OpeningState.OPEN
