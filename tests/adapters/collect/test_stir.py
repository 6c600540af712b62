"""What wakes the watch."""

import asyncio
from pathlib import Path

from rempart.adapters.collect.stir import Stir


def felt(folder: Path, deed: object, *, seconds: float) -> float:
    """How long a wait of ``seconds`` took during which ``deed`` was done."""

    async def live() -> float:
        loop = asyncio.get_running_loop()
        stir = Stir([folder])
        loop.call_later(0.05, deed)
        began = loop.time()
        await stir.wait(seconds)
        took = loop.time() - began
        stir.close()
        return took

    return asyncio.run(live())


def test_a_write_a_new_file_and_a_rotation_wake(tmp_path: Path) -> None:
    log = tmp_path / "care.log"
    log.write_bytes(b"one\n")
    assert felt(tmp_path, lambda: log.write_bytes(b"two\n"), seconds=20) < 10
    assert felt(tmp_path, (tmp_path / "new.log").touch, seconds=20) < 10
    assert felt(tmp_path, lambda: log.rename(tmp_path / "care.log.1"), seconds=20) < 10


def test_what_changed_between_two_waits_wakes_at_once_and_a_thousand_writes_wake_once(tmp_path: Path) -> None:
    async def live() -> None:
        loop = asyncio.get_running_loop()
        stir = Stir([tmp_path])
        with (tmp_path / "care.log").open("ab", buffering=0) as log:
            for _ in range(1000):
                log.write(b"line\n")
        began = loop.time()
        await stir.wait(20)
        assert loop.time() - began < 10
        began = loop.time()
        await stir.wait(0.2)
        assert loop.time() - began > 0.1
        stir.close()
        stir.close()

    asyncio.run(live())


def test_a_folder_that_is_not_there_is_left_to_looking(tmp_path: Path) -> None:
    assert felt(tmp_path / "later", lambda: None, seconds=0.2) > 0.1
