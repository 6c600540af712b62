"""Ordinary people on an ordinary day: staff, a general practitioner, a visitor. Each request and its outcome is noted.

They work through everything that happens: the demo proves with their notes that care went on.
Usage: python -m demo.people SEED NAMESPACE_PREFIX NOTES
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from demo.addresses import Account, Plan, plan
from demo.request import Answer, ask

_notes_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing somebody does again and again, about every ``pause`` seconds."""

    who: str
    what: str
    pause: float
    do: Callable[[], Answer]


def deeds(day: Plan, prefix: Path) -> list[Deed]:
    """What everybody does on that day."""
    dice = random.Random(day.seed)
    uplink = (day.uplink, 80)
    practitioner = day.practitioners[1]

    def inside(machine: str) -> Path:
        return prefix.with_name(prefix.name + machine)

    def opens_care_file(which: int) -> Callable[[], Answer]:
        return lambda: ask(
            (day.address("servers"), day.ports.care),
            f"/patients/{dice.choice(day.patients)}/dossier.html",
            account=day.staff[which],
            source=day.address("ward-staff", which),
            namespace=inside("ward-staff"),
        )

    def asks_platform() -> Answer:
        return ask((day.address("ehealth"), 443), "/consent", namespace=inside("ward-staff"), timeout=1)

    def browses() -> Answer:
        return ask((day.address("internet"), 80), "/", namespace=inside("ward-staff"), timeout=1)

    def signs_in() -> Answer:
        page = dice.choice(("/", "/resultats/", "/rendez-vous/", "/courriers/"))
        wrong = dice.random() < 0.05  # everybody mistypes
        account = Account(practitioner.name, "oups") if wrong else practitioner
        return ask(uplink, page, host=day.portal, account=account, namespace=inside("gp"))

    def visits() -> Answer:
        page = dice.choice(("/", "/visites/", "/services/", "/contact/"))
        return ask(uplink, page, host=day.website, namespace=inside("visitor"))

    return [
        *(Deed(account.name, "care-file", 1.1, opens_care_file(i)) for i, account in enumerate(day.staff)),
        Deed("staff", "ehealth-platform", 1.3, asks_platform),
        Deed("staff", "web-browse", 1.7, browses),
        Deed(practitioner.name, "gp-portal", 1.5, signs_in),
        Deed("visitor", "website", 0.9, visits),
    ]


def live(deed: Deed, notes: IO[str]) -> None:
    """Do it for ever, noting each outcome."""
    dice = random.Random(deed.who + deed.what)
    while True:
        time.sleep(deed.pause * dice.uniform(0.5, 1.5))
        answer = deed.do()
        with _notes_lock:
            notes.write(
                json.dumps(
                    {"who": deed.who, "what": deed.what, "at_ns": answer.sent_ns, "status": answer.status}
                )
            )
            notes.write("\n")
            notes.flush()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a") as book:
        lives = [
            threading.Thread(target=live, args=(deed, book), daemon=True)
            for deed in deeds(plan(int(sys.argv[1])), Path(sys.argv[2]))
        ]
        for one in lives:
            one.start()
        for one in lives:
            one.join()
