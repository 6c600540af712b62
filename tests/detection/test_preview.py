"""What an exception would have hidden, and an exception written and read again."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.detection import exception
from rempart.detection.detector import Detection
from rempart.detection.exception import Exceptions, Exemption, Value
from rempart.detection.finding import Level
from rempart.detection.preview import preview
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource
from rempart.instants import after, hours, parse_rfc3339

RULE = """title: Hole tried
id: 2b1ad4a2-6a2b-4c5e-8d0f-0d3c5c1f5a11
level: {level}
logsource: {{category: webserver}}
detection:
  asked: {{cs-uri-stem|contains: /.env}}
  condition: asked
rempart: {{outcome: success, kind: intrusion, actors: c-ip}}
"""
NOW = parse_rfc3339("2026-11-20T03:00:00Z")
OURS = Exemption(
    rules=("Hole tried",),
    fields=(("c-ip", (Value("192.0.2.7"),)),),
    reason="The scan that we ordered",
    author="A. Peeters",
    until=date(2026, 12, 31),
)


def asked(number: int, client: str) -> Event:
    return Event(
        when=after(NOW, hours(number)),
        source="access.log",
        record=number,
        logsource=LogSource(category="webserver"),
        fields={"c-ip": client, "cs-uri-stem": "/.env"},
    )


def seen(level: str = "medium", exemption: Exemption = OURS):  # type: ignore[no-untyped-def]  # a preview
    rules = load([("a.yml", RULE.format(level=level))])
    events = [asked(number, "192.0.2.7" if number % 2 else "198.51.100.9") for number in range(6)]
    return preview(Detection(rules), Detection(rules, exceptions=Exceptions((exemption,))), events)


def test_what_it_would_have_hidden_is_counted_with_examples_and_the_rest_is_still_told() -> None:
    shown = seen()
    assert (shown.events, shown.told, shown.still_told, shown.grave) == (6, 6, 3, 0)
    (hidden,) = shown.ranked
    assert (hidden.title, hidden.level, hidden.count) == ("Hole tried", Level.MEDIUM, 3)
    assert {o.value for finding in hidden.examples for o in finding.observables} == {"192.0.2.7"}


def test_what_is_serious_and_succeeded_is_named_apart() -> None:
    assert seen("high").grave == 3
    assert seen("critical").grave == 3
    assert seen("medium").grave == 0


def test_an_exception_that_has_ended_hides_nothing() -> None:
    assert seen(exemption=replace(OURS, until=date(2026, 1, 1))).hidden == {}


PLAIN = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40).filter(
    lambda text: bool(text.strip()) and bool(text.strip("*"))
)


@settings(deadline=None)
@given(
    st.lists(PLAIN, max_size=3),
    st.dictionaries(PLAIN, st.lists(PLAIN, min_size=1, max_size=3), max_size=3),
    PLAIN,
    PLAIN,
    st.dates(date(2020, 1, 1), date(2100, 1, 1)),
)
def test_an_exception_that_was_written_reads_the_same(
    rules: list[str], fields: dict[str, list[str]], reason: str, author: str, until: date
) -> None:
    if not rules and not fields:
        return
    made = Exemption(
        rules=tuple(rules),
        fields=tuple((name, tuple(map(Value, values))) for name, values in fields.items()),
        reason=reason,
        author=author,
        until=until,
    )
    (read,) = exception.parse(exception.written(made), "exceptions.toml").exemptions
    assert replace(read, where="") == made
