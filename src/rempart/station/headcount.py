"""Headcount: how many distinct persons' care files were opened as the guard asked. The persons stay here.

A question is answered at once, and again while the number rises: the thief goes on while the guard decides.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

from rempart.adapters.store.events import Damage, EventStore, Segment
from rempart.detection.surroundings import Surroundings, normal
from rempart.errors import DecodeError
from rempart.events.decode import DECODERS, decoded
from rempart.events.event import Event
from rempart.instants import Instant, after, minutes
from rempart.messages import CountPersons, PersonsCounted
from rempart.ports import Clock
from rempart.station.reading import LATE

_log = logging.getLogger("rempart.watch")

RECOUNT = 2.0
"""Seconds between two counts of persons for the same question."""

RECOUNTED = minutes(2)
"""How long a question about persons is answered anew: each finding about care files asks it again."""


class Headcounts:
    """The questions of the guard that are kept answered. For one asyncio loop."""

    def __init__(self, store: EventStore, surroundings: Surroundings, clock: Clock) -> None:
        self._store = store
        self._surroundings = surroundings
        self._clock = clock
        self._open: dict[str, Headcount] = {}
        self._asked = asyncio.Event()

    def ask(self, question: CountPersons) -> None:
        """Answer this as soon as may be, in place of what was asked by the same name."""
        until = after(self._clock.now(), RECOUNTED)
        self._open[question.request] = Headcount(question, self._surroundings, until)
        self._asked.set()

    async def answer(self, say: Callable[[PersonsCounted], Awaitable[bool]]) -> None:
        """Answer what is asked, until cancelled. ``say`` gives False when nobody heard: it is tried again."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECOUNT):
                    await self._asked.wait()
            self._asked.clear()
            for count in tuple(self._open.values()):
                await asyncio.to_thread(count.go_on, self._store)
                answer = count.answer
                if answer != count.told and await say(answer):
                    count.told = answer
                if self._clock.now() > count.until and self._open.get(count.asked.request) is count:
                    del self._open[count.asked.request]


class Headcount:
    """One question of the guard, and what was counted for it so far."""

    def __init__(self, asked: CountPersons, surroundings: Surroundings, until: Instant) -> None:
        self.asked = asked
        self.until = until
        """Until when the answer is kept up to date."""
        self.told: PersonsCounted | None = None
        self._surroundings = surroundings
        self._addresses = {address for text in asked.addresses if (address := normal(text))}
        self._persons: set[str] = set()
        self._opened = 0
        self._counted = 0

    @property
    def answer(self) -> PersonsCounted:
        """Numbers only."""
        return PersonsCounted(
            request=self.asked.request, persons=len(self._persons), records_opened=self._opened
        )

    def go_on(self, store: EventStore) -> None:
        """Count what was stored since the last time."""
        for segment in store.since(Instant(max(0, self.asked.since - LATE)), after=self._counted):
            if isinstance(segment, Damage):
                _log.error("%s: the persons counted may be too few", segment)
                self._counted = segment.last
                continue
            self._counted = segment.id
            for person in self._persons_in(segment):
                self._persons.add(person)
                self._opened += 1

    def _persons_in(self, segment: Segment) -> Iterator[str]:
        if segment.decoder != "nginx":
            return
        for number, body in zip(segment.numbers, segment.bodies, strict=True):
            with suppress(DecodeError):  # counted and told when the line was read first
                event = decoded(DECODERS[segment.decoder], body, segment.source, number)
                if event and self._concerns(event):
                    person = self._surroundings.describe(event).fields.get("person")
                    if isinstance(person, str):
                        yield person

    def _concerns(self, event: Event) -> bool:
        fields = event.fields
        return (
            fields["sc-status"] == 200
            and (event.time or self.asked.since) >= self.asked.since
            and normal(fields.get("c-ip", "")) in self._addresses
            and (not self.asked.accounts or fields.get("cs-username") in self.asked.accounts)
        )
