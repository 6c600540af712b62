"""Orders: every order given wrongly in every way to a real guard: how many were tried, how many accepted (aim: 0).

Run: scripts/bench orders [--json].
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from station.household import household
from station.wrong_orders import wrongs


def measure() -> dict[str, int]:
    """``wrong_orders_tried`` and ``wrong_orders_accepted``, for `benchmarks.console` too."""

    async def life() -> dict[str, int]:
        with tempfile.TemporaryDirectory(prefix="rempart-") as folder:
            async with household(Path(folder)) as home:
                table = await wrongs(home)
                tried = [one async for one in table.tried()]
        accepted = sum(one.accepted for one in tried)
        return {"wrong_orders_tried": len(tried), "wrong_orders_accepted": accepted}

    return asyncio.run(life())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object, nothing else")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name}: {figure}" for name, figure in figures.items()))


if __name__ == "__main__":
    main()
