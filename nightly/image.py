"""Makes the disks of two boxes from Debian's packages and this tree: Debian's kernel, systemd, our units, no more."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rempart.site import description
from rempart.station.parts import units

HERE = Path(__file__).parent
TOP = HERE.parent
PACKAGES = (
    "systemd-sysv,dbus,udev,linux-image-amd64,nftables,python3,iproute2,kmod,procps,util-linux,"
    "libnftables1,haproxy,nginx-light,libnginx-mod-http-modsecurity,modsecurity-crs,ulogd2,ulogd2-json,unbound"
)
"""On top of Debian's smallest system. From haproxy on: what our units and users expect beside us."""

_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")


@dataclass(frozen=True, slots=True)
class Image:
    """What virtual machines start from."""

    disk: Path
    spare: Path
    """The second box: the program, its units and users, and the certificate from the envelope; nothing described."""
    stick: Path
    """What is carried from one box to the other."""
    kernel: Path
    initrd: Path


def make(folder: Path) -> Image:
    """The disks in ``folder``. Takes a few minutes; raises CalledProcessError with what a program said."""
    root = folder / "root"
    _run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={PACKAGES}",
        "bookworm",
        str(root),
        *_mirrors(),
    )
    _install(root)
    _lay_out(root)
    image = Image(
        disk=folder / "disk.img",
        spare=folder / "spare.img",
        stick=folder / "stick.img",
        kernel=folder / "vmlinuz",
        initrd=folder / "initrd.img",
    )
    _run("mkfs.ext4", "-q", str(image.stick), "64M")
    _run("mkfs.ext4", "-q", "-d", str(root), str(image.spare), "3G")
    _describe(root)
    _run("mkfs.ext4", "-q", "-d", str(root), str(image.disk), "3G")
    shutil.copyfile(root / "vmlinuz", image.kernel)
    shutil.copyfile(root / "initrd.img", image.initrd)
    shutil.rmtree(root)
    return image


def _mirrors() -> list[str]:
    """Where this machine itself gets its packages from."""
    return [str(_SOURCES)] if _SOURCES.exists() else []


def _install(root: Path) -> None:
    """The program under /opt/rempart, with the locked versions of what it needs."""
    place = root / "opt" / "rempart" / ".venv"
    _run("/usr/bin/python3", "-m", "venv", "--without-pip", str(place))
    pip = (str(TOP / ".venv/bin/python"), "-m", "pip", "--python", str(place / "bin/python"), "-qq")
    _run(*pip, "install", "--require-hashes", "-r", str(TOP / "requirements" / "run.txt"))
    _run(*pip, "install", "--no-deps", str(TOP))
    shutil.copytree(TOP / "rules", root / "usr/share/rempart/rules")


def _lay_out(root: Path) -> None:
    """Units, users, folders, the certificate, and the little world around the box."""
    etc, system = root / "etc", root / "etc/systemd/system"
    for unit in sorted((TOP / "packaging/systemd").glob("rempart-*.*")):
        shutil.copyfile(unit, system / unit.name)
    shutil.copyfile(TOP / "packaging/sysusers.conf", _made(etc / "sysusers.d") / "rempart.conf")
    for name in ("tmpfiles", "tmpfiles-programs"):
        shutil.copyfile(TOP / f"packaging/{name}.conf", _made(etc / "tmpfiles.d") / f"rempart-{name}.conf")
    _run("systemd-sysusers", f"--root={root}")
    _certify(root, _made(etc / "rempart/group"))
    (etc / "sysctl.d/90-gateway.conf").write_text("net.ipv4.ip_forward=1\nnet.ipv6.conf.all.forwarding=1\n")
    nightly = _made(root / "opt/nightly")
    for file in ("streams.py", "steps.py", "visit.py", "network.sh"):
        shutil.copyfile(HERE / "box" / file, nightly / file)
    for unit in sorted((HERE / "box").glob("*.service")):
        shutil.copyfile(unit, system / unit.name)
    _enable(root, *(unit.name for unit in system.glob("nightly-*.service")))
    # These are started by us or not at all here; a box's own network is the little world's.
    others = ("haproxy.service", "nginx.service", "unbound.service", "ulogd2.service")
    _run("systemctl", f"--root={root}", "--quiet", "mask", *others)


def _describe(root: Path) -> None:
    """The site, and the units that it needs."""
    shutil.copyfile(HERE / "box/site.toml", root / "etc/rempart/site.toml")
    _enable(root, *units_of(HERE / "box/site.toml"))


def _enable(root: Path, *names: str) -> None:
    _run("systemctl", f"--root={root}", "--quiet", "enable", *names)


def units_of(site: Path) -> tuple[str, ...]:
    """The units that this site needs."""
    return units(description.parse(site.read_text(encoding="utf-8"), str(site)))


def _certify(root: Path, folder: Path) -> None:
    """A certificate for the group's door, and the one whose holder may cut the group."""
    for name in ("box", "operators"):
        key, crt = folder / f"{name}.key", folder / f"{name}.crt"
        words = ("req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "30", "-subj", f"/CN={name}")
        _run("openssl", *words, "-keyout", str(key), "-out", str(crt))
    (folder / "box.pem").write_text((folder / "box.key").read_text() + (folder / "box.crt").read_text())
    (folder / "box.pem").chmod(0o400)
    users = dict(line.split(":")[:3:2] for line in (root / "etc/passwd").read_text().splitlines())
    os.chown(folder / "box.pem", int(users["rempart-group"]), 0)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(*words: str) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
