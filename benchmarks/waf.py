"""Web filter: attack probes that it blocks, and care texts in French, Dutch and German that it refuses.

Both sets lie in tests/waf and were written for this project. The filter is the real one (nginx, ModSecurity, the Core
Rule Set with Rempart's changes), with a server behind it that takes everything; each request is a connection of its
own. A text counts as refused when any of the ways in which it is sent is. Run: scripts/bench waf [--json] [--list].
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from tests.lab.conftest import SITE
from tests.waf import corpus

from rempart.adapters.enforce.haproxy import Proxy
from rempart.config import Places
from rempart.console.public import PublicFace
from rempart.containment.measure import Enforcement
from rempart.site.description import parse
from rempart.site.opening import Opening
from rempart.site.site import Site

HOST = "www.lab.example"
AT_ONCE = 4
Outcome = tuple[corpus.Sent, int]


class _Server(BaseHTTPRequestHandler):
    """A server inside that takes whatever reaches it."""

    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Servers(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@dataclass(frozen=True, slots=True)
class Filter:
    """The running filter, by the socket of one opening."""

    socket: str

    def status(self, request: bytes) -> int:
        """What it answers; 0 when it ends the connection without a word."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(20)
            channel.connect(self.socket)
            channel.sendall(request)
            answer = b""
            while piece := channel.recv(65536):
                answer += piece
        return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


@contextmanager
def running() -> Iterator[Filter]:
    """The filter in front of a server, for as long as it is needed."""
    server = _Servers(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="rempart-waf-") as folder:
        top = Path(folder)
        places = Places(site=top / "site.toml", state=top / "state", run=top / "run", rules=())
        site = _site(server.server_address[1])
        opening = site.opening("website")
        Proxy(site, places, PublicFace(site)).prepare(Enforcement(stands={}))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        command = [nginx, "-p", f"{places.filter_work}/", "-e", "stderr", "-c", str(places.filter_config)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield _ready(process, places.filter_socket(opening.mark))
            finally:
                process.terminate()
                server.shutdown()
                server.server_close()


def _site(port: int) -> Site:
    """The lab's house, its website served on this machine."""
    site = parse(SITE, "benchmark")

    def moved(opening: Opening) -> Opening:
        publication = opening.publication
        return replace(
            opening, publication=publication and replace(publication, address="127.0.0.1", port=port)
        )

    return replace(site, openings=tuple(map(moved, site.openings)))


def _ready(process: "subprocess.Popen[str]", path: Path) -> Filter:
    until = time.monotonic() + 30
    while not path.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the filter does not start: {process.stderr and process.stderr.read()}")
        time.sleep(0.05)
    return Filter(str(path))


def probe(running_filter: Filter) -> list[Outcome]:
    """Every attack probe and what was answered."""
    sent = list(corpus.probes(HOST))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(zip(sent, pool.map(lambda one: running_filter.status(one.request), sent), strict=True))


def type_(running_filter: Filter) -> list[tuple[str, str, bool]]:
    """Every care text: its language, the text, and whether any way of sending it was refused."""
    told = list(corpus.texts())

    def refused(text: str) -> bool:
        return any(running_filter.status(request) != 200 for request in corpus.typed(text, HOST))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = pool.map(lambda each: refused(each[1]), told)
        return [(language, text, verdict) for (language, text), verdict in zip(told, verdicts, strict=True)]


def _added_ms(running_filter: Filter) -> float:
    """Milliseconds of one form through the filter, one after the other."""
    times = []
    for _, text in list(corpus.texts())[:200]:
        request = corpus.carried(text, "form", HOST)
        begun = time.perf_counter()
        running_filter.status(request)
        times.append((time.perf_counter() - begun) * 1000)
    return round(median(times), 2)


def measure() -> dict[str, object]:
    """The figures, with what was missed and what was refused by mistake under ``missed`` and ``refused``."""
    with running() as running_filter:
        probes, texts = probe(running_filter), type_(running_filter)
        request_ms = _added_ms(running_filter)
    missed = [(sent.kind, sent.carrier, sent.what) for sent, status in probes if status == 200]
    refused = [(language, text) for language, text, verdict in texts if verdict]
    return {
        "waf_attacks_blocked_pct": round(100 * (1 - len(missed) / len(probes)), 2),
        "waf_texts_refused_pct": round(100 * len(refused) / len(texts), 2),
        "waf_attacks": len(probes),
        "waf_texts": len(texts),
        "waf_texts_by_language": dict(Counter(language for language, _, _ in texts)),
        "waf_request_ms_p50": request_ms,
        "missed": missed,
        "refused": refused,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--list", action="store_true", help="what was missed and what was refused")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.json:
        print(json.dumps({name: figures[name] for name in figures if name not in {"missed", "refused"}}))
        return
    for name, value in figures.items():
        if name not in {"missed", "refused"}:
            print(f"{name:26} {value}")
    if arguments.list:
        for what in ("missed", "refused"):
            for line in figures[what]:  # type: ignore[attr-defined]  # both are lists
                print(what, *line, file=sys.stderr)


if __name__ == "__main__":
    main()
