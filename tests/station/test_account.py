from dataclasses import replace
from typing import get_type_hints

import msgspec
import pytest

from rempart.adapters import shipped
from rempart.adapters.journal import Recorded
from rempart.care.reply import Reply
from rempart.containment.policy import Action
from rempart.detection.finding import Kind, Level, Outcome
from rempart.duties import words
from rempart.duties.document import Account, Seals
from rempart.engine import facts
from rempart.engine.facts import AnyFact
from rempart.errors import InputRefused
from rempart.instants import Instant, after, minutes, parse_rfc3339
from rempart.messages import MAX_FRAME, AccountTold
from rempart.site.opening import Direction, Fallback, Opening, OpeningState
from rempart.site.site import Language, Site, Uplink
from rempart.station.account import _KEYS, ASIDE, MOST_LINES, fitting, masked
from rempart.station.account import account as folded

AT = parse_rfc3339("2026-11-20T15:00:00Z")
SEALS = Seals(99, "ab" * 32)


def journal(*these: AnyFact | None) -> list[Recorded]:
    """Entries numbered from 1; None stands for one whose body was erased."""
    return [
        Recorded(
            number,
            AT,
            facts.kind_of(fact) if fact else "FindingJoined",
            False,
            facts.body_of(fact) if fact else None,
        )
        for number, fact in enumerate(these, 1)
    ]


def account(entries: list[Recorded], site: Site, wanted: str | None, seals: Seals) -> Account:
    return folded(lambda: iter(entries), site, wanted, seals)


def joined(
    incident: str,
    kind: Kind = Kind.SCAN,
    minute: int = 0,
    actor: str = "203.0.113.7",
    accounts: tuple[str, ...] = (),
    outcome: Outcome = Outcome.ATTEMPT,
) -> facts.FindingJoined:
    return facts.FindingJoined(
        at=after(AT, minutes(minute)),
        incident=incident,
        finding=f"{incident}-{minute}",
        rule="r",
        title="t",
        level=Level.HIGH,
        kind=kind,
        outcome=outcome,
        actors=[actor],
        victims=["198.51.100.2"],
        accounts=list(accounts),
        assets=[],
        source="log",
        record=1,
        count=5,
        tally=1,
    )


CONTAINED = facts.Contained(at=after(AT, minutes(3)), by="Anne", reason="", incidents=["A"])


@pytest.fixture
def site() -> Site:
    portal = Opening(
        id="portal",
        mark=1,
        name="GP portal",
        direction=Direction.IN,
        zones=("dmz",),
        hosts=("*",),
        services=(),
        care=3,
        lifeline=False,
        fallback=Fallback(text="telephone"),
    )
    return Site(
        id="home",
        name="Les Tilleuls",
        template="nursing-home",
        languages=(Language.FRENCH,),
        phone="+32 4 224 71 11",
        uplink=Uplink(interface="wan", addresses=("198.51.100.2/24",)),
        zones=(),
        openings=(portal,),
    )


def keys(entries: list[Recorded], site: Site, wanted: str | None = "A") -> list[tuple[int, str]]:
    return [(line.entry, line.sentence.key) for line in account(entries, site, wanted, SEALS).lines]


def test_only_what_concerns_the_incident_is_told(site: Site) -> None:
    scanner = joined("B", actor="192.0.2.9")
    relapse = facts.OpeningReclosed(
        at=AT, opening="portal", state=OpeningState.CLOSED, incident="A", finding="f", rule="r", title="t"
    )
    normal = facts.Normalised(at=AT, by="Anne", reason="")
    answered = facts.OpeningSet(at=AT, opening="portal", state=OpeningState.FILTERED, by="Anne", reason="")
    entries = journal(answered, joined("A"), scanner, CONTAINED, relapse, normal, answered)
    assert keys(entries, site) == [
        (2, "story.scan"),
        (4, "story.contained"),
        (5, "story.reclosed"),
        (6, "story.normal"),
    ]
    assert keys(entries, site, "B") == [(3, "story.scan")]


def test_openings_are_told_by_the_name_people_use(site: Site) -> None:
    closed = facts.OpeningSet(at=AT, opening="portal", state=OpeningState.CLOSED, by="Anne", reason="")
    told = account(journal(joined("A"), CONTAINED, closed), site, "A", SEALS)
    assert told.lines[-1].sentence.arguments["opening"] == "GP portal"


def test_a_merged_incident_is_told_within_the_one_it_was_joined_to(site: Site) -> None:
    merged = facts.IncidentsMerged(at=AT, into="A", merged="B")
    entries = journal(joined("B", minute=-4), joined("A"), merged)
    assert [number for number, _ in keys(entries, site)] == [1, 2, 3]
    with pytest.raises(InputRefused, match="B was joined to A"):
        account(entries, site, "B", SEALS)


def test_an_erased_body_is_said_to_be_erased(site: Site) -> None:
    assert keys(journal(joined("A"), None), site) == [(1, "story.scan"), (2, "story.erased")]


def test_what_a_newer_station_wrote_is_shown_as_it_stands(site: Site) -> None:
    newer = Recorded(2, AT, "Rehearsed", False, {"by": "Anne"})
    snapshot = Recorded(3, AT, "journal.snapshot", False, None)
    assert keys([*journal(joined("A")), newer, snapshot], site) == [(1, "story.scan"), (2, "fact.Rehearsed")]


def test_a_block_and_its_end_belong_to_the_incident_that_caused_it(site: Site) -> None:
    block = facts.Blocked(at=AT, target="203.0.113.7", until=None, by="rempart", reason="", incident="A")
    other = facts.Blocked(at=AT, target="192.0.2.9", until=AT, by="rempart", reason="", incident="B")
    ended = [facts.Unblocked(at=AT, target=target, by="Anne") for target in ("203.0.113.7", "192.0.2.9")]
    entries = journal(joined("A"), joined("B"), block, other, *ended)
    assert keys(entries, site) == [(1, "story.scan"), (3, "story.blocked-for-good"), (5, "story.unblocked")]


@pytest.mark.parametrize(("wanted", "found"), [(None, "B"), ("A", "A")])
def test_without_a_name_the_latest_is_meant(site: Site, wanted: str | None, found: str) -> None:
    entries = journal(joined("A"), joined("B", minute=5))
    assert account(entries, site, wanted, SEALS).incident.id == found


def test_an_unknown_incident_is_refused_with_those_that_are_known(site: Site) -> None:
    with pytest.raises(InputRefused, match="It knows: A"):
        account(journal(joined("A")), site, "Z", SEALS)
    with pytest.raises(InputRefused, match="no incident"):
        account([], site, None, SEALS)


def test_a_door_that_the_site_no_longer_has_keeps_its_place_in_the_story(site: Site) -> None:
    cut = facts.Contained(at=AT, by="Anne", reason="", incidents=["A"])
    ended = facts.TrialEnded(at=AT, opening="mail")
    assert len(keys(journal(joined("A"), cut, ended), site)) == 3


def test_every_fact_has_words_in_both_languages(site: Site) -> None:
    spoken = words.parse(shipped.text("duties/words.toml"), "words.toml")
    assert set(_KEYS.values()) | {f"story.{kind.value}" for kind in Kind} <= spoken.sentences.keys()
    told_otherwise = {"FindingJoined", *(kind.__name__ for kind in ASIDE)}
    assert {kind.__name__ for kind in _KEYS} | told_otherwise == facts.FACTS


def test_no_paper_tells_an_instant_as_a_number() -> None:
    spoken = words.parse(shipped.text("duties/words.toml"), "words.toml").sentences
    told = {
        name
        for kind, key in _KEYS.items()
        for name, sort in get_type_hints(kind).items()
        if sort in (Instant, Instant | None) and any(f"{{{name}}}" in text for text in spoken[key].values())
    }
    assert {"until", "believed", "made"} <= told <= words.MOMENTS


@pytest.mark.parametrize(
    ("action", "target", "step"),
    [
        (Action.CONTAIN, "", ""),
        (Action.CONTAIN, "", "Unplug port 1"),
        (Action.BLOCK, "203.0.113.7", ""),
        (Action.ISOLATE, "ward-pc", ""),
        (Action.ISOLATE, "ward-pc", "Port down"),
    ],
)
def test_a_paper_says_when_it_was_done_by_hand_where_somebody_said_so(
    site: Site, action: Action, target: str, step: str
) -> None:
    spoken = words.parse(shipped.text("duties/words.toml"), "words.toml")
    said = facts.TickedByHand(
        at=AT, action=action, target=target, step=step, reply=Reply.YES, note="", by="Anne"
    )
    timed = msgspec.structs.replace(said, on=after(AT, minutes(-25)))
    told = account(journal(joined("A"), said, timed), site, "A", SEALS).lines[1:]
    assert [line.at for line in told] == [AT, AT]
    for language in Language:
        plain, dated = (spoken.tell(line.sentence, language) for line in told)
        assert "20/11/2026 15:35:00" in dated
        assert "15:35" not in plain
        assert "Anne" in plain
        assert "Anne" in dated
        assert step in plain
        assert step in dated


def test_noise_that_the_state_forgot_can_still_be_put_on_paper(site: Site) -> None:
    noise = msgspec.structs.replace(joined("A"), level=Level.LOW)
    told = journal(noise, facts.QuietReturned(at=AT, incidents=["A"]))
    assert account(told, site, "A", SEALS).incident.actors == {"203.0.113.7"}


def test_workers_stand_behind_masks_and_what_cannot_be_read_is_not_told_on(site: Site) -> None:
    entries = journal(
        joined("A", Kind.GUESSING, accounts=("anne.dupont",), outcome=Outcome.SUCCESS), CONTAINED
    )
    newer = Recorded(3, AT, "LaterFact", False, {"who": "anne.dupont"})
    told = account([*entries, newer], site, "A", SEALS)
    assert told.incident.accounts == {"anne.dupont"}
    hidden = masked(told, lambda incident, name: f"person-{incident}-{len(name)}")
    assert hidden.masked
    assert b"anne.dupont" not in msgspec.json.encode(hidden)
    assert hidden.incident.accounts == {"person-A-11"}
    assert hidden.lines[0].sentence.arguments["account"] == ["person-A-11"]
    assert [line.entry for line in hidden.lines] == [1, 2, 3]
    assert hidden.lines[1] == told.lines[1]


@pytest.mark.parametrize(("count", "text"), [(MOST_LINES + 500, "t"), (MOST_LINES, "\x01" * 1000)])
def test_what_is_too_long_for_a_frame_is_told_from_both_ends(site: Site, count: int, text: str) -> None:
    (entry,) = journal(joined("A"))
    assert entry.body is not None
    body = {**entry.body, "title": text}
    told = account([replace(entry, number=n, body=body) for n in range(1, count + 1)], site, "A", SEALS)
    assert len(told.lines) == count
    shown = fitting(told)
    assert len(msgspec.json.encode(AccountTold(account=shown))) <= MAX_FRAME
    assert shown.left_out == count - len(shown.lines) > 0
    assert (shown.lines[0], shown.lines[-1]) == (told.lines[0], told.lines[-1])
    assert fitting(shown) == shown
