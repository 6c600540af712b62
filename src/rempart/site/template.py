"""Writes a commented ``site.toml`` for a kind of institution, from its template and the catalogue of openings.

What only the site itself can know is written so that `rempart.site.soundness.blanks` finds it: hosts that end in
``.invalid`` (RFC 6761), networks of 198.18.0.0/15 (RFC 2544) and 192.0.2.0/24 (RFC 5737), and ``?`` for a number.
What somebody has answered already (`rempart.first_hour`) stands in the template's table under the same keys as in the
file, and is written instead.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from rempart.site.site import Language

Table = dict[str, Any]
"""A table as tomllib gives it."""

NAMES = ("medical-house", "nursing-home", "disability-centre", "hospital-group")
"""The templates that ship with Rempart."""

_NAMES_THROUGH = "dns"
"""The opening through which the station asks for names."""


def identifier(name: str) -> str:
    """An id made of a name: ``Maison de repos Les Tilleuls`` gives ``maison-de-repos-les-tilleuls``."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:40].rstrip("-") or "site"


def written(*, template: str, about: Table, catalogue: Table, name: str, language: Language) -> str:
    """The text of a ``site.toml``; ``about`` is the template's table and ``catalogue`` that of the openings."""
    entries = {entry["id"]: entry for entry in catalogue["openings"]}
    parts = [
        _head(template, about, name, language),
        _uplink(about.get("uplink", {})),
        *(_zone(number, zone, language) for number, zone in enumerate(about["zones"], start=1)),
        _section("The ways between inside and outside, in the order in which care needs them back."),
        *(
            _opening(mark, entries[opening], about, language)
            for mark, opening in enumerate(about["openings"], start=1)
        ),
        _section(
            "Machines that have a name. A telephone, a nurse call or a pump is never isolated by a machine."
        ),
        *(_asset(number, asset, about, language) for number, asset in enumerate(about["assets"], start=1)),
        _section("Whom to call, in this order; shown on the duty page."),
        *(_contact(contact, language) for contact in about["contacts"]),
        _tell(language),
        _section("What the wall does not reach: named, because somebody must act there by hand."),
        *(_outside(outside, language) for outside in about["outside_wall"]),
        *([_by_hand(about["by_hand"])] if "by_hand" in about else []),
        *([_staff_page(about["staff_page"])] if "staff_page" in about else []),
        _safeguard(about.get("safeguard", {})),
        *(_resolver() for opening in about["openings"] if opening == _NAMES_THROUGH),
        _care(),
        _logs(about.get("logs", [])),
    ]
    return "\n".join(parts)


def _head(template: str, about: Table, name: str, language: Language) -> str:
    return f"""\
# {name}, written from the template "{template}": {about["size"]}.
# G and I below mean: general knowledge or our inference, to be confirmed on site. S: seen in a published source.
# NIS2: {about["nis2"]}. Yardstick: {about["cyfun"]}.
# `rempart site check` on this file lists what is wrong and what is still to be filled in.

id = {_quoted(identifier(name))}
name = {_quoted(name)}
template = {_quoted(template)}
languages = {_list([language, *(other for other in Language if other is not language)])}
phone = {_quoted(about.get("phone") or "?")}  # what the public is told to call while the website is in maintenance
records_kept = {about["records_kept"]}  # persons in the files, former ones too: your own estimate
known_devices = {_list(about.get("known_devices", []))}  # hardware addresses: "02:00:5e:10:00:01" is no news
{_placement(about)}"""


def _placement(about: Table) -> str:
    return f"placement = {_quoted(about['placement'])}  # stops nothing\n" if "placement" in about else ""


def _uplink(uplink: Table) -> str:
    return f"""\
[uplink]
interface = {_quoted(uplink.get("interface", "eth0"))}  # the side towards the outside
addresses = {_list(uplink.get("addresses", ["192.0.2.2/24"]))}
"""


def _section(text: str) -> str:
    return f"\n# -- {text}\n"


def _zone(number: int, zone: Table, language: Language) -> str:
    lines = [
        "[[zones]]",
        f"id = {_quoted(zone['id'])}",
        f"name = {_quoted(zone['name'][language])}",
        f"interface = {_quoted(zone.get('interface', f'eth1.{number * 10}'))}",
        f"networks = {_list(zone.get('networks', [f'198.18.{number}.0/24']))}",
        f"stays_on = {str(zone.get('stays_on', True)).lower()}",
        f"reaches = {_list(zone.get('reaches', []))}",
    ]
    return _lines(lines)


def _opening(mark: int, entry: Table, about: Table, language: Language) -> str:
    publication = next((each for each in about["published"] if each["opening"] == entry["id"]), None)
    mark = entry.get("mark", mark)
    lines = [
        *_comment(entry.get("note", "")),
        "[[openings]]",
        f"id = {_quoted(entry['id'])}",
        f"mark = {mark}  # its number in the kernel: never change it, never give it to another opening",
        f"name = {_quoted(entry['name'][language])}",
        f"direction = {_quoted(entry['direction'])}",
        f"zones = {_list(_zones_of(entry, about, publication))}",
        f"hosts = {_list(entry['hosts'])}",
        f"services = {_list(entry['services'])}",
        f"care = {entry['care']}",
        *_needs(entry, about),
        f"lifeline = {str(entry.get('lifeline', False)).lower()}",
        f"normally = {_quoted(entry.get('normally', 'open'))}",
        f"confidence = {_quoted(entry['confidence'])}",
        f"fallback = {_fallback(entry, language)}",
    ]
    if publication:
        lines.append(f"publication = {_publication(publication, about)}")
    return _lines(lines)


def _comment(text: str) -> Iterator[str]:
    if text:
        yield f"# {text}"


def _needs(entry: Table, about: Table) -> Iterator[str]:
    """The openings that must be back before it, as far as the template has them."""
    if needs := [name for name in entry.get("needs", []) if name in about["openings"]]:
        yield f"needs = {_list(needs)}"


def _zones_of(entry: Table, about: Table, publication: Table | None) -> list[str]:
    """The zones of the template that play one of the opening's roles."""
    if publication:
        return [publication["zone"]]
    return [zone["id"] for zone in about["zones"] if set(zone["roles"]) & set(entry["roles"])]


def _fallback(entry: Table, language: Language) -> str:
    parts = [f"text = {_quoted(entry['fallback'][language])}"]
    if entry.get("by_phone") or entry.get("phone"):
        parts.append(f"phone = {_quoted(entry.get('phone') or '?')}")
    if depends := entry.get("depends_on"):
        parts.append(f"depends_on = {_list(depends)}")
    return f"{{ {', '.join(parts)} }}"


def _publication(publication: Table, about: Table) -> str:
    blank = f"198.18.{_number(about, publication['zone'])}.{publication.get('number')}"
    address = publication.get("address", blank)
    return (
        f"{{ host = {_quoted(publication['host'])}, zone = {_quoted(publication['zone'])}, "
        f"address = {_quoted(address)}, port = 80 }}"
    )


def _asset(number: int, asset: Table, about: Table, language: Language) -> str:
    address = asset.get("address", f"198.18.{_number(about, asset['zone'])}.{100 + number}")
    lines = [
        "[[assets]]",
        f"id = {_quoted(asset['id'])}",
        f"name = {_quoted(asset['name'][language])}",
        f"zone = {_quoted(asset['zone'])}",
        f"addresses = {_list([address])}",
        f"kind = {_quoted(asset['kind'])}",
        *([f"mac = {_quoted(asset['mac'])}"] if asset.get("mac") else []),
        *(["core = true  # proven before anything reopens"] if asset.get("core") else []),
    ]
    return _lines(lines)


def _number(about: Table, zone_id: str) -> int:
    return 1 + next(number for number, zone in enumerate(about["zones"]) if zone["id"] == zone_id)


def _contact(contact: Table, language: Language) -> str:
    name, phone = _quoted(contact["name"][language]), _quoted(contact.get("phone") or "?")
    return _lines(
        ["[[contacts]]", f"role = {_quoted(contact['role'])}", f"name = {name}", f"phone = {phone}"]
    )


def _tell(language: Language) -> str:
    return f"""\

# -- Whom the station tells, in this order: by text message, mail or webhook. `rempart tell test` tries it.
# [[tell]]
# role = "duty"
# language = {_quoted(language)}
# text = "+32 470 00 00 01"
# mail = "duty@example.be"
# digest = true  # the day's summary
# [[tell]]
# role = "technician"
# language = {_quoted(language)}
# text = "+32 470 00 00 02"
# after = 10  # minutes without an answer before this one is told too
# quiet = "22:00-07:00"  # what can wait is told afterwards
# [telling.modem]  # the one way that a cut does not touch
# device = "/dev/ttyUSB0"
# [telling.mail]
# host = "smtp.example.be"
# sender = "rempart@example.be"
# user = "rempart@example.be"
# password_file = "/etc/rempart/secrets/mail"
# opening = "mail-out"  # make it a lifeline to that one server, and mail leaves while the site is cut
"""


def _outside(outside: Table, language: Language) -> str:
    name, action = (_quoted(outside[key][language]) for key in ("name", "action"))
    phone = [f"phone = {_quoted(outside['phone'])}"] if outside.get("phone") else []
    return _lines(["[[outside_wall]]", f"name = {name}", f"action = {action}", *phone])


def _staff_page(page: Table) -> str:
    return _lines(
        [
            "# Where anybody in the house reads what works and whom to call. Leave it out and there is no such page.",
            "[staff_page]",
            f"address = {_quoted(page['address'])}",
        ]
    )


def _by_hand(cut: list[str]) -> str:
    return f"""\

# -- What a person does at the firewall or the switch, because the station stops nothing; at most 120 characters a step.

[by_hand]
cut = {_list(cut)}
block = []
isolate = []
"""


def _safeguard(known: Table) -> str:
    return f"""\

# -- The operators' own way in, which nothing ever cuts: keep it exact. Adding one takes two persons.

[[safeguards]]
id = "operators"
interface = {_quoted(known.get("interface", "eth2"))}
networks = {_list(known.get("networks", ["198.18.255.0/28"]))}
services = {_list(known.get("services", ["tcp/22"]))}
"""


def _resolver() -> str:
    return f"""\

# -- The station answers for names itself: openings with names exist through its answers alone. Machines inside must
# ask it (DHCP); name in `relays` those that ask for others, as a domain controller does.

[resolver]
opening = "{_NAMES_THROUGH}"
relays = []
"""


def _care() -> str:
    return """\

# -- Care: who says that it goes on, and when; what is asked by itself. `rempart rehearse` needs the wards.

# [[wards]]
# id = "first-floor"
# name = "First floor"
# phone = "?"

# [hours]  # on the wall clock of the house; a cut is rehearsed in staffed hours only
# days = ["mon", "tue", "wed", "thu", "fri"]
# from = "08:00"
# until = "17:00"
# holidays = false  # whether somebody is there on public holidays too
# shifts = ["07:00", "14:00", "21:00"]

# [[probes]]  # kind: tcp, dns, http or sip; with `opening` it asks through the wall, else a machine inside
# id = "care-file"
# name = "Care file"
# kind = "http"
# address = "198.18.3.10"
# port = 443

# [downtime_pack]  # medication, allergies, contacts, as the care software exports them: age and hash are watched
# path = "/srv/downtime/pack.pdf"
# hours = 24
"""


def _logs(known: list[Table]) -> str:
    followed = "\n".join(
        f"[[logs]]\npath = {_quoted(log['path'])}\ndecoder = {_quoted(log['decoder'])}\n" for log in known
    )
    return f"""\

# -- Logs that Rempart follows besides its own proxy and kernel; decoders: nginx, sshd, dnsmasq, syslog, windows-json.
{followed or _NO_LOG}
# How opening a care file reads in those logs, so that persons are counted and never named.
# [care_files]
# server = "care-server"
# person = "/file/([0-9]+)"
"""


_NO_LOG = """\
# [[logs]]
# path = "/var/log/remote/portal.log"
# decoder = "nginx"
"""


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _list(values: list[Any]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _quoted(text: str) -> str:
    """The text as a TOML basic string: JSON's escapes are TOML's, except that TOML also wants DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
