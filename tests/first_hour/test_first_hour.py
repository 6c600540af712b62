"""The first hour as values: what is asked, what is taken, and the site.toml that comes of it."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.adapters import shipped
from rempart.console.words import words
from rempart.events.decode import DECODERS
from rempart.first_hour import attack, form, questions
from rempart.first_hour.answers import DESCRIBING, Answers, Step, next_step, reachable, step_after, to_do
from rempart.first_hour.described import Book, site_toml
from rempart.first_hour.surroundings import Device, Interface, Surroundings
from rempart.instants import Instant
from rempart.site import soundness, template
from rempart.site.description import parse
from rempart.site.language import Language
from rempart.site.placement import Placement
from rempart.site.site import Site

BOOK = Book(
    {name: tomllib.loads(shipped.text(f"site/templates/{name}.toml")) for name in template.NAMES},
    tomllib.loads(shipped.text("site/openings.toml")),
)
AROUND = Surroundings(
    interfaces=(
        Interface(name="eth0", addresses=("203.0.113.2/24",), outward=True),
        Interface(name="eth1", addresses=("10.0.1.1/24",)),
    ),
    devices=(
        Device(address="10.0.1.20", interface="eth1", mac="02:00:5e:10:00:01", name="pc-20"),
        Device(address="203.0.113.1", interface="eth0", mac="02:00:5e:10:00:99"),
    ),
    resolvers=("198.51.100.53",),
    operator="10.0.1.250",
)
NEEDED: Mapping[Step, Mapping[str, str]] = {
    Step.LANGUAGE: {"language": "fr"},
    Step.INSTITUTION: {"template": "nursing-home", "name": "Les Tilleuls", "phone": "04 000 00 10"},
    Step.PEOPLE: {"account": "anne.dupont", "full-name": "Anne Dupont"},
    Step.SOURCE: {"path": "/var/log/remote/portal.log", "decoder": "syslog"},
}
"""What has no default; everything else is taken as it is supposed."""


def answered(
    answers: Answers, step: Step, typed: Mapping[str, str], around: Surroundings = AROUND
) -> Answers:
    """A step answered with what the form supposes, and what is typed instead."""
    supposed = {field.id: field.value for field in questions.fields(step, answers, around, BOOK)}
    assert typed.keys() <= supposed.keys()
    return form.read(step, answers, supposed | dict(typed), around, BOOK)


def walked(last: Step = Step.SOURCE, **instead: Mapping[str, str]) -> Answers:
    """All steps up to one, with what is needed."""
    answers = Answers()
    for step in DESCRIBING[: DESCRIBING.index(last) + 1]:
        answers = answered(answers, step, {**NEEDED.get(step, {}), **instead.get(step.value, {})})
    return answers


def site(answers: Answers) -> Site:
    return parse(site_toml(answers, BOOK), "site.toml")


@pytest.mark.parametrize("kind", template.NAMES)
@pytest.mark.parametrize("language", list(Language))
def test_every_template_in_every_language_becomes_a_site_that_can_be_defended(
    kind: str, language: Language
) -> None:
    made = site(
        walked(language={"language": language}, institution={**NEEDED[Step.INSTITUTION], "template": kind})
    )
    assert soundness.check(made) == ()
    assert made.languages[0] is language
    assert made.safeguards[0].networks == ("10.0.1.250/32",)
    assert made.staff_page
    assert made.staff_page.url == "http://10.0.1.1:8421/"
    assert made.logs[0].path == "/var/log/remote/portal.log"


def test_zones_on_one_interface_become_one_that_uses_what_all_of_them_used() -> None:
    made = site(walked())
    assert [(zone.id, zone.interface, zone.networks) for zone in made.zones] == [
        ("wards", "eth1", ("10.0.1.0/24",))
    ]
    assert {opening.id for opening in made.openings} >= {"telephone", "bank", "ntp", "nurse-call"}
    assert all(opening.zones == ("wards",) for opening in made.openings)


def test_zones_apart_keep_the_ways_between_them() -> None:
    apart = {"zone.servers.interface": "eth2", "zone.servers.networks": "10.0.3.0/24"}
    made = site(walked(network=apart))
    assert [(zone.id, zone.reaches) for zone in made.zones] == [("wards", ("servers",)), ("servers", ())]


def test_a_box_beside_the_path_is_asked_how_the_site_is_cut_by_hand() -> None:
    beside = {"network": {"placement": "observer"}, "outside": {"cut.0": "FortiGate: unplug port 1"}}
    made = site(answers := walked(**beside))
    assert (made.placement, made.by_hand.cut) == (Placement.OBSERVER, ("FortiGate: unplug port 1",))
    again = {each.id: each.value for each in questions.fields(Step.OUTSIDE, answers, AROUND, BOOK)}
    assert again["cut.0"] == "FortiGate: unplug port 1"
    assert msgspec.json.decode(msgspec.json.encode(answers), type=Answers) == answers
    gateway = walked()
    assert (site(gateway).placement, site(gateway).by_hand.cut) == (Placement.GATEWAY, ())
    assert "cut.0" not in {each.id for each in questions.fields(Step.OUTSIDE, gateway, AROUND, BOOK)}
    back = answered(answers, Step.NETWORK, {"placement": "gateway"})
    assert (site(back).placement, site(back).by_hand.cut) == (Placement.GATEWAY, ())


ALONE = replace(AROUND, interfaces=(Interface(name="eth0", addresses=("10.0.1.20/24",), outward=True),))


def test_a_box_with_one_interface_is_taken_to_stand_beside_the_path() -> None:
    answers = Answers()
    for step in DESCRIBING:
        answers = answered(answers, step, NEEDED.get(step, {}), ALONE)
    made = site(answers)
    assert made.placement is Placement.OBSERVER
    assert (made.uplink.interface, made.uplink.addresses) == ("eth0", ())
    assert made.staff_page
    assert made.staff_page.address == "10.0.1.20"
    assert [(zone.interface, zone.networks) for zone in made.zones] == [("eth0", ("10.0.1.0/24",))]
    assert soundness.check(made) == ()


def test_without_an_address_in_the_house_there_is_no_staff_page() -> None:
    bare = replace(AROUND, interfaces=(AROUND.interfaces[0], Interface(name="eth1")))
    typed = {"zone.wards.interface": "eth1", "zone.wards.networks": "10.0.1.0/24"}
    answers = answered(walked(Step.INSTITUTION), Step.NETWORK, typed, bare)
    assert answers.network
    assert site(walked()).staff_page
    assert site(answers).staff_page is None


def test_beside_the_path_networks_keep_zones_apart_on_one_interface() -> None:
    answers = walked(Step.INSTITUTION)
    apart = {
        "uplink-addresses": "203.0.113.2/24, 10.0.1.20/24",
        "zone.servers.interface": "eth0",
        "zone.servers.networks": "10.0.3.0/24",
    }
    answers = answered(answers, Step.NETWORK, apart, ALONE)
    assert answers.network
    assert answers.network.uplink_addresses == ("203.0.113.2/24",)  # the box's own is inside
    made = site(answers)
    assert [(zone.id, zone.interface, zone.networks, zone.reaches) for zone in made.zones] == [
        ("wards", "eth0", ("10.0.1.0/24",), ("servers",)),
        ("servers", "eth0", ("10.0.3.0/24",), ()),
    ]


def test_one_interface_is_no_place_in_the_path() -> None:
    with pytest.raises(form.Unfit) as refused:
        answered(walked(Step.INSTITUTION), Step.NETWORK, {"placement": "gateway"}, ALONE)
    assert {fault.word for fault in refused.value.faults} == {"uplink"}


def test_a_step_that_fits_no_telephone_and_a_placement_nobody_knows_are_not_taken() -> None:
    with pytest.raises(form.Unfit):
        walked(network={"placement": "observer"}, outside={"cut.0": "x" * 200})
    with pytest.raises(form.Unfit) as refused:
        walked(network={"placement": "bridge"})
    assert {fault.field for fault in refused.value.faults} == {"placement"}


def test_what_was_found_fills_the_forms() -> None:
    answers = walked(Step.PEOPLE)
    supposed = {each.id: each.value for each in questions.fields(Step.NETWORK, answers, AROUND, BOOK)}
    assert supposed["uplink"] == "eth0"
    openings = {each.id: each.value for each in questions.fields(Step.OPENINGS, answers, AROUND, BOOK)}
    assert openings["door.dns.hosts"] == "198.51.100.53"
    fresh = msgspec.structs.replace(answers, devices=None)
    rows = {each.id: each.value for each in questions.fields(Step.DEVICES, fresh, AROUND, BOOK)}
    assert (rows["device.0.address"], rows["device.0.name"]) == ("10.0.1.20", "pc-20")
    assert "203.0.113.1" not in rows.values()
    assert site(answers).known_devices == ("02:00:5e:10:00:01",)


def test_a_machine_with_a_name_stands_in_its_zone_and_is_there_when_the_form_comes_again() -> None:
    row = {"device.60.address": "10.0.1.9", "device.60.name": "Central", "device.60.kind": "telephone"}
    answers = walked(devices=row)
    (asset,) = site(answers).assets
    assert (asset.id, asset.zone, asset.kind, asset.addresses) == (
        "central",
        "wards",
        "telephone",
        ("10.0.1.9",),
    )
    again = {each.id: each.value for each in questions.fields(Step.DEVICES, answers, AROUND, BOOK)}
    assert again["device.0.name"] == "Central"


@pytest.mark.parametrize(
    ("step", "typed", "lacking"),
    [
        (Step.DEVICES, {"device.60.address": "10.0.1.9"}, "device.60.kind"),
        (Step.DEVICES, {"device.61.name": "Central"}, "device.61.kind"),
        (Step.NETWORK, {"zone.guests.networks": "10.0.9.0/24"}, "zone.guests.interface"),
    ],
)
def test_what_was_typed_by_hand_and_left_half_is_asked_for_and_not_lost(
    step: Step, typed: Mapping[str, str], lacking: str
) -> None:
    with pytest.raises(form.Unfit) as unfit:
        walked(step, **{step.value: typed})
    assert [(fault.field, fault.word) for fault in unfit.value.faults] == [(lacking, "needed")]


def test_an_opening_left_out_gives_its_number_to_no_other() -> None:
    before = {each.id: each.mark for each in site(walked()).openings}
    after = {
        each.id: each.mark
        for each in site(walked(openings={"door.nurse-call.kept": "no", "door.mail-in.kept": ""})).openings
    }
    assert set(before) - set(after) == {"nurse-call", "mail-in"}
    assert all(before[name] == mark for name, mark in after.items())


def test_a_service_of_the_house_stands_once_its_name_and_server_are_known() -> None:
    assert "website" not in {each.id for each in site(walked()).openings}
    served = {"door.website.name": "www.tilleuls.example", "door.website.server": "10.0.1.80"}
    opening = site(walked(openings=served)).opening("website")
    assert opening.publication is not None
    assert (opening.publication.host, opening.publication.address) == ("www.tilleuls.example", "10.0.1.80")


@pytest.mark.parametrize(
    ("step", "typed", "faults"),
    [
        (Step.LANGUAGE, {"language": "it"}, [("language", "choice")]),
        (Step.INSTITUTION, {"name": "", "template": "prison"}, [("template", "choice"), ("name", "needed")]),
        (Step.INSTITUTION, {"phone": "call me"}, [("phone", "phone")]),
        (Step.INSTITUTION, {"name": "Les \u202eTilleuls"}, [("name", "text")]),
        (Step.INSTITUTION, {"records": "many"}, [("records", "number")]),
        (Step.NETWORK, {"uplink": "eth 0"}, [("uplink", "interface")]),
        (Step.NETWORK, {"zone.wards.interface": "eth0"}, [("zone.wards.interface", "uplink")]),
        (Step.NETWORK, {"zone.wards.networks": "10.0.1.1/24"}, [("zone.wards.networks", "network")]),
        (
            Step.DEVICES,
            {"device.60.address": "203.0.113.7", "device.60.name": "x", "device.60.kind": "server"},
            [("device.60.address", "outside-zones")],
        ),
        (Step.LIFELINES, {"safeguard.networks": ""}, [("safeguard.networks", "needed")]),
        (Step.LIFELINES, {"safeguard.networks": "0.0.0.0/0"}, [("", "")]),
        (Step.OPENINGS, {"door.telephone.phone": "?!"}, [("door.telephone.phone", "phone")]),
        (Step.OPENINGS, {"door.telephone.hosts": "a..b, 10.0.0.1"}, [("door.telephone.hosts", "host")]),
        (Step.OUTSIDE, {"beyond.0.action": ""}, [("beyond.0.action", "needed")]),
        (Step.PEOPLE, {"account": "Anne Dupont"}, [("account", "account")]),
        (Step.SOURCE, {"path": "portal.log"}, [("path", "path")]),
    ],
)
def test_what_cannot_be_taken_is_named_and_changes_nothing(
    step: Step, typed: dict[str, str], faults: list[tuple[str, str]]
) -> None:
    before = walked()
    with pytest.raises(form.Unfit) as refused:
        answered(before, step, typed)
    assert [(fault.field, fault.word) for fault in refused.value.faults] == faults
    assert before == walked()


def test_a_lifeline_that_a_fallback_leans_on_stays_one() -> None:
    with pytest.raises(form.Unfit) as refused:
        answered(walked(), Step.LIFELINES, {"life.telephone": "no"})
    assert {(fault.field, fault.word) for fault in refused.value.faults} == {("life.telephone", "leaned-on")}
    assert "Pharmacie" in {fault.value for fault in refused.value.faults}


def test_another_template_asks_anew_what_depends_on_it() -> None:
    changed = answered(walked(), Step.INSTITUTION, {"template": "medical-house"})
    assert next_step(changed) is Step.NETWORK
    assert changed.people is not None
    assert changed.source is not None


def test_steps_come_in_order_and_may_be_taken_again() -> None:
    answers = Answers()
    assert next_step(answers) is Step.LANGUAGE
    assert [step for step in Step if reachable(answers, step)] == [Step.LANGUAGE]
    assert [*to_do(walked())] == [Step.START, Step.TEST, Step.PAPERS]
    assert all(reachable(walked(), step) for step in (*DESCRIBING, Step.START))
    assert not reachable(walked(), Step.TEST)


def test_what_was_passed_over_comes_at_the_end() -> None:
    assert step_after(walked(Step.NETWORK), Step.NETWORK) is Step.DEVICES
    assert step_after(walked(Step.NETWORK), Step.SOURCE) is Step.DEVICES
    assert step_after(walked(), Step.PEOPLE) is Step.START
    assert step_after(walked(), Step.START) is None


def test_every_word_that_the_forms_use_is_there_in_four_languages() -> None:
    answers = walked()
    spoken = words(Language.DUTCH)
    for step in Step:
        assert spoken.say(f"setup.step.{step}")
        assert spoken.say(f"setup.lead.{step}")
        for each in questions.fields(step, answers, AROUND, BOOK):
            assert spoken.say(f"setup.field.{each.word}")
            assert all(choice.text or spoken.say(f"setup.{choice.word}") for choice in each.choices)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DESCRIBING),
    st.dictionaries(st.integers(0, 12), st.text(max_size=30), max_size=4),
)
def test_whatever_is_typed_is_taken_into_a_sound_site_or_refused_by_name(
    step: Step, typed: dict[int, str]
) -> None:
    answers = _WALKED
    asked = questions.fields(step, answers, AROUND, BOOK)
    values = {each.id: each.value for each in asked}
    values |= {asked[number % len(asked)].id: text for number, text in typed.items()}
    faults: tuple[form.Fault, ...] = ()
    try:
        answers = form.read(step, answers, values, AROUND, BOOK)
    except form.Unfit as refused:
        faults = refused.faults
        assert faults
    assert all(fault.flaw or words(Language.FRENCH).has(f"setup.fault.{fault.word}") for fault in faults)
    assert "unreadable" not in {fault.flaw.said.key for fault in faults if fault.flaw}
    assert soundness.check(site(answers)) == ()


_WALKED = walked()


@pytest.mark.parametrize("decoder", attack.DECODERS)
def test_the_test_attack_is_one_line_that_its_decoder_reads(decoder: str) -> None:
    line = attack.line(decoder, "0a1b", Instant(1_790_000_000_000_000))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    event = DECODERS[decoder](line.rstrip(b"\n"), "log", 1)
    assert event is not None
    assert event.time == Instant(1_790_000_000_000_000)
    assert any(attack.host("0a1b") in str(value) for value in event.fields.values())


def test_nothing_is_supposed_where_nothing_was_found() -> None:
    bare = replace(AROUND, interfaces=(), devices=(), resolvers=(), operator="")
    answers = walked(Step.INSTITUTION)
    with pytest.raises(form.Unfit) as refused:
        answered(answers, Step.NETWORK, {}, bare)
    assert {fault.field for fault in refused.value.faults} == {"uplink"}
