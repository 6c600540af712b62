"""systemd, asked by its real words: a program in its place says what it was asked; the real one enables our units."""

from pathlib import Path

import pytest

from rempart.adapters.systemd import Systemd
from rempart.errors import RempartError
from rempart.station.parts import Part

SCRIPT = """#!/bin/sh
shift  # --no-pager
echo "$@" >> "{folder}/asked"
case "$1" in
  cat) [ "$3" = rempart-guard.service ] ;;
  list-unit-files) echo "rempart-group.service enabled enabled" ;;
  restart) {restart} ;;
esac
"""


def manager(folder: Path, restart: str = "true") -> Systemd:
    program = folder / "systemctl"
    program.write_text(SCRIPT.format(folder=folder, restart=restart))
    program.chmod(0o755)
    return Systemd(booted=folder, program=str(program))


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def test_only_a_box_that_systemd_manages_and_that_has_the_unit_knows_it(tmp_path: Path) -> None:
    here = manager(tmp_path)
    assert here.knows("rempart-guard.service")
    assert not here.knows("rempart-nobody.service")
    assert not Systemd(booted=tmp_path / "gone", program=here.program).knows("rempart-guard.service")
    assert not Systemd(booted=tmp_path, program=str(tmp_path / "gone")).knows("rempart-guard.service")


def test_what_is_wanted_is_enabled_and_started_anew_and_only_what_was_enabled_is_ended(
    tmp_path: Path,
) -> None:
    manager(tmp_path).take_up(
        ["rempart-guard.service", "rempart-watch.service"],
        unneeded=["rempart-teller.service", "rempart-group.service"],
    )
    assert asked(tmp_path) == [
        "list-unit-files --no-legend --plain --state=enabled rempart-group.service rempart-teller.service",
        "disable --now rempart-group.service",
        "enable rempart-guard.service rempart-watch.service",
        "restart rempart-guard.service rempart-watch.service",
    ]


def test_what_systemd_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(RempartError, match=r"Job for rempart-guard\.service failed"):
        manager(tmp_path, "echo 'Job for rempart-guard.service failed.' >&2; exit 1").take_up(
            [f"rempart-{Part.GUARD}.service"], unneeded=[]
        )
