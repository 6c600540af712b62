"""Simulating from the console: those who see everything may, nobody else; nothing is done by it."""

import asyncio
from pathlib import Path

import pytest

from rempart.accounts.person import INFORMED, Role
from rempart.engine import orders
from rempart.messages import Foreseen, OrderRejected, SimulationAsked
from station.household import household

pytestmark = pytest.mark.edge


def test_only_who_sees_everything_may_simulate_and_nothing_is_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with household(tmp_path) as home:
            cut = orders.Contain(by="anybody")
            for role in Role:
                person = await home.enrol(f"the-{role.value}", role)
                answer = await home.ask(SimulationAsked(order=cut, session=person.session))
                assert isinstance(answer, Foreseen if role in INFORMED else OrderRejected), role
            forged = await home.ask(SimulationAsked(order=cut, session="forged"))
            assert isinstance(forged, OrderRejected)
            assert not home.guard.state.contained

    asyncio.run(scenario())
