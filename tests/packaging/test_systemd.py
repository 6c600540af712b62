"""The units say what the threat model says: who may do what, and what comes before the network."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "packaging" / "systemd").glob("*.service"))
NAMES = [unit.stem for unit in UNITS]
_CAPABILITIES = {
    "rempart-boot": "CAP_NET_ADMIN",
    "rempart-guard": "CAP_NET_ADMIN",
    "rempart-watch": "",
    "rempart-console": "",
    "rempart-resolver": "CAP_NET_BIND_SERVICE",
    "rempart-prober": "",
    "rempart-teller": "",
    "rempart-group": "",
    "rempart-staff": "",
    "rempart-prepare": "CAP_NET_ADMIN",
    "rempart-logs": "CAP_CHOWN CAP_DAC_OVERRIDE",
    "rempart-provider": "",
    "rempart-proxy": "CAP_NET_BIND_SERVICE",
    "rempart-gate": "",
    "rempart-filter": "",
    "rempart-packets": "CAP_NET_ADMIN",
    "rempart-unbound": "",
}
_USERS = {
    "rempart-boot": ("rempart-guard", "rempart-guard"),  # it reads the guard's journal
    "rempart-prober": ("rempart-probe", "rempart-probe"),
    "rempart-prepare": ("root", "root"),
    "rempart-logs": ("root", "root"),  # the writers of the logs are several
    "rempart-provider": ("root", "root"),  # nobody else says which keys are true
    "rempart-proxy": ("haproxy", "rempart-guard"),  # the guard, and nobody else, steers it
    "rempart-gate": ("haproxy", "rempart-guard"),
    "rempart-packets": ("ulog", "ulog"),
    "rempart-unbound": ("unbound", "unbound"),
}
"""User and group, where they are not the unit's own name."""
_OURS = "/opt/rempart/.venv/bin/python"
_EXPOSED = 20
"""Tenths: the exposure that `systemd-analyze security` may give a unit at most, of 100."""


def parsed(unit: Path) -> dict[str, dict[str, list[str]]]:
    """Sections, keys and all their values, in order: systemd takes a key more than once."""
    sections: dict[str, dict[str, list[str]]] = {}
    keys: dict[str, list[str]] = {}
    for text in unit.read_text().splitlines():
        if text.startswith("["):
            keys = sections.setdefault(text.strip("[]"), {})
        elif text and not text.startswith("#"):
            key, _, value = text.partition("=")
            keys.setdefault(key, []).append(value)
    return sections


def test_there_is_a_unit_for_each_part() -> None:
    assert set(NAMES) == set(_CAPABILITIES)


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_each_has_its_own_user_and_no_more_than_its_capability(unit: Path) -> None:
    service = parsed(unit)["Service"]
    user, group = _USERS.get(unit.stem, (unit.stem, unit.stem))
    assert (service["User"], service["Group"]) == ([user], [group])
    assert service["CapabilityBoundingSet"] == [_CAPABILITIES[unit.stem]]
    if unit.stem != "rempart-logs":  # root has what its bounds leave
        assert service.get("AmbientCapabilities", [""]) == [_CAPABILITIES[unit.stem]]
    for hardening in ("NoNewPrivileges", "PrivateTmp", "ProtectKernelModules", "RestrictNamespaces"):
        assert service[hardening] == ["yes"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["SystemCallFilter"][0] == "@system-service"


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_each_starts_a_module_that_is_there_with_arguments_that_it_knows(unit: Path) -> None:
    words = parsed(unit)["Service"]["ExecStart"][0].split()
    if words[0] != _OURS:
        assert words[0] in {f"/usr/sbin/{name}" for name in ("haproxy", "nginx", "ulogd", "unbound")}
        return
    assert words[1] == "-m"
    options = next(at for at, word in enumerate(words[2:], start=2) if word.startswith("--"))
    helped = subprocess.run(
        [sys.executable, "-m", *words[2:options], "--help"], capture_output=True, text=True, check=True
    )
    for option in (word for word in words if word.startswith("--")):
        assert option in helped.stdout


def test_who_goes_first_does_so_among_units_too() -> None:
    """nice(2) weighs a process 1.25 times for each step; between units only their groups' weights count."""
    services = {unit.stem: parsed(unit)["Service"] for unit in UNITS}
    weighed = {name: service for name, service in services.items() if "Nice" in service}
    assert weighed.keys() == {"rempart-guard", "rempart-resolver"}
    for service in weighed.values():
        assert int(service["CPUWeight"][0]) == pytest.approx(100 * 1.25 ** -int(service["Nice"][0]), rel=0.02)


def test_boot_comes_before_the_network_and_before_the_guard() -> None:
    units = {unit.stem: parsed(unit) for unit in UNITS}
    assert "network-pre.target" in units["rempart-boot"]["Unit"]["Before"][0].split()
    assert units["rempart-boot"]["Unit"]["Wants"] == ["network-pre.target"]
    assert units["rempart-boot"]["Unit"]["DefaultDependencies"] == ["no"]
    assert units["rempart-boot"]["Service"]["Type"] == ["oneshot"]
    assert "rempart-boot.service" in units["rempart-guard"]["Unit"]["After"][0].split()


def test_boot_loads_once() -> None:
    boot = next(parsed(unit) for unit in UNITS if unit.stem == "rempart-boot")
    service = boot["Service"]
    # The folder is made before the program starts, and stays: whoever asks for the unit again finds it.
    assert boot["Unit"]["ConditionPathExists"] == ["!/run/rempart-boot"]
    assert (service["RuntimeDirectory"], service["RuntimeDirectoryPreserve"]) == (["rempart-boot"], ["yes"])


@pytest.mark.lab
@pytest.mark.parametrize(
    ("result", "before", "closed"),
    [
        ("success", "", False),
        ("timeout", "", True),
        ("exit-code", "", True),
        ("exit-code", "add table inet rempart; add chain inet rempart cut", False),
    ],
)
def test_a_boot_that_loaded_nothing_leaves_nothing_to_cross(
    result: str, before: str, *, closed: bool
) -> None:
    boot = next(parsed(unit) for unit in UNITS if unit.stem == "rempart-boot")
    after = shlex.split(boot["Service"]["ExecStopPost"][0])
    steps = [["/usr/sbin/nft", before], after, ["/usr/sbin/nft", "list", "ruleset"]]
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", "\n".join(map(shlex.join, steps))],
        env={"SERVICE_RESULT": result},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("hook forward priority filter; policy drop;" in done.stdout) is closed
    assert ("chain cut" in done.stdout) is bool(before)


def test_watch_and_console_reach_neither_the_network_nor_the_guard_s_files() -> None:
    watch, console = (
        next(parsed(unit)["Service"] for unit in UNITS if unit.stem == name)
        for name in ("rempart-watch", "rempart-console")
    )
    assert watch["PrivateNetwork"] == ["yes"]
    assert watch["InaccessiblePaths"] == ["/var/lib/rempart/guard"]
    assert console["InaccessiblePaths"] == [
        "/var/lib/rempart/guard /var/lib/rempart/watch /var/lib/rempart/teller"
    ]
    assert console["IPAddressAllow"] == ["localhost"]


@pytest.mark.edge
@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze: apt install systemd"
)
def test_systemd_finds_no_fault_in_them(tmp_path: Path) -> None:
    units = (*UNITS, *sorted(UNITS[0].parent.glob("*.timer")))
    for unit in units:
        text = unit.read_text().replace(_OURS, sys.executable)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in units)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if str(tmp_path) in line]
    assert said == []
    assert done.returncode == 0, done.stderr


@pytest.mark.edge
@pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None, reason="needs systemd-sysusers: apt install systemd"
)
def test_systemd_makes_the_users_and_says_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).touch()
    users = UNITS[0].parents[1] / "sysusers.conf"
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(users)], capture_output=True, text=True, check=True
    )
    assert {line.split(" ")[0] for line in done.stderr.splitlines()} == {"Creating"}


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_no_program_reads_what_only_the_guard_may(unit: Path) -> None:
    service = parsed(unit)["Service"]
    if unit.stem in {"rempart-guard", "rempart-boot"}:
        return
    closed = {path for value in service["InaccessiblePaths"] for path in value.split()}
    assert closed & {"/var/lib/rempart", "/var/lib/rempart/guard"}


@pytest.mark.edge
@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze: apt install systemd"
)
@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_systemd_finds_each_little_exposed(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={_EXPOSED}", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:]
