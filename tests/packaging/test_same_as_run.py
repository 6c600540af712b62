"""What systemd starts on a box is what `rempart run` starts: the same programs, users, powers, words and folders."""

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rempart.config import RUN, SITE, STATE, Places
from rempart.containment.render import modsecurity
from rempart.station.logs import written
from rempart.station.parts import Part, parts
from rempart.station.supervisor import Supervisor
from rempart.station.users import _NAMES, User, Users, uid
from station.empty import EMPTY

from .test_systemd import parsed

PACKAGING = Path(__file__).parents[2] / "packaging"
NUMBERS = {name: number for number, name in enumerate(_NAMES.values(), 900)}
_PROGRAMS = ("haproxy", "nginx", "ulogd", "unbound")
PLACES = Places(site=SITE, state=STATE, run=RUN, rules=(Path("/usr/share/rempart/rules"),))
_MORE_GROUPS = {Part.WATCH: {"adm"}}
"""On a box watch reads Debian's logs; `rempart run` is started by somebody who says which."""


def station(console_name: str = "", console_address: str = "127.0.0.1") -> Supervisor:
    users = {part: User(name, NUMBERS[name], NUMBERS[name]) for part, name in _NAMES.items()}
    users["proxy"] = User("haproxy", NUMBERS["haproxy"], NUMBERS["rempart-guard"])
    return Supervisor(
        PLACES,
        EMPTY,
        Users(**users, shared=""),
        8420,
        console_name=console_name,
        console_address=console_address,
    )


@dataclass(frozen=True, slots=True)
class Start:
    """How one process is started, in words that both ways have."""

    user: str
    group: str
    groups: frozenset[str]
    capabilities: frozenset[str]
    nice: int
    environment: frozenset[str]
    program: str
    module: str
    options: frozenset[tuple[str, ...]]
    output: str


def of_run(supervisor: Supervisor, part: Part) -> Start:
    """What `rempart run` starts: nice, then setpriv, then env, then the program."""
    made = supervisor.program(part)
    words = made.arguments
    nice = 0
    if words[0] == "nice":
        nice, words = int(words[2]), words[3:]
    assert words[0] == "setpriv"
    given = dict(word.removeprefix("--").partition("=")[::2] for word in words[1:9] if word.startswith("--"))
    words = words[words.index("--no-new-privs") + 1 :]
    environment: frozenset[str] = frozenset()
    if words[0] == "env":
        environment, words = frozenset({words[1]}), words[2:]
    bound = given["bounding-set"].split(",")[1:]
    return Start(
        user=given["reuid"],
        group=_name_of(int(given["regid"])),
        groups=frozenset(given.get("groups", "").split(",")) - {""},
        capabilities=frozenset(f"CAP_{name.removeprefix('+').upper()}" for name in bound),
        nice=nice,
        environment=environment,
        output=str(made.output or ""),
        **_command(words),
    )


def of_unit(part: Part, environment: dict[str, str] | None = None) -> Start:
    """What systemd starts."""
    service = parsed(PACKAGING / "systemd" / f"rempart-{part}.service")["Service"]
    said = [setting for line in service.get("Environment", ()) for setting in shlex.split(line)]
    settings = dict(setting.partition("=")[::2] for setting in said) | (environment or {})
    (line,) = service["ExecStart"]
    for name, value in settings.items():
        line = line.replace(f"${{{name}}}", value).replace(f"${name}", value)
    assert "$" not in line
    (bound,) = service["CapabilityBoundingSet"]
    ours = {"CONSOLE", "CONSOLE_NAME", "CONSOLE_ORIGIN"}
    return Start(
        user=service["User"][0],
        group=service["Group"][0],
        groups=frozenset(service.get("SupplementaryGroups", [])) - _MORE_GROUPS.get(part, set()),
        capabilities=frozenset(bound.split()),
        nice=int(service.get("Nice", ["0"])[0]),
        environment=frozenset(said for said in said if said.partition("=")[0] not in ours),
        output=service.get("StandardOutput", [""])[0].removeprefix("append:"),
        **_command(line.split()),
    )


def _command(words: list[str]) -> dict[str, object]:
    module, rest = "", words[1:]
    if rest[:1] == ["-m"]:
        module, rest = rest[1], rest[2:]
    program = Path(words[0]).name
    return {
        "program": program if program in _PROGRAMS else "python",
        "module": module,
        "options": frozenset(_options(rest)),
    }


def _options(words: list[str]) -> Iterator[tuple[str, ...]]:
    """Each option with its value; users by number, as both name them in their own way."""
    at = 0
    while at < len(words):
        option, value = words[at], words[at + 1 : at + 2]
        if not value or value[0].startswith("-"):
            yield (option,)
            at += 1
            continue
        yield option, str(NUMBERS.get(value[0], value[0])) if option.endswith("-uid") else value[0]
        at += 2


def _name_of(gid: int) -> str:
    return next(name for name, number in NUMBERS.items() if number == gid)


needs_the_programs = pytest.mark.skipif(
    not Path(modsecurity.MODULE).exists()
    or not Path(modsecurity.CORE_RULES).is_dir()
    or not all(shutil.which(name, path="/usr/sbin:/sbin:/usr/bin") for name in _PROGRAMS),
    reason="needs haproxy, nginx with ModSecurity, ulogd2 and unbound",
)


@pytest.mark.edge
@needs_the_programs
@pytest.mark.parametrize("part", Part)
def test_a_unit_starts_what_rempart_run_starts(part: Part) -> None:
    assert of_unit(part) == of_run(station(), part)


@pytest.mark.edge
@needs_the_programs
@pytest.mark.parametrize("part", [Part.GUARD, Part.CONSOLE])
def test_a_console_with_a_name_is_known_to_both(part: Part) -> None:
    lines = (PACKAGING / "console.env").read_text().splitlines()
    settings = dict(line.partition("=")[::2] for line in lines if line and not line.startswith("#"))
    named = station(settings["CONSOLE_NAME"], "10.0.1.1")
    assert of_unit(part, settings) == of_run(named, part)


def test_each_part_has_a_unit_and_each_unit_is_a_part_or_goes_before() -> None:
    units = {unit.stem for unit in (PACKAGING / "systemd").glob("*.service")}
    around = {"rempart-boot", "rempart-prepare", "rempart-logs", "rempart-provider"}
    assert units == {f"rempart-{part}" for part in Part} | around
    assert next(parts(station().site)) is Part.GUARD


def test_whatever_is_to_run_is_started_again_without_end() -> None:
    for part in Part:
        unit = parsed(PACKAGING / "systemd" / f"rempart-{part}.service")
        assert (unit["Service"]["Restart"], unit["Unit"]["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_the_same_folders_and_logs() -> None:
    supervisor = station()
    made = {
        (str(folder), f"{mode:04o}", owner.name or "root", _group(owner))
        for folder, owner, mode in supervisor.folders()
    }
    made |= {(str(log), "0640", writer.name, "rempart-watch") for log, writer in supervisor.logs()}
    assert made == set(tmpfiles("tmpfiles.conf")) | set(tmpfiles("tmpfiles-programs.conf"))


def _group(owner: User) -> str:
    return "root" if owner.name == "root" else _name_of(owner.gid)


def tmpfiles(name: str) -> Iterator[tuple[str, str, str, str]]:
    for line in (PACKAGING / name).read_text().splitlines():
        if line and not line.startswith("#"):
            _, path, mode, user, group, _ = line.split()
            yield path, mode, user, group


def test_what_others_read_is_written_so_that_they_can() -> None:
    """What guard and prepare write is read as other users: its folders are closed, not its files."""
    for unit in (PACKAGING / "systemd").glob("*.service"):
        wanted = "0022" if unit.stem in {"rempart-guard", "rempart-prepare"} else "0077"
        assert parsed(unit)["Service"]["UMask"] == [wanted]


def test_the_logs_that_others_write_are_bounded_every_minute() -> None:
    assert {log for log, _ in station().logs()} == set(written(PLACES))
    timer = parsed(PACKAGING / "systemd" / "rempart-logs.timer")
    assert timer["Timer"]["OnUnitActiveSec"] == ["1min"]
    assert timer["Install"]["WantedBy"] == ["timers.target"]


def test_the_keys_of_the_identity_provider_are_fetched_long_before_they_are_not_believed() -> None:
    timer = parsed(PACKAGING / "systemd" / "rempart-provider.timer")
    assert (timer["Timer"]["OnCalendar"], timer["Timer"]["Persistent"]) == (["daily"], ["yes"])
    assert timer["Install"]["WantedBy"] == ["timers.target"]


def test_a_user_is_named_or_numbered() -> None:
    assert (uid("root"), uid("0"), uid("65534")) == (0, 0, 65534)
    with pytest.raises(ValueError, match="nobody-of-this-name"):
        uid("nobody-of-this-name")
