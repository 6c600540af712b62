"""Persons are counted as the guard asks, and never named."""

import asyncio
import logging
from pathlib import Path

import pytest

from rempart.instants import Instant, seconds
from rempart.messages import (
    CountPersons,
)
from station.watched import BEGIN, Home, at_home, request, until


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at_home(tmp_path)


def test_persons_are_counted_never_named(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lines = [
        *(request(number, f"/dossier/9000{number % 30}", user="nurse1") for number in range(60)),
        *(request(number, f"/dossier/7000{number}", client="10.0.2.50") for number in range(10)),
        *(request(number, f"/dossier/6000{number}", status=403) for number in range(10)),
        request(70, "/login"),
        request(71, "/dossier/80001", user="nurse2"),
    ]

    async def live() -> None:
        async with home.guard() as guard, home.watch() as store:
            home.write(home.care, *lines)
            await until(lambda: guard.connections and store.last)
            (connection,) = guard.connections
            questions = [
                CountPersons(request="all", addresses=["10.0.2.77"], since=BEGIN),
                CountPersons(
                    request="late", addresses=["::ffff:10.0.2.77"], since=Instant(BEGIN + seconds(50))
                ),
                CountPersons(request="nurse2", addresses=["10.0.2.77"], since=BEGIN, accounts=["nurse2"]),
                CountPersons(request="none", addresses=["192.0.2.1", "nonsense"], since=BEGIN),
            ]
            for question in questions:
                await connection.send(question)
            await until(lambda: len(guard.counted) == 4)
            answers = {a.request: (a.persons, a.records_opened) for a in guard.counted}
            assert answers == {"all": (31, 61), "late": (11, 11), "nurse2": (1, 1), "none": (0, 0)}
            home.write(home.care, request(80, "/dossier/90042", user="nurse1"))
            await until(lambda: len(guard.counted) == 6)
            answers = {a.request: (a.persons, a.records_opened) for a in guard.counted[4:]}
            assert answers == {"all": (32, 62), "late": (12, 12)}

    asyncio.run(live())
    assert "9000" not in caplog.text
