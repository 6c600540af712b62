"""Retention as conversations: a file's bytes go when their time is over, never while anything still needs them."""

import hashlib
from dataclasses import replace

import msgspec

from engine.home import NOW, OTHER_SCAN, RECORDS, SCAN, SITE, terms
from rempart.adapters import shipped
from rempart.care.reply import Reply
from rempart.detection.finding import Finding
from rempart.duties import duty as duties
from rempart.duties.catalogue import DutyId, QuestionId
from rempart.duties.clock import clocks
from rempart.engine import facts, orders
from rempart.engine.facts import MACHINE, AnyFact
from rempart.engine.fold.fold import folded
from rempart.engine.inputs import Command, Erase, Found, Ordered, Seal, Started, Ticked
from rempart.engine.orders import AnyOrder
from rempart.engine.state import initial
from rempart.engine.step import Terms, step
from rempart.instants import Instant, after, hours, minutes

DAYS = SITE.files_kept_days
OBLIGATIONS = duties.parse(shipped.text("duties/obligations.toml"))
TERMS = replace(terms(), obligations=OBLIGATIONS)
ATTACK, NOISE, LATER = (f"inc-{each.id[:12]}" for each in (RECORDS, SCAN, OTHER_SCAN))
SHA256 = hashlib.sha256(b"screen").hexdigest()
FILE = orders.AttachFile(by="Anne", incident=ATTACK, name="screen.png", size=6, sha256=SHA256)


class House:
    """A house in which records were taken and a stranger scanned, as its engine sees it through the years."""

    def __init__(self, terms: Terms = TERMS) -> None:
        self.terms, self.state, self.now = terms, initial(SITE), NOW
        self.said: list[Command] = []
        self.tell(Started(self.now))
        self.give(RECORDS, SCAN)

    def tell(self, happened: Started | Found | Ordered | Ticked) -> None:
        self.state, said = step(self.terms, self.state, happened)
        self.said += said

    def give(self, *given: AnyOrder | Finding) -> "House":
        """These, a minute apart."""
        for each in given:
            self.now = after(self.now, minutes(1))
            self.tell(Found(self.now, each) if isinstance(each, Finding) else Ordered(self.now, each))
        return self

    def wait(self, days: float) -> "House":
        """So many days, with a tick at noon of the first and two at the end: one may seal what else is over."""
        self.tell(Ticked(after(self.now, hours(36))))
        self.now = after(self.now, hours(24 * days))
        self.tell(Ticked(self.now))
        self.tell(Ticked(after(self.now, minutes(1))))
        return self

    def sealed(self, kind: type[AnyFact]) -> list[AnyFact]:
        return [f for c in self.said if isinstance(c, Seal) for f in c.facts if isinstance(f, kind)]

    @property
    def erased(self) -> list[str]:
        return [sha256 for each in self.said if isinstance(each, Erase) for sha256 in each.sha256s]


def test_a_file_goes_when_its_time_is_over_and_that_is_sealed_before() -> None:
    house = House().give(FILE).wait(DAYS - 1)
    assert house.erased == []
    house.wait(2)
    assert house.erased == [SHA256]
    (gone,) = house.sealed(facts.FileErased)
    assert isinstance(gone, facts.FileErased)
    assert (gone.incident, gone.sha256, gone.by, gone.reason) == (
        ATTACK,
        SHA256,
        MACHINE,
        f"files_kept_days = {DAYS}",
    )
    (seal,) = [each for each in house.said if isinstance(each, Seal) and gone in each.facts]
    assert not seal.urgent
    assert seal.facts == (gone,)
    assert house.said.index(seal) < [isinstance(each, Erase) for each in house.said].index(True)
    file = house.state.cases[ATTACK].files[0]
    assert file.erased
    assert file.sha256 == SHA256
    house.wait(DAYS)
    assert house.erased == [SHA256]


def test_no_file_goes_while_its_incident_is_open() -> None:
    house = House().give(FILE, orders.Contain(by="Director")).wait(DAYS + 1)
    assert house.erased == []
    house.state = folded(house.state, SITE, [facts.Normalised(at=house.now, by="Director", reason="")])
    assert house.wait(1).erased == [SHA256]


def breach(incident: str) -> orders.AnswerQuestion:
    """Somebody says that personal data were breached, which starts legal clocks."""
    question = QuestionId.PERSONAL_DATA_BREACH
    return orders.AnswerQuestion(
        by="P", incident=incident, question=question, reply=Reply.YES, since=Instant(NOW)
    )


def test_no_file_goes_while_a_legal_clock_runs() -> None:
    house = House().give(FILE, breach(ATTACK)).wait(DAYS + 1)
    assert house.erased == []
    running = clocks(house.state.incidents.values(), house.state.duties, house.now, OBLIGATIONS)
    assert running
    for each in running:
        assert house.wait(1).erased == []
        duty = DutyId(each.duty)
        house.give(orders.NoteSending(by="P", incident=ATTACK, duty=duty, on=Instant(NOW), proof="receipt"))
    assert house.wait(1).erased == [SHA256]


def test_a_file_of_an_incident_that_nobody_keeps_in_mind_goes_too_unless_a_clock_runs_for_it() -> None:
    noise = msgspec.structs.replace(FILE, incident=NOISE)
    house = House().give(noise).wait(DAYS + 1)
    assert NOISE not in house.state.incidents
    assert house.erased == [SHA256]
    held = House().give(noise, breach(NOISE)).wait(DAYS + 1)
    assert NOISE not in held.state.incidents
    assert held.erased == []


def test_the_same_bytes_stay_as_long_as_any_incident_keeps_them() -> None:
    house = (
        House()
        .give(FILE)
        .wait(DAYS - 10)
        .give(OTHER_SCAN)
        .give(msgspec.structs.replace(FILE, incident=LATER))
    )
    house.wait(20)
    assert house.erased == []
    assert house.wait(DAYS).erased == [SHA256]


def test_a_file_follows_its_incident_into_another() -> None:
    noise = msgspec.structs.replace(FILE, incident=NOISE)
    house = House().give(
        noise, orders.MergeIncidents(by="Anne", into=ATTACK, merged=NOISE, reason="same hour")
    )
    assert [each.incident for each in house.state.kept[SHA256]] == [ATTACK]
    assert house.give(orders.Contain(by="Director")).wait(DAYS + 1).erased == []


def test_nothing_goes_by_itself_where_the_site_says_so_or_nobody_knows_the_clocks() -> None:
    forever = replace(TERMS, site=replace(SITE, files_kept_days=0))
    for without in (forever, replace(TERMS, obligations=None)):
        assert House(without).give(FILE).wait(20 * DAYS).erased == []


def test_what_was_erased_and_attached_again_is_kept_anew() -> None:
    house = House().give(FILE).wait(DAYS + 1).give(FILE).wait(DAYS - 1)
    assert house.erased == [SHA256]
    assert house.wait(2).erased == [SHA256, SHA256]
