"""Every wrong order is refused by the guard, changes nothing, and is sealed."""

import asyncio
from collections import Counter
from pathlib import Path

from rempart.engine import facts
from rempart.engine.state import enforcement
from station.household import household
from station.wrong_orders import EXAMPLES, Tried, wrongs


def test_no_wrong_order_is_accepted_and_each_is_sealed(tmp_path: Path) -> None:
    every: list[Tried] = []

    async def life() -> None:
        async with household(tmp_path) as home:
            table = await wrongs(home)
            before, people = enforcement(home.guard.state), dict(home.guard.state.people)
            every.extend([one async for one in table.tried()])
            assert enforcement(home.guard.state) == before
            assert home.guard.state.people == people
            declined = await home.sealed(facts.OrderDeclined)
            sealed = {(fact.order, fact.why) for fact in declined}
            assert {(type(each.order).__name__, each.answer.what) for each in every} <= sealed

    asyncio.run(life())
    assert [each for each in every if each.accepted] == []
    ways = Counter(each.wrong for each in every)
    assert len(every) > 350
    assert all(ways[way] == len(EXAMPLES) for way in ways if "role" not in way and way != "session alone")
