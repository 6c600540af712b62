"""The real servers of the hospital and of the outside: their configuration, their files, their start."""

import base64
import hashlib
import os
import pwd
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from demo.addresses import Account, Plan
from demo.request import NO_ANSWER, ask
from demo.world import World, real_root

NAME_SERVER = "nameserver"
"""The program that answers for every name outside; what it says is what it was asked."""

LIVE_PORTS = {"website-out": 9001, "website-in": 9002, "gp-portal-out": 9003, "gp-portal-in": 9004}
"""Ports on the dmz machine's loopback where the measuring streams of `flows` stand behind nginx."""

_LOG_FORMAT = (
    'log_format rempart \'$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" "$host"\';'
)
_COMPLAINTS = (
    "hypertension",
    "diabète",
    "fracture du col",
    "insuffisance cardiaque",
    "démence",
    "asthme",
    "arthrose",
)
_DRUGS = ("metformine 500 mg", "bisoprolol 2,5 mg", "paracétamol 1 g", "furosémide 40 mg", "sertraline 50 mg")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServer:
    """One ``server`` of nginx: where it listens, what it shows, who may see it."""

    name: str
    listen: str
    root: Path
    log: Path
    accounts: Path | None = None
    trusted_proxy: str = ""
    live: tuple[int, ...] = ()
    """Loopback ports behind ``/live/<port>``."""


class Programs:
    """The servers of one world: written once, started together, each ended by its pid with the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plan: Plan = world.plan
        self.logs = _open_folder(world.folder / "logs")
        self._files = _open_folder(world.folder / "files")

    @property
    def care_log(self) -> Path:
        """Access log of the care-file server."""
        return self.logs / "care.log"

    @property
    def website_log(self) -> Path:
        """Access log of the website."""
        return self.logs / "website.log"

    @property
    def portal_log(self) -> Path:
        """Access log of the general practitioners' portal."""
        return self.logs / "portal.log"

    @property
    def portal_accounts(self) -> Path:
        """The portal's accounts: nginx reads this file at each request, so that removing a line disables at once."""
        return self._files / "portal.accounts"

    @property
    def care_accounts(self) -> Path:
        """The care-file server's accounts; practitioners have one too, which is what makes theirs worth stealing."""
        return self._files / "care.accounts"

    def start(self) -> None:
        """Write everything and start every server; returns once each of them answers."""
        plan = self._plan
        write_accounts(self.care_accounts, (*plan.staff, *plan.practitioners))
        write_accounts(self.portal_accounts, plan.practitioners)
        write_records(self._files / "care", plan)
        write_site(self._files / "website", plan)
        write_portal(self._files / "portal", plan)
        write_page(self._files / "outside", "Service", "En ordre de marche.")
        self._nginx("servers", [self._care()])
        self._nginx("dmz", [self._website(), self._portal()])
        self._nginx("ehealth", [self._outside("ehealth", f"{plan.address('ehealth')}:443")])
        self._nginx(
            "internet", [self._outside(f"web{p}", f"{plan.address('internet')}:{p}") for p in (80, 443)]
        )
        self._nginx("prescriptions", [self._outside("prescriptions", f"{plan.address('prescriptions')}:443")])
        self._world.start(
            "internet",
            NAME_SERVER,
            python("demo.nameserver", plan.name_server, plan.prescriptions, plan.address("prescriptions")),
            unprivileged=True,
        )
        self._telephones()
        self._await_answers()

    def disable(self, account: Account) -> None:
        """Take an account away from the portal and from the care files: it cannot sign in any more."""
        for path in (self.portal_accounts, self.care_accounts):
            kept = [
                line
                for line in path.read_text().splitlines(keepends=True)
                if not line.startswith(account.name + ":")
            ]
            new = path.with_suffix(".new")
            new.write_text("".join(kept))
            new.replace(path)

    # -- servers -------------------------------------------------------------------------------------------------

    def _care(self) -> WebServer:
        return WebServer(
            name="care",
            listen=f"{self._plan.address('servers')}:{self._plan.ports.care}",
            root=self._files / "care",
            log=self.care_log,
            accounts=self.care_accounts,
        )

    def _website(self) -> WebServer:
        return WebServer(
            name="website",
            listen=f"{self._plan.address('dmz')}:{self._plan.ports.website}",
            root=self._files / "website",
            log=self.website_log,
            trusted_proxy=self._plan.gateway["dmz"],
            live=(LIVE_PORTS["website-out"], LIVE_PORTS["website-in"]),
        )

    def _portal(self) -> WebServer:
        return WebServer(
            name="portal",
            listen=f"{self._plan.address('dmz')}:{self._plan.ports.portal}",
            root=self._files / "portal",
            log=self.portal_log,
            accounts=self.portal_accounts,
            trusted_proxy=self._plan.gateway["dmz"],
            live=(LIVE_PORTS["gp-portal-out"], LIVE_PORTS["gp-portal-in"]),
        )

    def _outside(self, name: str, listen: str) -> WebServer:
        return WebServer(
            name=name, listen=listen, root=self._files / "outside", log=self.logs / f"outside-{name}.log"
        )

    def _nginx(self, machine: str, servers: Sequence[WebServer]) -> None:
        folder = _open_folder(self._world.folder / f"nginx-{machine}")
        if real_root():
            for place in (folder, self.logs):
                os.chown(place, _nobody(), -1)
        configuration = folder / "nginx.conf"
        configuration.write_text(nginx_configuration(folder, servers))
        command = ["nginx", "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")]
        self._world.start(machine, f"nginx-{machine}", command, unprivileged=True)

    def _telephones(self) -> None:
        """The exchange inside and the operator outside ring one another: see `demo.telephone`."""
        plan = self._plan
        exchange, operator = plan.address("exchange"), plan.address("operator")
        ports = [str(plan.ports.media_first), str(plan.ports.media_last - 1)]  # the last one is for `streams`
        for machine, own, other in (("exchange", exchange, operator), ("operator", operator, exchange)):
            self._world.start(machine, f"telephone-{machine}", python("demo.telephone", own, other, *ports))

    def _await_answers(self) -> None:
        plan = self._plan
        doors = (
            ("servers", (plan.address("servers"), plan.ports.care)),
            ("dmz", (plan.address("dmz"), plan.ports.website)),
            ("dmz", (plan.address("dmz"), plan.ports.portal)),
            ("ehealth", (plan.address("ehealth"), 443)),
            ("internet", (plan.address("internet"), 80)),
        )
        limit = time.monotonic() + 10
        for machine, door in doors:
            while ask(door, "/", namespace=self._world.path(machine)).status == NO_ANSWER:
                if time.monotonic() > limit or self._world.dead():
                    raise RuntimeError(
                        f"no answer from {machine} {door}: {self._world.said(f'nginx-{machine}')}"
                    )
                time.sleep(0.02)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of the demo's own programs."""
    return [sys.executable, "-B", "-m", module, *arguments]


def nginx_configuration(folder: Path, servers: Sequence[WebServer]) -> str:
    """A whole configuration for one nginx without privileges: one process, all its files in ``folder``."""
    temporary = "\n".join(
        f"  {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # In a user namespace there is one user, who is root there: nginx must not try to become another.
    user = "" if real_root() else "user root root;\n"
    return (
        f"{user}daemon off;\nmaster_process off;\npid {folder}/pid;\nevents {{ worker_connections 1024; }}\n"
        f"http {{\n{temporary}\n  {_LOG_FORMAT}\n  default_type text/html;\n  charset utf-8;\n"
        f"  server_tokens off;\n{''.join(map(_server, servers))}}}\n"
    )


def _server(server: WebServer) -> str:
    lines = [f"listen {server.listen};", f"root {server.root};", f"access_log {server.log} rempart;"]
    if server.trusted_proxy:
        lines += [f"set_real_ip_from {server.trusted_proxy};", "real_ip_header X-Forwarded-For;"]
    if server.accounts:
        lines += ['auth_basic "Rempart demo";', f"auth_basic_user_file {server.accounts};"]
    for port in server.live:
        lines.append(
            f"location /live/{port} {{ proxy_pass http://127.0.0.1:{port}; proxy_buffering off; "
            "proxy_request_buffering off; client_max_body_size 0; access_log off; }"
        )
    return "  server {\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"


def write_accounts(path: Path, accounts: Iterable[Account]) -> None:
    """A password file that nginx reads: salted SHA-1, which is enough for passwords that are nobody's."""
    path.write_text("".join(f"{account.name}:{_salted(account)}\n" for account in accounts))


def _salted(account: Account) -> str:
    salt = hashlib.sha256(account.name.encode()).digest()[:8]
    digest = hashlib.sha1(account.password.encode() + salt).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def write_records(folder: Path, plan: Plan) -> None:
    """One generated care file per patient, under ``patients/<number>/dossier.html``. Nobody's data."""
    dice = Random(plan.seed)
    write_page(folder, plan.name, "Dossiers de soins")
    for number in plan.patients:
        write_page(folder / "patients" / number, f"Dossier {number}", _record(dice), name="dossier.html")


def _record(dice: Random) -> str:
    notes = "".join(
        f"<p>{dice.choice(_COMPLAINTS)} : {dice.choice(_DRUGS)}, {dice.randint(1, 3)} fois par jour.</p>"
        for _ in range(dice.randint(20, 60))
    )
    return f"<p>Né(e) en {dice.randint(1925, 1960)}, chambre {dice.randint(1, 180)}.</p>{notes}"


def write_site(folder: Path, plan: Plan) -> None:
    """The hospital's website: a few pages."""
    write_page(folder, plan.name, f"Accueil. Téléphone : {plan.phone}")
    for page in ("visites", "services", "contact", "actualites"):
        write_page(folder / page, plan.name, page.capitalize())


def write_portal(folder: Path, plan: Plan) -> None:
    """The general practitioners' portal: a few pages behind a sign-in."""
    write_page(folder, f"Portail médecins – {plan.name}", "Bienvenue.")
    for page in ("resultats", "rendez-vous", "courriers"):
        write_page(folder / page, "Portail médecins", page.capitalize())


def write_page(folder: Path, title: str, body: str, *, name: str = "index.html") -> None:
    """One page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"<!doctype html><title>{title}</title><h1>{title}</h1>{body}\n")


def _open_folder(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    path.chmod(0o755)
    return path


def _nobody() -> int:
    return pwd.getpwnam("nobody").pw_uid
