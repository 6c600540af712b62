"""What was typed into the fields of a step (`rempart.first_hour.questions`), as an answer or as faults.

Terminal, browser and a file of answers all go through here, so that they accept the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from rempart.accounts.person import PERSON_ID
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
from rempart.first_hour.described import (
    Book,
    entries_of,
    in_the_house,
    language_of,
    site_toml,
    template_of,
    zone_of,
)
from rempart.first_hour.flaws import unfit
from rempart.first_hour.questions import MOST_DEVICES, ROWS, STEPS
from rempart.first_hour.surroundings import Surroundings
from rempart.site.flaw import Flaw
from rempart.site.language import Language
from rempart.site.placement import Placement
from rempart.site.site import AssetKind
from rempart.site.template import Table
from rempart.site.values import Word, accepted


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer was not taken. ``word``: key under ``setup.fault``; ``value``: what was typed, or a name.

    ``flaw``: what the answers make wrong together; it has words of its own, and ``word`` is nothing.
    """

    field: str
    word: str
    value: str = ""
    flaw: Flaw | None = None


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
            found = {"network": _network_read(typed, around, template_of(answers, book))}
        case Step.DEVICES:
            found = {"devices": _devices_read(typed, answers, around)}
        case Step.LIFELINES:
            found = {"lifelines": _lifelines_read(typed, answers, book)}
        case Step.OPENINGS:
            found = {"openings": _openings_read(typed, answers, book)}
        case Step.OUTSIDE:
            found = {"outside": _outside_read(typed, answers)}
        case Step.PEOPLE:
            found = {"people": _people_read(typed, template_of(answers, book))}
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
    if answers.language and answers.institution:
        yield from (Fault("", "", flaw=each) for each in unfit(site_toml(answers, book)))


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
        towards_house=next(_towards_house(around, zones), ""),
    )


def _towards_house(around: Surroundings, zones: Iterable[ZonePlace]) -> Iterator[str]:
    """The box's own addresses in the zones."""
    for zone in zones:
        found = around.interface(zone.interface)
        held = [{"id": zone.zone, "networks": zone.networks}]
        for address in found.addresses if found else ():
            if zone_of(own := address.partition("/")[0], held):
                yield own


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
    for number in range(MOST_DEVICES + ROWS):
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
        if address and not in_the_house(answers, address):
            typed.faults.append(Fault(f"{start}.address", "outside-zones", address))
        mac = typed.text(f"{start}.mac").lower()
        if mac and not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac):
            typed.faults.append(Fault(f"{start}.mac", "mac", mac))
        named.append(Machine(address=address, name=name, kind=kind, mac=mac))
    inside = (each for each in around.devices if each.mac and in_the_house(answers, each.address))
    heard = {each.mac for each in inside} if typed.marked("known") else set()
    return Machines(named=tuple(named), known=tuple(sorted(heard | {each.mac for each in named if each.mac})))


def _lifelines_read(typed: _Typed, answers: Answers, book: Book) -> Lifelines:
    entries = [*entries_of(answers, book)]
    vital = tuple(entry["id"] for entry in entries if typed.marked(f"life.{entry['id']}"))
    for entry in entries:
        for needed in entry.get("depends_on", []):
            if needed not in vital:
                spoken = language_of(answers)
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
    for entry in entries_of(answers, book):
        start = f"door.{entry['id']}"
        if not typed.marked(f"{start}.kept"):
            continue
        server = typed.one(f"{start}.server", Word.ADDRESS)
        if server and not in_the_house(answers, server):
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
    steps = (typed.one(f"cut.{number}", Word.STEP) for number in range(STEPS if answers.observes else 0))
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
