"""Which names are resolved for whom, and what answers open."""

import itertools
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rempart.containment.measure import Enforcement, Stand
from rempart.containment.names import (
    GRACE,
    LARGEST,
    LONGEST_ANSWER,
    Address,
    Admitted,
    Answer,
    Asker,
    Names,
    Outcome,
    Permit,
    Question,
    Refusal,
    leases,
)
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.site.site import Site

NOW = Instant(1_000_000_000)
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED
WARD, SERVER, GUEST, DMZ = map(ip_address, ("10.1.0.7", "10.2.0.9", "10.77.0.1", "10.3.0.2"))
HOST = ip_address("192.0.2.30")
UPDATES = Question("updates.example", "A")


@pytest.fixture(scope="session")
def names(resolving: Site) -> Names:
    return Names(resolving)


def stands(**states: OpeningState) -> Enforcement:
    return Enforcement(stands={name.replace("_", "-"): Stand(state=state) for name, state in states.items()})


def judged(
    names: Names, question: Question, standing: Enforcement, address: Address = WARD
) -> Permit | Refusal:
    asker = names.asker(address)
    assert asker
    return names.judge(question, asker, standing, NOW)


def opened(names: Names, question: Question = UPDATES) -> Permit:
    permit = judged(names, question, stands(updates=OPEN, care_file=FILTERED))
    assert isinstance(permit, Permit)
    return permit


def test_a_listed_name_is_resolved_while_its_opening_lets_anything_through(names: Names) -> None:
    for state in (OPEN, FILTERED):
        permit = judged(names, UPDATES, stands(updates=state))
        assert isinstance(permit, Permit)
        assert permit.outcome is Outcome.ASK
        assert [opening.id for opening in permit.openings] == ["updates"]
    assert judged(names, UPDATES, stands(updates=CLOSED)) is Refusal.NAME
    assert judged(names, UPDATES, Enforcement(stands={})) is Refusal.NAME


def test_a_trial_that_is_over_resolves_no_more(names: Names) -> None:
    over = Stand(state=OPEN, until=NOW, then=CLOSED)
    assert judged(names, UPDATES, Enforcement(stands={"updates": over})) is Refusal.NAME
    running = replace(over, until=Instant(NOW + 1))
    assert isinstance(judged(names, UPDATES, Enforcement(stands={"updates": running})), Permit)


def test_only_zones_that_may_use_an_opening_hear_of_its_names(names: Names) -> None:
    everything = stands(updates=OPEN, browsing=CLOSED)
    assert judged(names, UPDATES, everything, DMZ) is Refusal.NAME
    assert names.asker(GUEST) is None


def test_nothing_below_a_listed_name_is_resolved(names: Names) -> None:
    """A label that the asker chooses carries data out."""
    cut = replace(stands(updates=FILTERED, browsing=CLOSED), contained=True)
    for name in ("x.updates.example", "example", "updates.example.evil.example", "evil.example"):
        assert judged(names, Question(name, "A"), cut) is Refusal.NAME
    assert judged(names, Question("updates.example", "TXT"), cut) == Permit(
        outcome=Outcome.EMPTY, openings=opened(names).openings
    )


def test_other_names_are_resolved_while_browsing_is_open(names: Names) -> None:
    any_name = Question("www.anything.example", "A")
    assert judged(names, any_name, stands(browsing=OPEN)) == Permit(outcome=Outcome.ASK)
    assert judged(names, any_name, stands(browsing=CLOSED, updates=OPEN)) is Refusal.NAME
    assert judged(names, UPDATES, stands(browsing=OPEN, updates=CLOSED)) is Refusal.NAME
    assert judged(names, Question("wpad", "A"), stands(browsing=OPEN)) is Refusal.NAME


def test_a_lifeline_to_anywhere_is_no_way_out_for_names_while_contained(resolving: Site) -> None:
    wide = replace(resolving.opening("browsing"), lifeline=True)
    names = Names(replace(resolving, openings=(wide,)))
    cut = replace(stands(browsing=FILTERED), contained=True)
    assert judged(names, Question("a.example", "A"), cut) is Refusal.NAME
    assert judged(names, Question("a.example", "A"), replace(cut, contained=False)) == Permit(
        outcome=Outcome.ASK
    )


def test_records_that_hide_names_are_answered_with_nothing(names: Names) -> None:
    standing = stands(updates=OPEN, browsing=OPEN)
    for name in ("updates.example", "www.anything.example"):
        permit = judged(names, Question(name, "HTTPS"), standing)
        assert isinstance(permit, Permit)
        assert permit.outcome is Outcome.EMPTY
    assert judged(names, Question("www.anything.example", "ANY"), standing) is Refusal.KIND
    assert judged(names, Question("www.anything.example", "NULL"), standing) is Refusal.KIND
    assert judged(names, Question("www.anything.example", "MX"), standing) == Permit(outcome=Outcome.ASK)
    assert judged(names, Question("use-application-dns.net", "A"), standing) == Permit(outcome=Outcome.ABSENT)


@pytest.mark.parametrize(
    "bad",
    [
        *(
            "10.1.0.7",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
        ),
        *(
            "::",
            "::1",
            "fd00:1::7",
            "fe80::1",
            "ff02::1",
            "::ffff:10.1.0.7",
            "64:ff9b::a01:7",
            "2002:a01:7::1",
        ),
        *("203.0.113.2", "2001:db8:1::2", "10.9.0.1"),
    ],
)
def test_an_answer_that_leads_inside_is_refused_whole(names: Names, bad: str) -> None:
    answer = Answer(
        size=100,
        addresses=(("updates.example", HOST), ("updates.example", ip_address(bad))),
        seconds=60,
    )
    assert names.admit(UPDATES, opened(names), answer) is Refusal.ADDRESS


def test_the_sites_own_website_may_lead_to_the_site(names: Names) -> None:
    question = Question("www.tilleuls.example", "A")
    permit = judged(names, question, replace(stands(), contained=True))
    assert permit == Permit(outcome=Outcome.ASK)
    front = Answer(size=50, addresses=(("www.tilleuls.example", ip_address("203.0.113.2")),), seconds=9)
    admitted = names.admit(question, permit, front)
    assert isinstance(admitted, Admitted)
    assert list(leases(admitted, Asker(address=WARD, zones=frozenset({"wards"})))) == []


def test_aliases_stay_with_the_opening_unless_its_addresses_are_shared(names: Names) -> None:
    def led(*targets: str) -> Answer:
        chain = ("updates.example", *targets)
        return Answer(
            size=100, aliases=tuple(itertools.pairwise(chain)), addresses=((chain[-1], HOST),), seconds=60
        )

    assert names.admit(UPDATES, opened(names), led("evil.example")) is Refusal.ALIAS
    assert names.admit(UPDATES, opened(names), led("notupdates.example")) is Refusal.ALIAS
    assert names.admit(UPDATES, opened(names), led("eu.updates.example", "evil.example")) is Refusal.ALIAS
    below = names.admit(UPDATES, opened(names), led("eu.updates.example"))
    assert isinstance(below, Admitted)
    assert below.addresses == (HOST,)
    shared = Question("care.example", "A")
    answer = Answer(
        size=90,
        aliases=(("care.example", "care.cdn.example"),),
        addresses=(("care.cdn.example", HOST),),
        seconds=60,
    )
    assert isinstance(names.admit(shared, opened(names, shared), answer), Admitted)


def test_aliases_that_go_round_are_refused(names: Names) -> None:
    round_ = Answer(size=90, aliases=(("a.example", "b.example"), ("b.example", "a.example")), seconds=60)
    assert names.admit(Question("a.example", "A"), Permit(outcome=Outcome.ASK), round_) is Refusal.ALIAS


def test_what_an_answer_smuggles_is_dropped(names: Names) -> None:
    answer = Answer(
        size=100,
        addresses=(("updates.example", HOST), ("evil.example", ip_address("192.0.2.66"))),
        seconds=60,
    )
    admitted = names.admit(UPDATES, opened(names), answer)
    assert isinstance(admitted, Admitted)
    assert admitted.addresses == (HOST,)


def test_an_oversized_answer_is_refused(names: Names) -> None:
    permit = opened(names)
    assert names.admit(UPDATES, permit, Answer(size=LARGEST + 1)) is Refusal.OVERSIZED
    many = tuple(("updates.example", address) for address in ip_network("192.0.2.0/26"))
    assert names.admit(UPDATES, permit, Answer(size=2000, addresses=many)) is Refusal.OVERSIZED


def test_a_lease_is_the_askers_own_where_that_can_be_known(names: Names, resolving: Site) -> None:
    answer = Answer(size=100, addresses=(("updates.example", HOST),), seconds=86_400)
    admitted = names.admit(UPDATES, opened(names), answer)
    assert isinstance(admitted, Admitted)
    assert admitted.seconds == LONGEST_ANSWER

    def clients(text: str) -> list[str]:
        asker = names.asker(ip_address(text))
        assert asker
        return [str(lease.client) for lease in leases(admitted, asker)]

    assert clients("10.1.0.7") == ["10.1.0.7"]
    assert clients("fd00:1::7") == ["None"]  # it asked over IPv6 for an IPv4 address
    assert clients("10.2.0.5") == ["None"]  # the domain controller asks for others
    assert clients("127.0.0.1") == ["None"]
    [lease] = leases(admitted, Asker(address=WARD, zones=frozenset({"wards"})))
    assert lease.seconds == LONGEST_ANSWER + GRACE
    shared = replace(admitted, openings=(resolving.opening("care-file"),))
    [lease] = leases(shared, Asker(address=WARD, zones=frozenset({"wards"})))
    assert lease.client is None


ADDRESSES = st.one_of(
    st.ip_addresses(), st.sampled_from(["10.1.0.7", "192.0.2.30", "::1", "192.0.2.31"]).map(ip_address)
)
OWNERS = st.sampled_from(["updates.example", "eu.updates.example", "care.example", "evil.example", "a.b"])


@given(
    st.sampled_from(["updates.example", "care.example", "evil.example"]),
    st.lists(st.tuples(OWNERS, OWNERS), max_size=5),
    st.lists(st.tuples(OWNERS, ADDRESSES), max_size=5),
    st.integers(-5, 1 << 32),
)
def test_no_answer_opens_what_it_must_not(
    names: Names,
    name: str,
    aliases: list[tuple[str, str]],
    addresses: list[tuple[str, Address]],
    seconds: int,
) -> None:
    """Whatever comes back: nothing inside is leased, nothing for long, and nothing through an opening not permitted."""
    question = Question(name, "A")
    permit = judged(names, question, stands(updates=OPEN, care_file=OPEN, browsing=OPEN))
    assert isinstance(permit, Permit)
    answer = Answer(size=100, aliases=tuple(aliases), addresses=tuple(addresses), seconds=seconds)
    admitted = names.admit(question, permit, answer)
    if isinstance(admitted, Admitted):
        given_out = list(leases(admitted, Asker(address=WARD, zones=frozenset({"wards"}))))
        assert {lease.mark for lease in given_out} <= {opening.mark for opening in permit.openings}
        assert all(GRACE <= lease.seconds <= LONGEST_ANSWER + GRACE for lease in given_out)
        assert all(
            lease.client is None or lease.client.version == lease.address.version for lease in given_out
        )
        assert not any(
            address.is_loopback or address in ip_network("10.0.0.0/8") for address in admitted.addresses
        )
