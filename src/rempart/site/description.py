"""Reads ``site.toml`` into a `Site`, and reports every mistake in it at once: which line, what, and how to mend it.

What is checked is what the file says by itself: which keys there are (here), what each value may be
(`rempart.site.values`), whether the parts agree (`rempart.site.consistency`). Whether the site it describes is a safe
one is the business of `rempart.site.soundness`.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from rempart.errors import Problem, SiteInvalid
from rempart.site import values
from rempart.site.consistency import cross_check
from rempart.site.group import GroupDoor
from rempart.site.hours import Hours, spelled
from rempart.site.opening import Fallback, Opening, OpeningState, Publication, Tls
from rempart.site.page import Page, Table, lines
from rempart.site.placement import ByHand, Placement
from rempart.site.probe import Probe
from rempart.site.sign_on import SignOn
from rempart.site.site import (
    FILES_KEPT_DAYS,
    Asset,
    AssetKind,
    CareFiles,
    Contact,
    DowntimePack,
    Language,
    LogSource,
    OutsideWall,
    Resolver,
    Safeguard,
    Site,
    Uplink,
    Ward,
    Zone,
)
from rempart.site.staff_page import PORT, StaffPage
from rempart.site.telling import MailServer, Modem, Recipient, Telling, TextGateway, Webhook
from rempart.site.trial import TrialLength
from rempart.site.trial import spelled as spelled_length

T = TypeVar("T")


def parse(text: str, where: str) -> Site:
    """The site that ``text`` describes; ``where`` is the file's name in messages.

    Raises `SiteInvalid` with all mistakes, in the order of the file.
    """
    page = Page(where=where, values=_toml(text, where), lines=lines(text))
    site = _site(page.root())
    if not page.misshapen:
        cross_check(page, site)
    if page.mistakes:
        raise SiteInvalid(
            f"{len(page.mistakes)} mistake(s) in the description of the site",
            where=where,
            now="Mend the lines below, then run `rempart site check` again; nothing was changed.",
            problems=page.in_order(),
        )
    return site


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{where}, line {line.group(1)}" if line else f"{where}, at its end"
        problem = Problem(
            str(error), place, "This is not TOML (https://toml.io); the rest could not be read."
        )
        raise SiteInvalid(
            "the description of the site cannot be read", where=where, problems=(problem,)
        ) from error


def _site(table: Table) -> Site:
    site = Site(
        id=table.read("id", values.ID),
        name=table.read("name", values.TEXT),
        template=table.read("template", values.ID, ""),
        languages=_present(table.each("languages", values.LANGUAGE)),
        phone=table.read("phone", values.PHONE),
        records_kept=table.read("records_kept", values.COUNT, 0),
        known_devices=tuple(mac.lower() for mac in table.each("known_devices", values.MAC, ())),
        uplink=_uplink(table.required("uplink")),
        zones=tuple(map(_zone, table.many("zones"))),
        openings=_marked([*map(_opening, table.many("openings"))]),
        assets=tuple(map(_asset, table.many("assets"))),
        contacts=tuple(map(_contact, table.many("contacts"))),
        outside_wall=tuple(map(_outside_wall, table.many("outside_wall"))),
        safeguards=tuple(map(_safeguard, table.many("safeguards"))),
        logs=tuple(map(_log, table.many("logs"))),
        care_files=_care_files(table.one("care_files")),
        telling=_telling(table.one("telling"), tuple(map(_recipient, table.many("tell")))),
        resolver=_resolver(table.one("resolver")),
        wards=tuple(map(_ward, table.many("wards"))),
        hours=_hours(table.one("hours")),
        probes=tuple(map(_probe, table.many("probes"))),
        downtime_pack=_downtime_pack(table.one("downtime_pack")),
        group=_group(table.one("group")),
        staff_page=_staff_page(table.one("staff_page")),
        sign_on=_sign_on(table.one("sign_on")),
        quiet_hours=table.read("quiet_hours", values.AGE, 12),
        files_kept_days=table.read("files_kept_days", values.DAYS_KEPT, FILES_KEPT_DAYS),
        trial=_trial(table.one("trial")),
        placement=table.read("placement", values.PLACEMENT, Placement.GATEWAY),
        by_hand=_by_hand(table.one("by_hand")),
    )
    table.done()
    return site


def _present(read: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(value for value in read if value is not None)


def _by_hand(table: Table | None) -> ByHand:
    if table is None:
        return ByHand()
    plan = ByHand(
        cut=table.each("cut", values.STEP, ()),
        block=table.each("block", values.STEP, ()),
        isolate=table.each("isolate", values.STEP, ()),
    )
    table.done()
    return plan


def _uplink(table: Table | None) -> Uplink:
    if table is None:
        return Uplink(interface="", addresses=())
    uplink = Uplink(
        interface=table.read("interface", values.INTERFACE),
        addresses=table.each("addresses", values.INTERFACE_ADDRESS),
    )
    table.done()
    return uplink


def _zone(table: Table) -> Zone:
    zone = Zone(
        id=table.read("id", values.ID),
        name=table.read("name", values.TEXT),
        interface=table.read("interface", values.INTERFACE),
        networks=table.each("networks", values.NETWORK),
        stays_on=table.read("stays_on", values.FLAG, default=True),
        reaches=table.each("reaches", values.ID, ()),
    )
    table.done()
    return zone


def _opening(table: Table) -> Opening:
    opening = Opening(
        id=table.read("id", values.ID),
        mark=table.read("mark", values.MARK, 0),
        name=table.read("name", values.TEXT),
        direction=table.read("direction", values.DIRECTION),
        zones=table.each("zones", values.ID),
        hosts=table.each("hosts", values.HOST),
        services=_present(table.each("services", values.SERVICE)),
        care=table.read("care", values.CARE),
        lifeline=table.read("lifeline", values.FLAG, default=False),
        fallback=_fallback(table.required("fallback")),
        publication=_publication(table.one("publication")),
        needs=table.each("needs", values.ID, ()),
        normally=table.read("normally", values.STATE, OpeningState.OPEN),
        shared_addresses=table.read("shared_addresses", values.FLAG, default=False),
        confidence=table.read("confidence", values.CONFIDENCE, "G"),
    )
    table.done()
    return opening


def _fallback(table: Table | None) -> Fallback:
    if table is None:
        return Fallback(text="")
    fallback = Fallback(
        text=table.read("text", values.TEXT),
        phone=table.read("phone", values.PHONE, "") or None,
        depends_on=table.each("depends_on", values.ID, ()),
    )
    table.done()
    return fallback


def _publication(table: Table | None) -> Publication | None:
    if table is None:
        return None
    publication = Publication(
        host=table.read("host", values.NAME_IN_DNS),
        zone=table.read("zone", values.ID),
        address=table.read("address", values.ADDRESS),
        port=table.read("port", values.PORT),
        requests=table.read("requests", values.REQUESTS, 100),
        hours=_hours(hours) if (hours := table.one("hours")) else None,
        tls=_tls(table.one("tls")),
    )
    table.done()
    return publication


def _tls(table: Table | None) -> Tls | None:
    if table is None:
        return None
    tls = Tls(
        certificate=table.read("certificate", values.FILE),
        clients=table.read("clients", values.FILE, "") or None,
        hsts_days=table.read("hsts_days", values.HSTS, 0),
    )
    table.done()
    return tls


def _asset(table: Table) -> Asset:
    asset = Asset(
        id=table.read("id", values.ID),
        name=table.read("name", values.TEXT),
        zone=table.read("zone", values.ID),
        addresses=table.each("addresses", values.ADDRESS),
        kind=table.read("kind", values.KIND, AssetKind.OTHER),
        mac=table.read("mac", values.MAC, "").lower() or None,
        core=table.read("core", values.FLAG, default=False),
    )
    table.done()
    return asset


def _contact(table: Table) -> Contact:
    contact = Contact(
        role=table.read("role", values.TEXT),
        name=table.read("name", values.TEXT),
        phone=table.read("phone", values.PHONE),
    )
    table.done()
    return contact


def _outside_wall(table: Table) -> OutsideWall:
    outside = OutsideWall(
        name=table.read("name", values.TEXT),
        action=table.read("action", values.TEXT),
        phone=table.read("phone", values.PHONE, "") or None,
        then=table.each("then", values.TEXT, ()),
    )
    table.done()
    return outside


def _ward(table: Table) -> Ward:
    ward = Ward(
        id=table.read("id", values.ID),
        name=table.read("name", values.TEXT),
        phone=table.read("phone", values.PHONE, "") or None,
    )
    table.done()
    return ward


def _hours(table: Table | None) -> Hours:
    usual = Hours()
    if table is None:
        return usual
    begins, ends = table.read("from", values.CLOCK, usual.begins), table.read("until", values.END, usual.ends)
    days, shifts = (
        table.each("days", values.WEEKDAY, usual.days),
        table.each("shifts", values.CLOCK, usual.shifts),
    )
    holidays = table.read("holidays", values.FLAG, usual.holidays)
    table.done()
    if begins is None or ends is None:
        return usual
    if begins >= ends:
        table.page.wrong(
            table.path, f"{spelled(begins)} is not before {spelled(ends)}", "Give the hours of one day."
        )
    return Hours(
        days=_present(days),
        begins=begins,
        ends=ends,
        shifts=tuple(sorted(set(_present(shifts)))),
        holidays=bool(holidays),
    )


def _trial(table: Table | None) -> TrialLength:
    usual = TrialLength()
    if table is None:
        return usual
    shortest = table.read("shortest", values.LENGTH, usual.shortest)
    longest = table.read("longest", values.LENGTH, usual.longest)
    table.done()
    if shortest is None or longest is None:
        return usual
    if shortest > longest or longest == 0:
        table.page.wrong(
            table.path,
            f"no trial lasts from {spelled_length(shortest)} to {spelled_length(longest)}",
            'Write for example `shortest = "24h"` and `longest = "72h"`.',
        )
    return TrialLength(shortest=shortest, longest=longest)


def _probe(table: Table) -> Probe:
    probe = Probe(
        id=table.read("id", values.ID),
        name=table.read("name", values.TEXT),
        kind=table.read("kind", values.PROBE),
        address=table.read("address", values.ADDRESS),
        port=table.read("port", values.PORT),
        opening=table.read("opening", values.ID, "") or None,
        ask=table.read("ask", values.NAME_IN_DNS, ""),
        every=table.read("every", values.SECONDS, 60),
    )
    table.done()
    return probe


def _group(table: Table | None) -> GroupDoor | None:
    if table is None:
        return None
    door = GroupDoor(
        address=table.read("address", values.ADDRESS),
        port=table.read("port", values.PORT),
        certificate=table.read("certificate", values.TEXT),
        trusted=table.read("trusted", values.TEXT),
    )
    table.done()
    return door


def _staff_page(table: Table | None) -> StaffPage | None:
    if table is None:
        return None
    page = StaffPage(
        address=table.read("address", values.ADDRESS), port=table.read("port", values.HIGH_PORT, PORT)
    )
    table.done()
    return page


def _downtime_pack(table: Table | None) -> DowntimePack | None:
    if table is None:
        return None
    pack = DowntimePack(path=table.read("path", values.TEXT), hours=table.read("hours", values.AGE, 24))
    table.done()
    return pack


def _safeguard(table: Table) -> Safeguard:
    safeguard = Safeguard(
        id=table.read("id", values.ID),
        interface=table.read("interface", values.INTERFACE),
        networks=table.each("networks", values.NETWORK),
        services=_present(table.each("services", values.SERVICE)),
    )
    table.done()
    return safeguard


def _log(table: Table) -> LogSource:
    log = LogSource(
        path=table.read("path", values.TEXT),
        decoder=table.read("decoder", values.DECODER),
        name=table.read("name", values.TEXT, ""),
        silent_after=table.read("silent_after", values.AGE, 0),
        wakes=table.read("wakes", values.FLAG, default=False),
    )
    table.done()
    return log


def _care_files(table: Table | None) -> CareFiles | None:
    if table is None:
        return None
    files = CareFiles(server=table.read("server", values.ID), person=table.read("person", values.EXPRESSION))
    table.done()
    return files


def _recipient(table: Table) -> Recipient:
    recipient = Recipient(
        role=table.read("role", values.ID),
        language=table.read("language", values.LANGUAGE) or Language.ENGLISH,
        text=table.read("text", values.MOBILE, ""),
        mail=table.read("mail", values.MAIL, ""),
        webhook=table.read("webhook", values.HTTPS, ""),
        after=table.read("after", values.MINUTES, 0),
        quiet=table.read("quiet", values.QUIET, None),
        digest=table.read("digest", values.FLAG, default=False),
    )
    table.done()
    return recipient


def _sign_on(table: Table | None) -> SignOn | None:
    if table is None:
        return None
    accounts: dict[str, str] = {}
    for each in table.many("accounts"):
        accounts[each.read("subject", values.TEXT)] = each.read("account", values.ACCOUNT)
        each.done()
    sign_on = SignOn(
        issuer=table.read("issuer", values.ISSUER),
        client=table.read("client", values.TEXT),
        secret_file=table.read("secret_file", values.FILE, ""),
        keys_file=table.read("keys_file", values.FILE, "/etc/rempart/provider.json"),
        claim=table.read("claim", values.TEXT, "sub"),
        accounts=accounts,
    )
    table.done()
    return sign_on


def _telling(table: Table | None, recipients: tuple[Recipient, ...]) -> Telling:
    if table is None:
        return Telling(recipients=recipients)
    telling = Telling(
        recipients=recipients,
        mail=_mail_server(table.one("mail")),
        modem=_modem(table.one("modem")),
        gateway=_gateway(table.one("gateway")),
        webhook=_webhook(table.one("webhook")),
        page=table.read("page", values.HTTPS, ""),
        digest_at=table.read("digest", values.TIME_OF_DAY, 7 * 60 + 30),
    )
    table.done()
    return telling


def _mail_server(table: Table | None) -> MailServer | None:
    if table is None:
        return None
    server = MailServer(
        host=table.read("host", values.SERVER),
        port=table.read("port", values.PORT, 587),
        sender=table.read("sender", values.MAIL),
        user=table.read("user", values.TEXT, ""),
        password=table.read("password_file", values.FILE, ""),
        authority=table.read("authority_file", values.FILE, ""),
        opening=table.read("opening", values.ID, ""),
        implicit_tls=table.read("implicit_tls", values.FLAG, default=False),
    )
    table.done()
    return server


def _modem(table: Table | None) -> Modem | None:
    if table is None:
        return None
    modem = Modem(
        device=table.read("device", values.DEVICE),
        speed=table.read("speed", values.SPEED, 115_200),
        pin=table.read("pin_file", values.FILE, ""),
    )
    table.done()
    return modem


def _gateway(table: Table | None) -> TextGateway | None:
    if table is None:
        return None
    gateway = TextGateway(
        url=table.read("url", values.HTTPS),
        token=table.read("token_file", values.FILE),
        opening=table.read("opening", values.ID, ""),
        to_field=table.read("to_field", values.FIELD, "to"),
        text_field=table.read("text_field", values.FIELD, "text"),
    )
    table.done()
    return gateway


def _webhook(table: Table | None) -> Webhook | None:
    if table is None:
        return None
    webhook = Webhook(
        secret=table.read("secret_file", values.FILE), opening=table.read("opening", values.ID, "")
    )
    table.done()
    return webhook


def _resolver(table: Table | None) -> Resolver | None:
    if table is None:
        return None
    resolver = Resolver(opening=table.read("opening", values.ID), relays=table.each("relays", values.ID, ()))
    table.done()
    return resolver


def _marked(openings: list[Opening]) -> tuple[Opening, ...]:
    """The openings, those without a mark given the lowest free ones in the order of the file."""
    taken = {opening.mark for opening in openings}
    free = (mark for mark in range(1, values.LAST_MARK + 1) if mark not in taken)
    return tuple(opening if opening.mark else replace(opening, mark=next(free, 0)) for opening in openings)
