"""Which user each process runs as, and the command that drops everything it does not need."""

import os
import pwd
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class User:
    """A user of the system. ``name`` empty: the one we run as, because there is no other here."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Users:
    """The users of a station. ``shared`` says why they are one, or is empty when they are apart."""

    guard: User
    watch: User
    teller: User
    console: User
    proxy: User
    packets: User
    web_filter: User
    prober: User
    group_door: User
    staff: User
    resolver: User
    unbound: User
    shared: str


_NAMES = {
    "guard": "rempart-guard",
    "watch": "rempart-watch",
    "teller": "rempart-teller",
    "console": "rempart-console",
    "proxy": "haproxy",
    "packets": "ulog",
    "web_filter": "rempart-filter",
    "prober": "rempart-probe",
    "group_door": "rempart-group",
    "staff": "rempart-staff",
    "resolver": "rempart-resolver",
    "unbound": "unbound",
}


def choose() -> Users:
    """A user each when we are root and may become them; otherwise one, with the reason in words."""
    reason = _why_shared()
    if reason:
        return Users(**dict.fromkeys(_NAMES, User("", os.geteuid(), os.getegid())), shared=reason)
    users = {part: _user(name) for part, name in _NAMES.items()}
    # The proxy's runtime socket must be open to the guard and to nobody else: they share the guard's group.
    users["proxy"] = replace(users["proxy"], gid=users["guard"].gid)
    return Users(**users, shared="")


def uid(text: str) -> int:
    """The number of a user, given as a name or a number. Raises ValueError when there is no such user."""
    if text.isdecimal():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError as missing:
        raise ValueError(text) from missing


def command(
    user: User, capabilities: Sequence[str], program: Sequence[str], groups: Sequence[str] = ()
) -> list[str]:
    """The program run as that user with these capabilities and groups, and no way to gain others (setpriv(1))."""
    if not user.name:
        return list(program)
    kept = "".join(f",+{name}" for name in capabilities)
    return [
        "setpriv",
        f"--reuid={user.name}",
        f"--regid={user.gid}",
        f"--groups={','.join(groups)}" if groups else "--clear-groups",
        f"--inh-caps=-all{kept}",
        f"--ambient-caps=-all{kept}",
        f"--bounding-set=-all{kept}",
        "--no-new-privs",
        *program,
    ]


def _user(name: str) -> User:
    entry = pwd.getpwnam(name)
    return User(name, entry.pw_uid, entry.pw_gid)


def _why_shared() -> str:
    if os.geteuid() != 0:
        return "not started as root"
    if not _owns_many_uids():
        return "in a user namespace with one user"
    if shutil.which("setpriv") is None:
        return "setpriv (package util-linux) is missing"
    try:
        for name in _NAMES.values():
            pwd.getpwnam(name)
    except KeyError as missing:
        return f"{missing.args[0]}: run scripts/setup as root to make the users"
    closed = _closed_to_others(Path(sys.prefix).absolute()) or _closed_to_others(Path(__file__).absolute())
    return f"other users cannot enter {closed}, where the program lies" if closed else ""


def _owns_many_uids() -> bool:
    """False in a user namespace that maps a single uid: nobody else can be become there (user_namespaces(7))."""
    lengths = [
        int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    ]
    return sum(lengths) > 1


def _closed_to_others(path: Path) -> str:
    """The first folder on the way to ``path`` that other users cannot enter; empty when there is none."""
    others_may_enter = 0o001
    for folder in reversed(path.resolve().parents):
        if not folder.stat().st_mode & others_may_enter:
            return str(folder)
    return ""
