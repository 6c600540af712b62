"""Writes the ``site.toml`` of this hospital, as a technician would: the inside, the ways outside, whom to call."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.addresses import INSIDE_SWITCHES, Plan
from demo.programs import Programs
from demo.telephone import SIGNALLING

_REACHES = {
    "wards": ("servers", "technique"),
    "servers": ("wards", "technique", "dmz"),
    "technique": ("wards", "servers"),
    "mgmt": ("wards", "servers", "technique", "dmz"),
}
_NAMES = {
    "wards": "Étages de soins",
    "servers": "Serveurs",
    "technique": "Technique",
    "dmz": "Serveurs publiés",
    "guests": "Visiteurs",
    "mgmt": "Gestion",
}


def site_toml(plan: Plan, programs: Programs) -> str:
    """The whole file."""
    return "\n".join(
        (
            f"# {plan.name}: written for seed {plan.seed} of the demo.",
            *_table(
                "",
                {
                    "id": plan.domain.split(".")[0],
                    "name": plan.name,
                    "template": "hospital-group",
                    "languages": ["fr", "nl", "de", "en"],
                    "phone": plan.phone,
                    "records_kept": len(plan.patients),
                    "quiet_hours": 0,  # a hospital waits half a day after the last beacon; this night is a minute long
                    "known_devices": [host.mac for host in plan.hosts if host.switch in INSIDE_SWITCHES],
                },
            ),
            *_table(
                "[hours]",
                {
                    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                    "from": "00:00",
                    "until": "24:00",
                },
            ),
            *_table("[trial]", {"shortest": "0s", "longest": "72h"}),  # weeks become seconds here
            *_table("[uplink]", {"interface": "wan", "addresses": [plan.uplink]}),
            *(line for switch in INSIDE_SWITCHES for line in _table("[[zones]]", _zone(plan, switch))),
            *(line for opening in openings(plan) for line in _table("[[openings]]", opening)),
            *(line for asset in _assets(plan) for line in _table("[[assets]]", asset)),
            *_table(
                "[[contacts]]", {"role": "garde technique", "name": "Équipe de garde", "phone": plan.phone}
            ),
            *_table(
                "[[outside_wall]]",
                {"name": "téléphones 4G des étages", "action": "restent en service, rien à faire"},
            ),
            *(line for ward in WARDS for line in _table("[[wards]]", {"id": ward, "name": ward.title()})),
            *(line for probe in _probes(plan) for line in _table("[[probes]]", probe)),
            *_table(
                "[[safeguards]]",
                {
                    "id": "technician",
                    "interface": "mgmt",
                    "networks": [str(plan.networks["mgmt"])],
                    "services": ["tcp/22"],
                },
            ),
            *(
                line
                for log in (programs.care_log, programs.website_log, programs.portal_log)
                for line in _table("[[logs]]", {"path": str(log), "decoder": "nginx"})
            ),
            *_table("[resolver]", {"opening": "name-resolution"}),
            *_table("[care_files]", {"server": "care-files", "person": "^/patients/([0-9]+)/"}),
            "",
        )
    )


WARDS = ("maternite", "geriatrie")
"""Who says, once a shift, that care goes on."""


def _probes(plan: Plan) -> Iterator[Mapping[str, Any]]:
    yield {
        "id": "care-files",
        "name": "Dossiers de soins",
        "kind": "tcp",
        "address": plan.address("servers"),
        "port": plan.ports.care,
        "every": 5,
    }
    yield {
        "id": "through-the-cut",
        "name": "À travers la coupure",
        "kind": "tcp",
        "address": plan.address("internet"),
        "port": 80,
        "opening": "web-browse",
        "every": 5,
    }


def openings(plan: Plan) -> Iterator[Mapping[str, Any]]:
    """The hospital's openings, in the order in which care needs them."""
    yield from _lifelines_of_the_wards(plan)
    yield from _hosted_care(plan)
    yield from _daily_work(plan)
    yield from _can_wait(plan)


def _lifelines_of_the_wards(plan: Plan) -> Iterator[Mapping[str, Any]]:
    yield {
        "id": "telephone",
        "name": "Téléphone",
        "direction": "both",
        "zones": ["technique"],
        "hosts": [plan.address("operator")],
        "services": [f"udp/{SIGNALLING}", f"udp/{plan.ports.media_first}-{plan.ports.media_last}"],
        "care": 1,
        "lifeline": True,
        "fallback": {"text": "téléphones mobiles des étages, liste imprimée"},
    }
    yield {
        "id": "nurse-call",
        "name": "Appel infirmier",
        "direction": "out",
        "zones": ["technique"],
        "hosts": [plan.address("suppliers", 1)],
        "services": ["tcp/8883", "udp/5684"],
        "care": 1,
        "lifeline": True,
        "fallback": {"text": "sonnettes d'étage, une ronde par heure"},
    }
    yield {
        "id": "pharmacy",
        "name": "Pharmacie",
        "direction": "out",
        "zones": ["wards", "servers"],
        "hosts": [plan.address("suppliers", 0)],
        "services": ["tcp/443", "udp/443"],
        "care": 1,
        "lifeline": True,
        "fallback": {"text": "ordonnances papier, commande par téléphone", "depends_on": ["telephone"]},
    }


def _hosted_care(plan: Plan) -> Iterator[Mapping[str, Any]]:
    yield {
        "id": "ehealth-platform",
        "name": "Plate-forme eHealth",
        "direction": "out",
        "zones": ["wards", "servers"],
        "hosts": [plan.address("ehealth", 0), plan.address("ehealth", 1)],
        "services": ["tcp/443", "udp/443"],
        "care": 1,
        "fallback": {"text": "formulaires papier, puis saisie"},
    }
    yield {
        "id": "name-resolution",
        "name": "Noms de domaine",
        "direction": "out",
        "zones": ["servers"],
        "hosts": [plan.name_server],
        "services": ["udp/53", "tcp/53"],
        "care": 0,
        "lifeline": True,  # what is found by name must be found while the site is cut
        "fallback": {"text": "adresses fixes des services de soins"},
    }
    yield {
        "id": "prescriptions",
        "name": "Ordonnances hébergées",
        "direction": "out",
        "zones": ["wards"],
        "hosts": [plan.prescriptions],
        "services": ["tcp/443"],
        "care": 1,
        "lifeline": True,
        "fallback": {"text": "ordonnances papier"},
    }


def _daily_work(plan: Plan) -> Iterator[Mapping[str, Any]]:
    yield {
        "id": "gp-portal",
        "name": "Portail des médecins",
        "direction": "in",
        "zones": ["dmz"],
        "hosts": ["*"],
        "services": ["tcp/80"],
        "care": 2,
        "fallback": _reception(plan),
        "publication": _publication(plan, plan.portal, plan.ports.portal),
    }
    yield {
        "id": "mail",
        "name": "Courrier électronique",
        "direction": "both",
        "zones": ["servers"],
        "hosts": [plan.address("internet", 1)],
        "services": ["tcp/25"],
        "care": 3,
        "fallback": {"text": "téléphone et fax", "depends_on": ["telephone"]},
    }
    yield {
        "id": "offsite-backup",
        "name": "Sauvegarde externe",
        "direction": "out",
        "zones": ["servers"],
        "hosts": [plan.address("suppliers", 2)],
        "services": ["tcp/22", "udp/51821"],
        "care": 4,
        "fallback": {"text": "sauvegarde locale sur disque"},
    }


def _can_wait(plan: Plan) -> Iterator[Mapping[str, Any]]:
    yield {
        "id": "website",
        "name": "Site web",
        "direction": "in",
        "zones": ["dmz"],
        "hosts": ["*"],
        "services": ["tcp/80"],
        "care": 5,
        "fallback": _reception(plan),
        "publication": _publication(plan, plan.website, plan.ports.website),
    }
    yield {
        "id": "web-browse",
        "name": "Navigation web",
        "direction": "out",
        "zones": ["wards", "servers"],
        "hosts": ["*"],
        "services": ["tcp/80", "tcp/443", "udp/443"],
        "care": 6,
        "fallback": {"text": "téléphone"},
    }
    yield {
        "id": "vendor-maintenance",
        "name": "Télémaintenance du fournisseur",
        "direction": "in",
        "zones": ["technique"],
        "hosts": [plan.address("suppliers", 3)],
        "services": ["udp/51820"],
        "care": 6,
        "normally": "closed",
        "fallback": {"text": "intervention sur place"},
    }


def _reception(plan: Plan) -> Mapping[str, Any]:
    return {"text": "accueil par téléphone", "phone": plan.fallback_phone}


def _publication(plan: Plan, host: str, port: int) -> Mapping[str, Any]:
    return {"host": host, "zone": "dmz", "address": plan.address("dmz"), "port": port}


def _zone(plan: Plan, switch: str) -> Mapping[str, Any]:
    return {
        "id": switch,
        "name": _NAMES[switch],
        "interface": switch,
        "networks": [str(plan.networks[switch])],
        "reaches": list(_REACHES.get(switch, ())),
    }


def _assets(plan: Plan) -> Iterator[Mapping[str, Any]]:
    for identifier, name, machine, which, kind in (
        ("ward-pc-1", "PC de l'étage 1", "ward-pc", (0,), "workstation"),
        ("ward-pc-2", "PC des étages 2 à 4", "ward-staff", (0, 1, 2), "workstation"),
        ("care-files", "Dossiers de soins", "servers", (0,), "server"),
        ("mail-server", "Serveur de courrier", "servers", (1,), "server"),
        ("exchange", "Central téléphonique", "exchange", (0,), "telephone"),
        ("nurse-call", "Appel infirmier", "exchange", (1,), "nurse-call"),
        ("web-server", "Serveur web", "dmz", (0,), "server"),
    ):
        host = plan.host(machine)
        yield {
            "id": identifier,
            "name": name,
            "zone": host.switch,
            "addresses": [host.addresses[number] for number in which],
            "kind": kind,
            "mac": host.mac,
        }


def _table(header: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    if header:
        yield header
    yield from (f"{key} = {_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    """A value as TOML. JSON's strings, numbers, booleans and lists are TOML's too; tables are written in line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def policy_toml() -> str:
    """What this hospital lets Rempart do by itself: block whoever got in; all else waits for a person.

    With the policy that ships, who probes or guesses is blocked at once, and there would be no attack to show.
    """
    text = (Path(__file__).parent.parent / "src/rempart/containment/policy.toml").read_text()
    for kind in ("guessing", "probe"):
        start = text.index(f'kind = "{kind}"')
        at = text.index('how = "automatic"', start)
        text = text[:at] + text[at:].replace("automatic", "approval", 1)
    return text
