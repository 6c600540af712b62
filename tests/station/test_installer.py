"""The installer on a box whose units systemd starts: it has them started, and waits for the guard that then answers."""

import asyncio
from pathlib import Path

import pytest

from adapters.test_systemd import asked, manager
from cli.test_setup import answers_file, places
from rempart.__main__ import main
from rempart.config import Places
from rempart.errors import RempartError
from rempart.station.installer import Installer
from rempart.station.parts import units
from station.household import household

pytestmark = pytest.mark.edge  # ip(8) is asked what is around


def installed(folder: Path, restart: str) -> Installer:
    """Answers are given, and the units of a box are for this folder."""
    assert main(["setup", *places(folder), "--answers", str(answers_file(folder))]) == 0
    site, state, run = folder / "site.toml", folder / "state", folder / "run"
    return Installer(
        Places(site=site, state=state, run=run, rules=()),
        systemd=manager(folder, restart),
        on_a_box=(site, state, run),
    )


def test_the_units_of_a_box_take_up_a_changed_description(tmp_path: Path) -> None:
    async def talk() -> None:
        installer = installed(tmp_path, f"touch {tmp_path}/run/guard/operator.sock")
        (tmp_path / "run" / "guard").mkdir(parents=True)
        async with household(tmp_path) as home:
            installer.places.operator_socket.symlink_to(home.folder / "operator")
            assert await asyncio.to_thread(installer.start) == "current"
            installer.places.site.touch()
            assert await asyncio.to_thread(installer.start) == "renewed"
        assert asked(tmp_path)[-1] == f"restart {' '.join(units(installer.described()))}"

    asyncio.run(talk())


def test_units_that_do_not_start_are_told_and_no_other_station_is_started_beside_them(tmp_path: Path) -> None:
    installer = installed(tmp_path, "echo 'Job for rempart-guard.service failed.' >&2; exit 1")
    with pytest.raises(RempartError, match="Job for rempart-guard"):
        installer.start()
    assert not (tmp_path / "state" / "setup-run.log").exists()
