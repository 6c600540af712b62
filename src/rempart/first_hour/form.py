"""What a step asks, as fields with a value each, and what was typed into them, as an answer or as faults.

Terminal, browser and a file of answers all go through here, so that they ask and accept the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import msgspec

from rempart.accounts.person import PERSON_ID
from rempart.errors import SiteInvalid
from rempart.first_hour import attack
from rempart.first_hour.answers import (
    Answers,
    Beyond,
    Called,
    Door,
    Doors,
    Institution,
    Lifelines,
    Machine,
    Machines,
    Network,
    Outside,
    People,
    Source,
    Step,
    ZonePlace,
)
from rempart.first_hour.described import Book, site_toml, zone_of
from rempart.first_hour.surroundings import Interface, Surroundings
from rempart.site import soundness
from rempart.site.description import parse
from rempart.site.language import Language
from rempart.site.placement import Placement
from rempart.site.site import AssetKind
from rempart.site.template import Table
from rempart.site.values import Word, accepted

MOST_DEVICES = 60
"""Found machines that the form offers a name for."""
MORE = "+"
"""The group of fields for one thing more."""
_STEPS = 5
"""Steps of the cut by hand that are asked; site.toml takes more."""
_ROWS = 2
"""Empty rows for what nobody found."""


class FieldKind(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    PHONE = "tel"
    CHOICE = "choice"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that may be chosen; ``text`` says it, or the words of key ``setup.<word>`` do."""

    value: str
    text: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question. ``group``: a name under which it stands with others."""

    id: str
    kind: FieldKind = FieldKind.TEXT
    word: str
    """Key of its label, under ``setup.field``."""
    value: str = ""
    group: str = ""
    choices: tuple[Choice, ...] = ()
    """Of a choice, all; of a text, those that are offered."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer was not taken. ``word``: key under ``setup.fault``; ``value``: what was typed, or a name."""

    field: str
    word: str
    value: str = ""


class Unfit(Exception):
    """Answers that cannot be taken; nothing was changed."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__("answers that cannot be taken")
        self.faults = tuple(faults)


T = TypeVar("T")


@dataclass(slots=True)
class _Typed:
    """What was typed, being read; faults are gathered."""

    values: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)

    def text(self, key: str) -> str:
        return self.values.get(key, "").strip()

    def marked(self, key: str) -> bool:
        return self.text(key).lower() not in ("", "no", "false", "0", "off")

    def one(self, key: str, word: Word, *, needed: bool = False) -> str:
        """The value by the rule of its word; empty where nothing was typed."""
        text = self.text(key)
        if not text:
            if needed:
                self.faults.append(Fault(key, "needed"))
            return ""
        found = accepted(text, word)
        if found is None:
            self.faults.append(Fault(key, word.value, text))
        return found or ""

    def many(self, key: str, word: Word) -> tuple[str, ...]:
        """The values between commas or spaces, each by the rule."""
        found: list[str] = []
        for text in re.split(r"[,;\s]+", self.text(key)):
            value = accepted(text, word) if text else ""
            if value is None:
                self.faults.append(Fault(key, word.value, text))
            elif value:
                found.append(value)
        return tuple(dict.fromkeys(found))

    def chosen(self, key: str, offered: Iterable[str]) -> str:
        text = self.text(key)
        if text not in offered:
            self.faults.append(Fault(key, "choice" if text else "needed", text))
        return text

    def number(self, key: str, usual: int, most: int) -> int:
        text = self.text(key)
        if not text:
            return usual
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            self.faults.append(Fault(key, "number", text))
            return usual
        return int(text)


# -- asking ------------------------------------------------------------------------------------------------------


def fields(step: Step, answers: Answers, around: Surroundings, book: Book) -> tuple[Field, ...]:
    """What a step asks, with what was answered before or is supposed; empty for a step that asks nothing."""
    match step:
        case Step.LANGUAGE:
            return (*_language(answers),)
        case Step.INSTITUTION:
            return (*_institution(answers, book),)
        case Step.NETWORK:
            return (*_network(answers, around, _about(answers, book)),)
        case Step.DEVICES:
            return (*_devices(answers, around),)
        case Step.LIFELINES:
            return (*_lifelines(answers, around, book),)
        case Step.OPENINGS:
            return (*_openings(answers, around, book),)
        case Step.OUTSIDE:
            return (*_outside(answers, _about(answers, book)), *_cutting(answers))
        case Step.PEOPLE:
            return (*_people(answers, _about(answers, book)),)
        case Step.SOURCE:
            return (*_source(answers),)
        case _:
            return ()


def _about(answers: Answers, book: Book) -> Table:
    assert answers.institution
    return book.templates[answers.institution.template]


def _spoken(answers: Answers) -> Language:
    return answers.language or Language.ENGLISH


def _language(answers: Answers) -> Iterator[Field]:
    names = {"fr": "Français", "nl": "Nederlands", "de": "Deutsch", "en": "English"}
    yield Field(
        id="language",
        kind=FieldKind.CHOICE,
        word="language",
        value=answers.language or "",
        choices=tuple(Choice(language, names[language]) for language in Language),
    )


def _institution(answers: Answers, book: Book) -> Iterator[Field]:
    known = answers.institution
    yield Field(
        id="template",
        kind=FieldKind.CHOICE,
        word="template",
        value=known.template if known else "",
        choices=tuple(
            Choice(name, about["label"][_spoken(answers)]) for name, about in book.templates.items()
        ),
    )
    yield Field(id="name", word="name", value=known.name if known else "")
    yield Field(id="phone", kind=FieldKind.PHONE, word="public-phone", value=known.phone if known else "")
    records = str(known.records) if known and known.records else ""
    yield Field(id="records", word="records", value=records)


def _network(answers: Answers, around: Surroundings, about: Table) -> Iterator[Field]:
    known = answers.network
    yield Field(
        id="placement",
        kind=FieldKind.CHOICE,
        word="placement",
        value=known.placement if known else Placement.OBSERVER if around.only else Placement.GATEWAY,
        choices=tuple(Choice(each, word=f"placement.{each}") for each in Placement),
    )
    offered = tuple(Choice(each.name, ", ".join((each.name, *each.addresses))) for each in around.interfaces)
    outward = around.only or next((each for each in around.interfaces if each.outward), None)
    uplink = known.uplink if known else outward.name if outward else ""
    addresses = known.uplink_addresses if known else outward.addresses if outward and not around.only else ()
    yield Field(id="uplink", word="uplink", value=uplink, choices=offered)
    yield Field(id="uplink-addresses", word="uplink-addresses", value=", ".join(addresses))
    inward = around.only or next((i for i in around.interfaces if not i.outward and i.addresses), None)
    for zone in about["zones"]:
        place = _place(known, zone, inward)
        group, name = zone["name"][_spoken(answers)], zone["id"]
        interface = place.interface if place else ""
        networks = ", ".join(place.networks) if place else ""
        yield Field(
            id=f"zone.{name}.interface", word="zone-interface", value=interface, group=group, choices=offered
        )
        yield Field(id=f"zone.{name}.networks", word="zone-networks", value=networks, group=group)


def _place(known: Network | None, zone: Table, inward: Interface | None) -> ZonePlace | None:
    """Where the zone is, or, before anything was answered, where one interface inside would put what stays on."""
    if known:
        return next((each for each in known.zones if each.zone == zone["id"]), None)
    if inward and zone.get("stays_on", True):
        return ZonePlace(zone=zone["id"], interface=inward.name, networks=inward.networks)
    return None


def _devices(answers: Answers, around: Surroundings) -> Iterator[Field]:
    named = {machine.address: machine for machine in answers.devices.named} if answers.devices else {}
    found = {
        device.address: device
        for device in around.devices
        if _inside(answers, device.address) and device.address not in named
    }
    yield Field(id="known", kind=FieldKind.MARK, word="known", value="yes")
    for number, address in enumerate([*named, *found][:MOST_DEVICES]):
        machine = named.get(address)
        mac = machine.mac if machine else found[address].mac
        name = machine.name if machine else found[address].name
        yield from _row(number, address, mac, name, machine.kind if machine else "", " ".join((address, mac)))
    for number in range(MOST_DEVICES, MOST_DEVICES + _ROWS):
        yield from _row(number, "", "", "", "", MORE)


def _row(number: int, address: str, mac: str, name: str, kind: str, group: str) -> Iterator[Field]:
    start = f"device.{number}"
    yield Field(id=f"{start}.address", word="address", value=address, group=group)
    yield Field(id=f"{start}.mac", word="mac", value=mac, group=group)
    yield Field(id=f"{start}.name", word="device-name", value=name, group=group)
    kinds = (Choice("", word="kind.none"), *(Choice(each, word=f"kind.{each}") for each in AssetKind))
    yield Field(
        id=f"{start}.kind", kind=FieldKind.CHOICE, word="kind", value=kind, group=group, choices=kinds
    )


def _inside(answers: Answers, address: str) -> bool:
    assert answers.network
    zones: list[Table] = [{"id": each.zone, "networks": each.networks} for each in answers.network.zones]
    return zone_of(address, zones) is not None


def _lifelines(answers: Answers, around: Surroundings, book: Book) -> Iterator[Field]:
    known = answers.lifelines
    assert answers.network
    first = answers.network.zones[0].interface if answers.network.zones else ""
    networks = known.networks if known else (around.operator,) if around.operator else ()
    offered = tuple(Choice(each.name, ", ".join((each.name, *each.addresses))) for each in around.interfaces)
    interface = known.interface if known else _towards(around) or first
    yield Field(id="safeguard.interface", word="safeguard-interface", value=interface, choices=offered)
    yield Field(id="safeguard.networks", word="safeguard-networks", value=", ".join(networks))
    yield Field(id="safeguard.port", word="safeguard-port", value=str(known.port if known else 22))
    for entry in _entries(answers, book):
        vital = entry["id"] in known.openings if known else entry.get("lifeline", False)
        yield Field(
            id=f"life.{entry['id']}",
            kind=FieldKind.MARK,
            word="lifeline",
            value="yes" if vital else "",
            group=entry["name"][_spoken(answers)],
        )


def _towards(around: Surroundings) -> str:
    """The interface on which whoever installs stands."""
    for interface in around.interfaces:
        if around.operator and zone_of(
            around.operator, [{"id": interface.name, "networks": interface.networks}]
        ):
            return interface.name
    return ""


def _entries(answers: Answers, book: Book) -> Iterator[Table]:
    return (book.opening(name) for name in _about(answers, book)["openings"])


def _openings(answers: Answers, around: Surroundings, book: Book) -> Iterator[Field]:
    known = {door.opening: door for door in answers.openings.kept} if answers.openings else {}
    served = {each["opening"] for each in _about(answers, book)["published"]}
    for entry in _entries(answers, book):
        start, group = f"door.{entry['id']}", entry["name"][_spoken(answers)]
        door = known.get(entry["id"], Door(opening=entry["id"], hosts=_hosts(entry, around)))
        kept = not answers.openings or entry["id"] in known
        yield Field(
            id=f"{start}.kept",
            kind=FieldKind.MARK,
            word="kept",
            value="yes" if kept else "",
            group=group,
        )
        if entry["id"] in served:
            yield Field(id=f"{start}.name", word="served-name", value=door.name, group=group)
            yield Field(id=f"{start}.server", word="server", value=door.server, group=group)
        else:
            yield Field(id=f"{start}.hosts", word="hosts", value=", ".join(door.hosts), group=group)
        yield Field(
            id=f"{start}.phone", kind=FieldKind.PHONE, word="fallback-phone", value=door.phone, group=group
        )


def _hosts(entry: Table, around: Surroundings) -> tuple[str, ...]:
    """The hosts that the catalogue knows; of the way to names, those that the box asks itself."""
    if entry["id"] == "dns" and around.resolvers:
        return around.resolvers
    return tuple(host for host in entry["hosts"] if not host.endswith(".invalid") and not _example(host))


def _example(host: str) -> bool:
    return host.startswith("192.0.2.")


def _outside(answers: Answers, about: Table) -> Iterator[Field]:
    spoken = _spoken(answers)
    if answers.outside:
        named = [(each.name, each.action, each.phone) for each in answers.outside.named]
    else:
        named = [(each["name"][spoken], each["action"][spoken], "") for each in about["outside_wall"]]
    for number, (name, action, phone) in enumerate([*named, *[("", "", "")] * _ROWS]):
        start, group = f"beyond.{number}", name or MORE
        yield Field(id=f"{start}.name", word="beyond-name", value=name, group=group)
        yield Field(id=f"{start}.action", word="beyond-action", value=action, group=group)
        yield Field(id=f"{start}.phone", kind=FieldKind.PHONE, word="phone", value=phone, group=group)


def _cutting(answers: Answers) -> Iterator[Field]:
    """How the site is cut by hand: asked only where the box will not do it."""
    known = answers.outside.cut if answers.outside else ()
    if answers.observes:
        for number in range(_STEPS):
            value = known[number] if number < len(known) else ""
            yield Field(id=f"cut.{number}", word="cut-step", value=value)


def _people(answers: Answers, about: Table) -> Iterator[Field]:
    known = answers.people
    for contact in about["contacts"]:
        role, group = contact["role"], contact["name"][_spoken(answers)]
        person = next((each for each in known.contacts if each.role == role), None) if known else None
        start = f"contact.{role}"
        yield Field(
            id=f"{start}.name", word="contact-name", value=person.name if person else group, group=group
        )
        yield Field(
            id=f"{start}.phone",
            kind=FieldKind.PHONE,
            word="phone",
            value=person.phone if person else "",
            group=group,
        )
    yield Field(id="account", word="account", value=known.account if known else "")
    yield Field(id="full-name", word="full-name", value=known.full_name if known else "")


def _source(answers: Answers) -> Iterator[Field]:
    known = answers.source
    yield Field(id="path", word="path", value=known.path if known else "")
    yield Field(
        id="decoder",
        kind=FieldKind.CHOICE,
        word="decoder",
        value=known.decoder if known else attack.DECODERS[0],
        choices=tuple(Choice(name, word=f"decoder.{name}") for name in attack.DECODERS),
    )


# -- reading -----------------------------------------------------------------------------------------------------


def read(
    step: Step, answers: Answers, values: Mapping[str, str], around: Surroundings, book: Book
) -> Answers:
    """The answers with those of one step. Raises `Unfit` with every fault, and then nothing has changed."""
    typed = _Typed(values)
    match step:
        case Step.LANGUAGE:
            language = typed.chosen("language", list(Language))
            found: dict[str, object] = {"language": Language(language) if not typed.faults else None}
        case Step.INSTITUTION:
            found = {"institution": _institution_read(typed, book)}
        case Step.NETWORK:
            found = {"network": _network_read(typed, around, _about(answers, book))}
        case Step.DEVICES:
            found = {"devices": _devices_read(typed, answers, around)}
        case Step.LIFELINES:
            found = {"lifelines": _lifelines_read(typed, answers, book)}
        case Step.OPENINGS:
            found = {"openings": _openings_read(typed, answers, book)}
        case Step.OUTSIDE:
            found = {"outside": _outside_read(typed, answers)}
        case Step.PEOPLE:
            found = {"people": _people_read(typed, _about(answers, book))}
        case Step.SOURCE:
            path = typed.one("path", Word.PATH, needed=True)
            found = {"source": Source(path=path, decoder=typed.chosen("decoder", attack.DECODERS))}
        case _:
            found = {}
    if typed.faults:
        raise Unfit(typed.faults)
    grown = msgspec.structs.replace(answers, **found)
    if step is Step.INSTITUTION and _another_kind(answers, grown):
        # What was answered about another template's zones and openings does not fit this one's.
        grown = msgspec.structs.replace(grown, network=None, lifelines=None, openings=None, devices=None)
    if faults := [*_unsound(grown, book)]:
        raise Unfit(faults)
    return grown


def _another_kind(before: Answers, after: Answers) -> bool:
    return bool(
        before.institution and after.institution and before.institution.template != after.institution.template
    )


def _unsound(answers: Answers, book: Book) -> Iterator[Fault]:
    """What the answers together make wrong: the description must be one that the station accepts at any step."""
    if answers.language is None or answers.institution is None:
        return
    try:
        site = parse(site_toml(answers, book), "site.toml")
    except SiteInvalid as wrong:
        yield from (Fault("", "site", f"{each.what}. {each.mend}") for each in wrong.problems)
        return
    for problem in soundness.check(site):
        yield Fault("", "site", f"{problem.where}: {problem.what}. {problem.mend}")


def _institution_read(typed: _Typed, book: Book) -> Institution:
    return Institution(
        template=typed.chosen("template", book.templates),
        name=typed.one("name", Word.TEXT, needed=True),
        phone=typed.one("phone", Word.PHONE),
        records=typed.number("records", 0, 100_000_000),
    )


def _network_read(typed: _Typed, around: Surroundings, about: Table) -> Network:
    placement = typed.chosen("placement", list(Placement)) if typed.text("placement") else Placement.GATEWAY
    uplink = typed.one("uplink", Word.INTERFACE, needed=True)
    outward = around.interface(uplink)
    addresses = typed.many("uplink-addresses", Word.INTERFACE_ADDRESS)
    observes = placement == Placement.OBSERVER
    zones = [*_zones_read(typed, around, "" if observes else uplink, about)]
    if not zones and not typed.faults:
        typed.faults.append(Fault("", "no-zone"))
    addresses = addresses or (outward.addresses if outward else ())
    return Network(
        placement=Placement.GATEWAY if typed.faults else Placement(placement),
        uplink=uplink,
        uplink_addresses=tuple(_faces(addresses, zones)) if observes else addresses,
        zones=tuple(zones),
    )


def _faces(addresses: Iterable[str], zones: Iterable[ZonePlace]) -> Iterator[str]:
    """Those that lie in no zone: what a box has beside the path is an address in the house, and no face of it."""
    held = [{"id": each.zone, "networks": each.networks} for each in zones]
    return (address for address in addresses if zone_of(address.partition("/")[0], held) is None)


def _zones_read(typed: _Typed, around: Surroundings, uplink: str, about: Table) -> Iterator[ZonePlace]:
    """Where each zone is. ``uplink`` is the interface that none can be on; empty: beside the path, any may."""
    for zone in about["zones"]:
        key = f"zone.{zone['id']}.interface"
        interface = typed.one(key, Word.INTERFACE)
        networks = typed.many(f"zone.{zone['id']}.networks", Word.NETWORK)
        if not interface:
            if networks and all(networks != each.networks for each in around.interfaces):
                typed.faults.append(Fault(key, "needed"))  # typed by hand, and not to be lost
            continue
        if interface == uplink:
            typed.faults.append(Fault(key, "uplink", interface))
        found = around.interface(interface)
        networks = networks or (found.networks if found else ())
        if not networks:
            typed.faults.append(Fault(f"zone.{zone['id']}.networks", "needed"))
        yield ZonePlace(zone=zone["id"], interface=interface, networks=networks)


def _devices_read(typed: _Typed, answers: Answers, around: Surroundings) -> Machines:
    named: list[Machine] = []
    for number in range(MOST_DEVICES + _ROWS):
        start = f"device.{number}"
        name, kind = typed.one(f"{start}.name", Word.TEXT), typed.text(f"{start}.kind")
        if not kind:
            if number >= MOST_DEVICES and (name or typed.text(f"{start}.address")):
                typed.faults.append(Fault(f"{start}.kind", "needed"))  # typed by hand, and not to be lost
            continue
        address = typed.one(f"{start}.address", Word.ADDRESS, needed=True)
        if not name:
            typed.faults.append(Fault(f"{start}.name", "needed"))
        if kind not in list(AssetKind):
            typed.faults.append(Fault(f"{start}.kind", "choice", kind))
        if address and not _inside(answers, address):
            typed.faults.append(Fault(f"{start}.address", "outside-zones", address))
        mac = typed.text(f"{start}.mac").lower()
        if mac and not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac):
            typed.faults.append(Fault(f"{start}.mac", "mac", mac))
        named.append(Machine(address=address, name=name, kind=kind, mac=mac))
    inside = (each for each in around.devices if each.mac and _inside(answers, each.address))
    heard = {each.mac for each in inside} if typed.marked("known") else set()
    return Machines(named=tuple(named), known=tuple(sorted(heard | {each.mac for each in named if each.mac})))


def _lifelines_read(typed: _Typed, answers: Answers, book: Book) -> Lifelines:
    entries = [*_entries(answers, book)]
    vital = tuple(entry["id"] for entry in entries if typed.marked(f"life.{entry['id']}"))
    for entry in entries:
        for needed in entry.get("depends_on", []):
            if needed not in vital:
                spoken = _spoken(answers)
                typed.faults.append(Fault(f"life.{needed}", "leaned-on", entry["name"][spoken]))
    networks = typed.many("safeguard.networks", Word.NETWORK)
    if not networks and not typed.faults:
        typed.faults.append(Fault("safeguard.networks", "needed"))
    return Lifelines(
        openings=vital,
        interface=typed.one("safeguard.interface", Word.INTERFACE, needed=True),
        networks=networks,
        port=typed.number("safeguard.port", 22, 65535),
    )


def _openings_read(typed: _Typed, answers: Answers, book: Book) -> Doors:
    kept: list[Door] = []
    for entry in _entries(answers, book):
        start = f"door.{entry['id']}"
        if not typed.marked(f"{start}.kept"):
            continue
        server = typed.one(f"{start}.server", Word.ADDRESS)
        if server and not _inside(answers, server):
            typed.faults.append(Fault(f"{start}.server", "outside-zones", server))
        kept.append(
            Door(
                opening=entry["id"],
                hosts=typed.many(f"{start}.hosts", Word.HOST),
                phone=typed.one(f"{start}.phone", Word.PHONE),
                name=typed.one(f"{start}.name", Word.HOST_NAME),
                server=server,
            )
        )
    if not kept:
        typed.faults.append(Fault("", "no-opening"))
    return Doors(kept=tuple(kept))


def _outside_read(typed: _Typed, answers: Answers) -> Outside:
    named: list[Beyond] = []
    numbers = {int(key.split(".")[1]) for key in typed.values if re.fullmatch(r"beyond\.\d{1,3}\.name", key)}
    for number in sorted(numbers):
        start = f"beyond.{number}"
        name = typed.one(f"{start}.name", Word.TEXT)
        if name:
            action = typed.one(f"{start}.action", Word.TEXT, needed=True)
            named.append(Beyond(name=name, action=action, phone=typed.one(f"{start}.phone", Word.PHONE)))
    steps = (typed.one(f"cut.{number}", Word.TEXT) for number in range(_STEPS if answers.observes else 0))
    return Outside(named=tuple(named), cut=tuple(step for step in steps if step))


def _people_read(typed: _Typed, about: Table) -> People:
    contacts = [
        Called(
            role=contact["role"],
            name=typed.one(f"contact.{contact['role']}.name", Word.TEXT),
            phone=typed.one(f"contact.{contact['role']}.phone", Word.PHONE),
        )
        for contact in about["contacts"]
    ]
    account = typed.text("account")
    if not re.fullmatch(PERSON_ID, account):
        typed.faults.append(Fault("account", "account" if account else "needed", account))
    return People(
        contacts=tuple(each for each in contacts if each.name),
        account=account,
        full_name=typed.one("full-name", Word.TEXT, needed=True),
    )
