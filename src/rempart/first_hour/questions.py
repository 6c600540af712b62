"""What a step asks: fields, each with what was answered before, or is supposed of what was found.

Terminal, browser and a file of answers all ask the same; what is typed into them is taken in `rempart.first_hour.form`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rempart.first_hour import attack
from rempart.first_hour.answers import Answers, Door, Network, Step, ZonePlace
from rempart.first_hour.described import Book, entries_of, in_the_house, language_of, template_of, zone_of
from rempart.first_hour.surroundings import Interface, Surroundings
from rempart.site.language import Language
from rempart.site.placement import Placement
from rempart.site.site import AssetKind
from rempart.site.template import Table

MOST_DEVICES = 60
"""Found machines that the form offers a name for."""
MORE = "+"
"""The group of fields for one thing more."""
STEPS = 5
"""Steps of the cut by hand that are asked; site.toml takes more."""
ROWS = 2
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


def fields(step: Step, answers: Answers, around: Surroundings, book: Book) -> tuple[Field, ...]:
    """What a step asks, with what was answered before or is supposed; empty for a step that asks nothing."""
    match step:
        case Step.LANGUAGE:
            return (*_language(answers),)
        case Step.INSTITUTION:
            return (*_institution(answers, book),)
        case Step.NETWORK:
            return (*_network(answers, around, template_of(answers, book)),)
        case Step.DEVICES:
            return (*_devices(answers, around),)
        case Step.LIFELINES:
            return (*_lifelines(answers, around, book),)
        case Step.OPENINGS:
            return (*_openings(answers, around, book),)
        case Step.OUTSIDE:
            return (*_outside(answers, template_of(answers, book)), *_cutting(answers))
        case Step.PEOPLE:
            return (*_people(answers, template_of(answers, book)),)
        case Step.SOURCE:
            return (*_source(answers),)
        case _:
            return ()


def _language(answers: Answers) -> Iterator[Field]:
    yield Field(
        id="language",
        kind=FieldKind.CHOICE,
        word="language",
        value=answers.language or "",
        choices=tuple(Choice(language, language.own_name) for language in Language),
    )


def _institution(answers: Answers, book: Book) -> Iterator[Field]:
    known = answers.institution
    yield Field(
        id="template",
        kind=FieldKind.CHOICE,
        word="template",
        value=known.template if known else "",
        choices=tuple(
            Choice(name, about["label"][language_of(answers)]) for name, about in book.templates.items()
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
        group, name = zone["name"][language_of(answers)], zone["id"]
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
        if in_the_house(answers, device.address) and device.address not in named
    }
    yield Field(id="known", kind=FieldKind.MARK, word="known", value="yes")
    for number, address in enumerate([*named, *found][:MOST_DEVICES]):
        machine = named.get(address)
        mac = machine.mac if machine else found[address].mac
        name = machine.name if machine else found[address].name
        yield from _row(number, address, mac, name, machine.kind if machine else "", " ".join((address, mac)))
    for number in range(MOST_DEVICES, MOST_DEVICES + ROWS):
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
    for entry in entries_of(answers, book):
        vital = entry["id"] in known.openings if known else entry.get("lifeline", False)
        yield Field(
            id=f"life.{entry['id']}",
            kind=FieldKind.MARK,
            word="lifeline",
            value="yes" if vital else "",
            group=entry["name"][language_of(answers)],
        )


def _towards(around: Surroundings) -> str:
    """The interface on which whoever installs stands."""
    for interface in around.interfaces:
        if around.operator and zone_of(
            around.operator, [{"id": interface.name, "networks": interface.networks}]
        ):
            return interface.name
    return ""


def _openings(answers: Answers, around: Surroundings, book: Book) -> Iterator[Field]:
    known = {door.opening: door for door in answers.openings.kept} if answers.openings else {}
    served = {each["opening"] for each in template_of(answers, book)["published"]}
    for entry in entries_of(answers, book):
        start, group = f"door.{entry['id']}", entry["name"][language_of(answers)]
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
    spoken = language_of(answers)
    if answers.outside:
        named = [(each.name, each.action, each.phone) for each in answers.outside.named]
    else:
        named = [(each["name"][spoken], each["action"][spoken], "") for each in about["outside_wall"]]
    for number, (name, action, phone) in enumerate([*named, *[("", "", "")] * ROWS]):
        start, group = f"beyond.{number}", name or MORE
        yield Field(id=f"{start}.name", word="beyond-name", value=name, group=group)
        yield Field(id=f"{start}.action", word="beyond-action", value=action, group=group)
        yield Field(id=f"{start}.phone", kind=FieldKind.PHONE, word="phone", value=phone, group=group)


def _cutting(answers: Answers) -> Iterator[Field]:
    """How the site is cut by hand: asked only where the box will not do it."""
    known = answers.outside.cut if answers.outside else ()
    if answers.observes:
        for number in range(STEPS):
            value = known[number] if number < len(known) else ""
            yield Field(id=f"cut.{number}", word="cut-step", value=value)


def _people(answers: Answers, about: Table) -> Iterator[Field]:
    known = answers.people
    for contact in about["contacts"]:
        role, group = contact["role"], contact["name"][language_of(answers)]
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
