"""Says whether a person can be reached as site.toml describes it, also while the site is cut."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from rempart.errors import Problem
from rempart.site.opening import Opening, Transport
from rempart.site.site import Site
from rempart.site.telling import Channel


def advise(site: Site) -> Iterator[Problem]:
    """What keeps messages from people, or will when the site is cut."""
    recipients = site.telling.recipients
    if not recipients:
        yield Problem(
            "nobody is told: an alert at night stays on the screen",
            "tell",
            "Add a [[tell]] with a mobile number or a mail address: see docs/operating/telling.md.",
        )
        return
    if not any(survives_cut(site, channel) for each in recipients for channel in each.channels):
        yield Problem(
            "no message leaves while the site is cut: nobody would be told of what happens next",
            "telling",
            "Add a [telling.modem], or a lifeline that leads to the one mail server.",
        )
    if all(each.after for each in recipients):
        yield Problem(
            "everybody is told late: nobody is told at once",
            "tell",
            "Remove `after` from the first to be told.",
        )
    yield from _ways_that_lead_elsewhere(site)


def survives_cut(site: Site, channel: Channel) -> bool:
    """Whether messages over the channel still leave when every opening but the lifelines is closed.

    A server that stands inside is reached, but must itself get out to reach a person: it does not count.
    """
    telling = site.telling
    if channel is Channel.TEXT and telling.modem:
        return True
    way = {Channel.TEXT: telling.gateway, Channel.MAIL: telling.mail, Channel.WEBHOOK: telling.webhook}[
        channel
    ]
    return way is not None and way.opening in {opening.id for opening in site.lifelines()}


def _ways_that_lead_elsewhere(site: Site) -> Iterator[Problem]:
    """The gateway's own packets pass through openings like any others: the server must be in the one named."""
    for name, opening, host, port in _servers(site):
        if not _leads_to(site.opening(opening), host, port):
            yield Problem(
                f"'{opening}' does not lead to {host}, port {port}",
                f"telling.{name}",
                "Add the server and its port to that opening, or name another.",
            )


def _servers(site: Site) -> Iterator[tuple[str, str, str, int]]:
    """What is sent to outside: name, opening, host and port."""
    telling = site.telling
    if telling.mail and telling.mail.opening:
        yield "mail", telling.mail.opening, telling.mail.host, telling.mail.port
    urls = [("gateway", telling.gateway.opening, telling.gateway.url)] if telling.gateway else []
    if hook := telling.webhook:
        urls += [("webhook", hook.opening, each.webhook) for each in telling.recipients if each.webhook]
    for name, opening, url in urls:
        place = urlsplit(url)
        if opening:
            yield name, opening, place.hostname or "", place.port or 443


def _leads_to(opening: Opening, host: str, port: int) -> bool:
    by_port = any(
        service.transport is Transport.TCP and service.first_port <= port <= service.last_port
        for service in opening.services
    )
    return by_port and ("*" in opening.hosts or host.lower() in opening.hosts or _within(host, opening.hosts))


def _within(host: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for network in networks:
        try:
            if address in ipaddress.ip_network(network):
                return True
        except ValueError:  # a name
            continue
    return False
