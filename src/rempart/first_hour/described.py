"""The site.toml that the answers make: the template with what is known put in, written by the template's own writer.

What nobody has answered stays a blank that `rempart site check` names. An opening that the house does not have is left
out, and so is a service of the house whose server is not known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from rempart.first_hour.answers import Answers, Door, Machine, ZonePlace
from rempart.site import template
from rempart.site.language import Language
from rempart.site.template import Table


@dataclass(frozen=True, slots=True)
class Book:
    """What ships with Rempart for every site: the templates and the catalogue of openings."""

    templates: Mapping[str, Table] = field(repr=False)
    catalogue: Table = field(repr=False)

    def opening(self, opening_id: str) -> Table:
        """The entry of an opening. Raises KeyError when the catalogue has none."""
        for entry in self.catalogue["openings"]:
            if entry["id"] == opening_id:
                return dict(entry)
        raise KeyError(opening_id)


def site_toml(answers: Answers, book: Book) -> str:
    """The description of the site. Raises ValueError before the language and the institution are known."""
    if answers.language is None or answers.institution is None:
        raise ValueError("a site has a language and a name first")
    about = book.templates[answers.institution.template]
    # An opening keeps its number in the kernel when others are left out, or are taken in again later.
    marks = {name: mark for mark, name in enumerate(about["openings"], start=1)}
    about = about | _institution(answers) | _network(answers, about) | _rest(answers)
    catalogue = {"openings": [_entry(entry, answers) for entry in book.catalogue["openings"]]}
    about["openings"] = [name for name in about["openings"] if _stands(book.opening(name), answers, about)]
    for entry in catalogue["openings"]:
        entry["mark"] = marks.get(entry["id"], 0)
        entry["depends_on"] = [name for name in entry.get("depends_on", []) if name in about["openings"]]
    about["published"] = [*_published(answers, about)]
    about["assets"] = [*_assets(answers, about)]
    return template.written(
        template=answers.institution.template,
        about=about,
        catalogue=catalogue,
        name=answers.institution.name,
        language=answers.language,
    )


def _institution(answers: Answers) -> Table:
    assert answers.institution
    about: Table = {"phone": answers.institution.phone}
    if answers.institution.records:
        about["records_kept"] = answers.institution.records
    return about


def _network(answers: Answers, about: Table) -> Table:
    """The uplink, and the zones that are there: those that cannot be told apart become one, with the roles of all.

    A gateway tells them apart by its interfaces; beside the path there is perhaps one, and their networks tell.
    """
    if answers.network is None:
        return {}
    merged: dict[tuple[str, ...], Table] = {}
    for zone in about["zones"]:
        place = next((each for each in answers.network.zones if each.zone == zone["id"]), None)
        if place is None:
            continue
        apart = place.networks if answers.observes else (place.interface,)
        if apart in merged:
            _join(merged[apart], zone, place)
        else:
            merged[apart] = zone | {
                "interface": place.interface,
                "networks": [*place.networks],
                "standing": [zone["id"]],
            }
    for zone in merged.values():
        reached = {
            other["id"] for other in merged.values() if set(zone.get("reaches", [])) & set(other["standing"])
        }
        zone["reaches"] = sorted(reached - {zone["id"]})
    placement: Table = {"placement": answers.network.placement.value} if answers.observes else {}
    uplink = {"interface": answers.network.uplink, "addresses": [*answers.network.uplink_addresses]}
    house = answers.network.towards_house
    staff_page: Table = {"staff_page": {"address": house}} if house else {}
    return {"uplink": uplink, "zones": [*merged.values()], **placement, **staff_page}


def _join(zone: Table, other: Table, place: ZonePlace) -> None:
    zone["roles"] = [*zone["roles"], *other["roles"]]
    zone["reaches"] = [*zone.get("reaches", []), *other.get("reaches", [])]
    zone["networks"] = [*dict.fromkeys([*zone["networks"], *place.networks])]
    zone["stays_on"] = zone.get("stays_on", True) or other.get("stays_on", True)
    zone["standing"].append(other["id"])


def _rest(answers: Answers) -> Table:
    about: Table = {}
    if answers.devices:
        about["known_devices"] = [*answers.devices.known]
    if answers.lifelines:
        about["safeguard"] = {
            "interface": answers.lifelines.interface,
            "networks": [*answers.lifelines.networks],
            "services": [f"tcp/{answers.lifelines.port}"],
        }
    if answers.outside:
        about["outside_wall"] = [
            {"name": _alike(each.name), "action": _alike(each.action), "phone": each.phone}
            for each in answers.outside.named
        ]
    if answers.observes and answers.outside:
        about["by_hand"] = [*answers.outside.cut]
    if answers.people:
        about["contacts"] = [
            {"role": each.role, "name": _alike(each.name), "phone": each.phone}
            for each in answers.people.contacts
        ]
    if answers.source:
        about["logs"] = [{"path": answers.source.path, "decoder": answers.source.decoder}]
    return about


def _alike(text: str) -> Mapping[Language, str]:
    """A name that a person gave is the same in every language."""
    return dict.fromkeys(Language, text)


# -- openings ----------------------------------------------------------------------------------------------------


def _door(opening_id: str, answers: Answers) -> Door | None:
    doors = answers.openings.kept if answers.openings else ()
    return next((door for door in doors if door.opening == opening_id), None)


def _entry(entry: Table, answers: Answers) -> Table:
    """The catalogue's entry with what was answered about it."""
    known = dict(entry)
    if answers.lifelines:
        known["lifeline"] = entry["id"] in answers.lifelines.openings
    if door := _door(entry["id"], answers):
        known["hosts"] = [*(door.hosts or entry["hosts"])]
        known["phone"] = door.phone
    return known


def _stands(entry: Table, answers: Answers, about: Table) -> bool:
    """Whether the house has this opening: it was not struck out, and what uses it is there."""
    door = _door(entry["id"], answers)
    if answers.openings and door is None:
        return False
    publication = next((each for each in about["published"] if each["opening"] == entry["id"]), None)
    if publication is None:
        return any(set(zone["roles"]) & set(entry["roles"]) for zone in about["zones"])
    if answers.network is None:
        return True
    return bool(door and door.name and door.server and zone_of(door.server, about["zones"]))


def _published(answers: Answers, about: Table) -> Iterator[Table]:
    for publication in about["published"]:
        if publication["opening"] not in about["openings"]:
            continue
        door = _door(publication["opening"], answers)
        if door and door.name and door.server:
            zone = zone_of(door.server, about["zones"])
            yield publication | {"host": door.name, "address": door.server, "zone": zone}
        else:
            yield publication


def _assets(answers: Answers, about: Table) -> Iterator[Table]:
    """The machines that were named; the template's own have invented addresses and go as soon as zones are known."""
    if answers.network is None:
        yield from about["assets"]
        return
    taken: set[str] = set()
    for machine in answers.devices.named if answers.devices else ():
        zone = zone_of(machine.address, about["zones"])
        if zone is None:
            continue
        identity = _unused(template.identifier(machine.name), taken)
        taken.add(identity)
        yield _asset(machine, identity, zone)


def _asset(machine: Machine, identity: str, zone: str) -> Table:
    return {
        "id": identity,
        "name": _alike(machine.name),
        "zone": zone,
        "kind": machine.kind,
        "address": machine.address,
        "mac": machine.mac,
    }


def _unused(identity: str, taken: set[str]) -> str:
    """The id, with a number when another machine has the same name."""
    if identity not in taken:
        return identity
    number = 2
    while f"{identity[:36]}-{number}" in taken:
        number += 1
    return f"{identity[:36]}-{number}"


def zone_of(address: str, zones: list[Table]) -> str | None:
    """The id of the zone in whose networks an address lies."""
    asked = ip_address(address)
    for zone in zones:
        for network in map(ip_network, zone.get("networks", ())):
            if network.version == asked.version and asked in network:
                return str(zone["id"])
    return None


# -- what a step is about ----------------------------------------------------------------------------------------


def template_of(answers: Answers, book: Book) -> Table:
    """The template that was chosen."""
    assert answers.institution
    return book.templates[answers.institution.template]


def language_of(answers: Answers) -> Language:
    """The language in which names are written; English while nobody has said."""
    return answers.language or Language.ENGLISH


def in_the_house(answers: Answers, address: str) -> bool:
    """Whether an address lies in a zone of the house."""
    assert answers.network
    zones: list[Table] = [{"id": each.zone, "networks": each.networks} for each in answers.network.zones]
    return zone_of(address, zones) is not None


def entries_of(answers: Answers, book: Book) -> Iterator[Table]:
    """The catalogue's entries of the openings that the template has."""
    return (book.opening(name) for name in template_of(answers, book)["openings"])
