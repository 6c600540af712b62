"""Debian's CrowdSec and its firewall bouncer on the gateway, as they come from their packages, alone in the house.

The packages are unpacked, not installed: Debian's installation registers with CrowdSec's central API. Here it has no
such account and no way out. It gets one parser and one scenario, which needs a single line, and its bouncer asks ten
times a second, where the package asks every ten seconds: nobody may say that it was slowed down.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.conftest import House

PACKAGES = ("crowdsec", "crowdsec-firewall-bouncer")
UNPACKED = Path(tempfile.gettempdir()) / "rempart-crowdsec"
"""Where they are unpacked, once a machine."""

SETTINGS = """\
common: {{daemonize: false, log_media: stdout, log_level: info, working_dir: "{folder}"}}
config_paths:
  config_dir: {folder}/
  data_dir: {folder}/data/
  simulation_path: {folder}/simulation.yaml
  hub_dir: {folder}/hub/
  index_path: {folder}/hub/.index.json
  notification_dir: {folder}/notifications/
  plugin_dir: {folder}/plugins/
crowdsec_service: {{acquisition_path: {folder}/acquis.yaml, parser_routines: 1}}
cscli: {{output: human}}
db_config: {{type: sqlite, db_path: {folder}/data/crowdsec.db, use_wal: true, log_level: info}}
api:
  client: {{credentials_path: {folder}/machine.yaml}}
  server: {{log_level: info, listen_uri: "127.0.0.1:8080", profiles_path: {folder}/profiles.yaml}}
prometheus: {{enabled: false}}
"""
PROFILES = """\
name: ban
filters: ["Alert.Remediation == true"]
decisions: [{type: ban, duration: 1h}]
on_success: break
"""
RAW = """\
name: bench/raw
filter: "true"
onsuccess: next_stage
statics: [{parsed: message, expression: evt.Line.Raw}]
"""
PARSER = """\
name: bench/web
filter: "true"
onsuccess: next_stage
grok:
  pattern: '^%{IPORHOST:client} .*"GET %{NOTSPACE:asked} '
  apply_on: message
statics: [{meta: source_ip, expression: evt.Parsed.client}, {meta: log_type, value: web}]
"""
SCENARIO = """\
type: trigger
name: bench/hole
description: asks for a hole
filter: evt.Parsed.asked startsWith '/hole-'
labels: {remediation: true}
"""
BOUNCER = """\
mode: nftables
update_frequency: 100ms
daemonize: false
log_mode: stdout
log_level: info
api_url: http://127.0.0.1:8080/
api_key: {key}
disable_ipv6: true
deny_action: DROP
supported_decisions_types: [ban]
nftables:
  ipv4: {{enabled: true, set-only: true, table: crowdsec, chain: forward}}
  ipv6: {{enabled: false}}
prometheus: {{enabled: false}}
"""
TABLE = """\
table ip crowdsec {
  set crowdsec-blacklists { type ipv4_addr; flags timeout; }
  chain forward {
    type filter hook forward priority -10;
    ip saddr @crowdsec-blacklists drop
  }
}
"""
"""Its own rule stands at the gateway's own door only; here it is told to stop what is forwarded."""
KINDS = ("parsers", "scenarios", "collections", "postoverflows")
KEY = "only-for-this-bench"


PATIENCE = 20
"""Seconds for it to start."""


def unavailable() -> str:
    """Why it cannot be run here; empty when its programs lie ready, unpacked if need be."""
    if not all(program(name).exists() for name in PACKAGES):
        UNPACKED.mkdir(exist_ok=True)
        done = subprocess.run(
            ["apt-get", "download", "-qq", *PACKAGES],
            cwd=UNPACKED,
            capture_output=True,
            text=True,
            check=False,
        )
        for package in UNPACKED.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, UNPACKED], check=True)
        if not all(program(name).exists() for name in PACKAGES):
            return f"not to be had here: {' '.join(done.stderr.split())[:200]}"
    return ""


def program(name: str) -> Path:
    """One of its programs."""
    return UNPACKED / "usr" / "bin" / name


@contextmanager
def crowdsec(house: House, folder: Path, log: Path) -> Iterator[None]:
    """It and its bouncer, reading that log and stopping what is forwarded, until the block ends."""
    settings = prepared(folder / "crowdsec", log)
    command = [str(program("cscli")), "-c", str(settings)]
    house.at("gw", *command, "machines", "add", "bench", "--password", KEY)
    house.at("gw", *command, "bouncers", "add", "bench", "--key", KEY)
    house.at("gw", "nft", "-f", "-", given=TABLE)
    with (folder / "crowdsec.log").open("w") as said:
        started = [house.start("gw", str(program("crowdsec")), "-c", str(settings), stdout=said, stderr=said)]
        try:
            _await_door(house, started[0])
            bouncer = (
                str(program("crowdsec-firewall-bouncer")),
                "-c",
                str(settings.with_name("bouncer.yaml")),
            )
            started.append(house.start("gw", *bouncer, stdout=said, stderr=said))
            time.sleep(6)  # its door answers seconds before it reads its rules
            yield
        finally:
            house.end(started)
            house.at("gw", "nft", "delete", "table", "ip", "crowdsec")


def prepared(folder: Path, log: Path) -> Path:
    """Its folder, written; the file of its settings. Without an account at its central API."""
    machine = {"url": "http://127.0.0.1:8080", "login": "bench", "password": KEY}
    texts = {
        "config.yaml": SETTINGS.format(folder=folder),
        "profiles.yaml": PROFILES,
        "simulation.yaml": "simulation: false\n",
        "machine.yaml": json.dumps(machine),
        "acquis.yaml": json.dumps({"filenames": [str(log)], "labels": {"type": "web"}}),
        "bouncer.yaml": BOUNCER.format(key=KEY),
        "hub/.index.json": json.dumps({kind: {} for kind in KINDS}),
        "parsers/s00-raw/bench-raw.yaml": RAW,
        "parsers/s01-parse/bench-web.yaml": PARSER,
        "scenarios/bench-hole.yaml": SCENARIO,
    }
    for name in ("data", "plugins", "notifications"):
        (folder / name).mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "patterns").symlink_to(UNPACKED / "etc" / "crowdsec" / "patterns")
    return folder / "config.yaml"


def _await_door(house: House, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + PATIENCE
    while house.answer("gw", "127.0.0.1", 8080) != "yes":
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError("CrowdSec did not start")
        time.sleep(0.1)
