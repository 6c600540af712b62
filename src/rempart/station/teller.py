"""Teller: sends the guard's messages to people, and brings their answers. It has no privilege and decides nothing.

It speaks to servers outside and to a modem, so it is a process and a user of its own: whoever takes it over can send
messages to those named in site.toml, keep them from being sent, and answer in their place; no order can be spelt here.

    listen    messages of the guard go into the spool, then are sent; what it asks twice is sent once
    send      one worker a channel: a modem that hangs holds no mail back; what fails is tried again, ever more seldom
    reply     answers by text message, from the numbers to which it sent
"""

import asyncio
import contextlib
import ipaddress
import logging
import re
import signal
import sys
from collections.abc import Mapping

import msgspec

from rempart.adapters.clock import SystemClock
from rempart.adapters.socket import Connection, dial
from rempart.adapters.tell.gateway import Gateway
from rempart.adapters.tell.https import Address
from rempart.adapters.tell.mail import Mail
from rempart.adapters.tell.modem import GsmModem
from rempart.adapters.tell.spool import Spool, Waiting
from rempart.adapters.tell.webhook import Webhooks
from rempart.config import Places
from rempart.console.letter import letter
from rempart.errors import NotHandedOver, StationUnreachable
from rempart.instants import Instant, hours
from rempart.messages import CodeReplied, MessageSettled, TellPeople, ToTeller
from rempart.ports import Carrier, Clock
from rempart.site.site import Site
from rempart.site.telling import Channel, Recipient
from rempart.station.starting import started
from rempart.telling.alert import Delivery
from rempart.telling.message import Letter, Message
from rempart.telling.pdu import Received

_log = logging.getLogger("rempart.teller")

A_DAY = {Channel.TEXT: 60, Channel.MAIL: 300, Channel.WEBHOOK: 1_000}
"""Messages of each kind within a day, whatever the guard asks for: a telephone bill has a bound."""

RECONNECT = 1.0
"""Seconds between two calls to a guard that does not answer."""

LISTEN = 5.0
"""Seconds between two looks for answers by text message."""

SELDOM = 60.0
"""The same when nobody was sent one lately."""

_IDLE = 3_600.0
_UNSAID = 20
_CODE = re.compile(r"[A-Za-z0-9]{6}")


class FirstThat:
    """Several ways to the same address: the next is used when one fails."""

    def __init__(self, *carriers: Carrier) -> None:
        self._carriers = carriers

    def carry(self, address: str, letter: Letter) -> None:
        """By the first way that works. Raises what the last one raised."""
        *others, last = self._carriers
        for carrier in others:
            try:
                return carrier.carry(address, letter)
            except NotHandedOver as fault:
                _log.warning("%s; the next way is used", fault.diagnostics())
        return last.carry(address, letter)


class Teller:
    """The spool and the ways out."""

    def __init__(self, site: Site, spool: Spool, carriers: Mapping[Channel, Carrier], clock: Clock) -> None:
        self.site = site
        self._spool = spool
        self._carriers = carriers
        self._clock = clock
        self._guard: Connection | None = None
        self._unsaid: list[CodeReplied] = []
        self._text_sent = asyncio.Event()
        self._news = {channel: asyncio.Event() for channel in Channel}

    # -- the guard -----------------------------------------------------------------------------------------------

    async def listen(self, places: Places) -> None:
        """Take messages from the guard for as long as we live."""
        while True:
            with contextlib.suppress(StationUnreachable, ConnectionError):
                await self._hear(await dial(places.teller_socket, incoming=ToTeller))
            self._guard = None
            await asyncio.sleep(RECONNECT)

    async def _hear(self, guard: Connection) -> None:
        self._guard = guard
        try:
            while self._unsaid:
                await guard.send(self._unsaid.pop(0))
            while (said := await guard.receive()) is not None:
                assert isinstance(said, TellPeople)
                for message in said.messages:
                    await self._take(message)
        finally:
            guard.close()

    async def _take(self, message: Message) -> None:
        known = self._spool.add(message, self._clock.now())
        if known is None:
            _log.error("the spool is full: %s is not taken", message.id)
        elif known.settled:
            await self._say(message.alert, known.settled)
        else:
            self._news[message.channel].set()

    async def _say(self, alert: str, delivery: Delivery) -> None:
        """Tell the guard; one that is away asks again when it is back."""
        if self._guard:
            with contextlib.suppress(ConnectionError):
                await self._guard.send(MessageSettled(alert=alert, delivery=delivery))

    # -- sending -------------------------------------------------------------------------------------------------

    async def send(self, channel: Channel) -> None:
        """Carry what waits for this channel, the most urgent first."""
        while True:
            self._news[channel].clear()
            waiting = [each for each in self._spool.waiting() if each.message.channel is channel]
            now = self._clock.now()
            ready = next((each for each in waiting if each.next <= now), None)
            if ready:
                await self._try(ready)
                continue
            self._spool.forget(now)
            pause = min(((each.next - now) / 1_000_000 for each in waiting), default=_IDLE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(pause, _IDLE)):
                    await self._news[channel].wait()

    async def _try(self, waiting: Waiting) -> None:
        message, now = waiting.message, self._clock.now()
        recipient = self._recipient(message.role)
        address = _address(recipient, message.channel) if recipient else ""
        if recipient is None or not address or message.channel not in self._carriers:
            return await self._settle(waiting, "site.toml does not name this one any more")
        if now >= message.until:
            return await self._settle(waiting, "it came too late to be of use")
        if self._spent(message.channel, now) >= A_DAY[message.channel]:
            return await self._settle(waiting, f"over {A_DAY[message.channel]} in a day")
        try:
            written = letter(self.site, recipient, message, now)
            await asyncio.to_thread(self._carriers[message.channel].carry, address, written)
        except NotHandedOver as fault:
            _log.warning("%s to %s: %s", message.id, message.role, fault.diagnostics())
            if fault.lasting:
                return await self._settle(waiting, fault.what)
            return self._spool.keep(waiting.failed(self._clock.now()))
        return await self._settle(waiting)

    async def _settle(self, waiting: Waiting, why_not: str = "") -> None:
        message = waiting.message
        delivery = Delivery(
            message=message.id,
            role=message.role,
            channel=message.channel,
            at=self._clock.now(),
            delivered=not why_not,
            note=why_not,
        )
        self._spool.keep(msgspec.structs.replace(waiting, settled=delivery))
        if message.channel is Channel.TEXT and delivery.delivered:
            self._text_sent.set()
        _log.info("%s: %s", message.id, why_not or "handed over")
        await self._say(message.alert, delivery)

    def _spent(self, channel: Channel, now: Instant) -> int:
        return sum(each.channel is channel for each in self._spool.handed_over(Instant(now - hours(24))))

    def _recipient(self, role: str) -> Recipient | None:
        return next((each for each in self.site.telling.recipients if each.role == role), None)

    # -- answers -------------------------------------------------------------------------------------------------

    async def reply(self, modem: GsmModem) -> None:
        """Look for answers. What strangers write is thrown away."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN if self._expects_answers() else SELDOM):
                    await self._text_sent.wait()
            self._text_sent.clear()
            try:
                came = await asyncio.to_thread(modem.replies)
            except NotHandedOver as fault:
                _log.warning("no answers can be read: %s", fault.diagnostics())
                await asyncio.sleep(SELDOM)
                continue
            for received in came:
                await self._answered(received)

    async def _answered(self, received: Received) -> None:
        role = next(
            (r.role for r in self.site.telling.recipients if r.text and r.text == received.sender), None
        )
        codes = _CODE.findall(received.text)
        if role is None or not codes:
            _log.warning("a text message was thrown away: %s", "no code in it" if role else "from a stranger")
            return
        answer = CodeReplied(role=role, code=codes[-1])
        try:
            if self._guard is None:
                raise ConnectionResetError
            await self._guard.send(answer)
        except ConnectionError:  # it is said when the guard is back
            self._unsaid = [*self._unsaid, answer][-_UNSAID:]

    def _expects_answers(self) -> bool:
        recent = Instant(self._clock.now() - hours(2))
        return any(each.channel is Channel.TEXT for each in self._spool.handed_over(recent))


def _address(recipient: Recipient, channel: Channel) -> str:
    return {Channel.TEXT: recipient.text, Channel.MAIL: recipient.mail, Channel.WEBHOOK: recipient.webhook}[
        channel
    ]


def carriers(site: Site, clock: Clock, modem: GsmModem | None) -> dict[Channel, Carrier]:
    """The ways out that site.toml describes. A modem goes before a provider: it needs no network of ours."""
    telling = site.telling
    found: dict[Channel, Carrier] = {}
    texts: list[Carrier] = [modem] if modem else []
    if provider := telling.gateway:
        texts.append(Gateway(provider, lambda a: _allowed(site, provider.opening, a)))
    if texts:
        found[Channel.TEXT] = FirstThat(*texts)
    if telling.mail:
        found[Channel.MAIL] = Mail(telling.mail, clock)
    if hook := telling.webhook:
        found[Channel.WEBHOOK] = Webhooks(hook, clock, lambda a: _allowed(site, hook.opening, a))
    return found


def _allowed(site: Site, opening: str, address: Address) -> bool:
    """Outside only by an opening, inside only in a zone: a name cannot lead the sender where it has no business."""
    networks = (ipaddress.ip_network(n, strict=False) for zone in site.zones for n in zone.networks)
    within = any(address in network for network in networks)
    return address.is_global and not within if opening else within


async def run(places: Places, site: Site) -> None:
    """Send until SIGTERM or SIGINT."""
    clock = SystemClock()
    modem = GsmModem(site.telling.modem) if site.telling.modem else None
    teller = Teller(site, Spool(places.spool), carriers(site, clock, modem), clock)
    work = [teller.listen(places), *(teller.send(channel) for channel in Channel)]
    if modem:
        work.append(teller.reply(modem))
    working = asyncio.gather(*work)
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


def main() -> int:
    """``python -m rempart.station.teller``: started by `rempart run` or by systemd, never by hand."""
    return started("teller", __doc__, run)


if __name__ == "__main__":
    sys.exit(main())
