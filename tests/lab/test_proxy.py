"""The public's side: haproxy, its pages and its sessions, with the kernel's legs behind it."""

import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from rempart.adapters.enforce.gateway import Gateway
from rempart.config import Places
from rempart.containment.measure import Stand, disagreements
from rempart.errors import EnforcementFailed
from rempart.instants import Instant
from rempart.site.opening import OpeningState

pytestmark = pytest.mark.lab
OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED
WEBSITE, PORTAL = "www.lab.example", "portail.lab.example"
FRONT = "203.0.113.2"


@pytest.fixture
def served(house, gateway: Gateway, places, present, all_open):
    """Two web servers in the dmz, the proxy in front, everything open; the proxy's log as a file."""
    for name, address in (("website", "10.3.0.2"), ("portal", "10.3.0.3")):
        house.start("dmz", sys.executable, str(Path(__file__).with_name("web.py")), name, address, "8080")
    with pytest.raises(EnforcementFailed, match="proxy does not answer"):
        gateway.enforce(all_open, present())  # not running yet: its files are there, the kernel holds
    house.start(
        "gw", "nginx", "-p", f"{places.filter_work}/", "-e", "stderr", "-c", str(places.filter_config)
    )
    places.proxy_log.touch()
    with places.proxy_log.open("a") as log:
        house.start(
            "gw", "haproxy", "-db", "-f", str(places.proxy_config), stdout=log, stderr=subprocess.STDOUT
        )
    until = time.monotonic() + 30
    while not disagreements_or_down(gateway, all_open, present):
        assert time.monotonic() < until, places.proxy_log.read_text()
        time.sleep(0.05)
    while len(list(places.filter_work.glob("*.sock"))) < 2:  # it has read its rules
        time.sleep(0.05)
    until = time.monotonic() + 30
    while ask(house, WEBSITE)[0] != 200 or ask(house, PORTAL)[0] != 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    return house


def disagreements_or_down(gateway, wanted, present) -> bool:
    try:
        return disagreements(wanted, gateway.read(present()), present()) == ()
    except EnforcementFailed:
        return False


def ask(house, host, path="/", address=FRONT, headers=()):
    with house.inside("out"):
        connection = http.client.HTTPConnection(address, 80, timeout=10)
        connection.connect()
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


def test_services_by_name_and_the_callers_address(served) -> None:
    status, _, body = ask(served, WEBSITE, headers=[("X-Forwarded-For", "6.6.6.6")])
    assert (status, body) == (200, "website for ['203.0.113.1']")
    assert ask(served, PORTAL.upper() + ":80")[2].startswith("portal for")
    assert ask(served, "unknown.example")[0] == 421
    assert ask(served, WEBSITE, address="2001:db8:1::2")[0] == 200


def test_the_website_in_maintenance_names_the_telephone(served, gateway, present, contained) -> None:
    gateway.enforce(contained, present())
    status, headers, body = ask(served, WEBSITE)
    assert status == 503
    assert headers["Retry-After"] == "600"
    assert "04 000 00 40" in body
    assert "Lab" in body
    assert "fermé pour le moment" in body
    assert "op dit moment gesloten" in body
    assert '<li class="closed">' in body
    assert "\ue000" not in body
    assert "%[" not in body
    assert disagreements(contained, gateway.read(present()), present()) == ()
    counter = served.at("gw", "nft", "list", "counter", "inet", "rempart", "responder")
    assert "packets 0 " not in counter


def test_the_page_says_since_when_what_works_and_when_there_is_news(
    served, gateway, present, all_open
) -> None:
    now = present()
    closed = replace(all_open, stands={**all_open.stands, "gp-portal": Stand(state=CLOSED)})
    gateway.enforce(replace(closed, closed_since={"gp-portal": Instant(1_793_400_000_000_000)}), now)
    body = ask(served, PORTAL)[2]
    assert "Portail des médecins" in body
    assert "Depuis <b>vendredi\N{NO-BREAK SPACE}30/10," in body
    assert 'class="when none"' in body
    assert '<li class="open"><a href="http://www.lab.example/">Site web</a> – <span class="works">' in body
    news = Instant(1_793_500_000_000_000)
    closed = replace(closed, stands={**closed.stands, "website": Stand(state=CLOSED)}, news_at=news)
    gateway.enforce(closed, now)
    body = ask(served, PORTAL)[2]
    assert 'class="when news"' in body
    assert "01/11," in body
    assert '<li class="closed"><a href="http://www.lab.example/">Site web</a>' in body


@pytest.mark.timed
def test_closed_in_peace_what_is_under_way_ends_and_nothing_begins(
    served, gateway, present, all_open
) -> None:
    for before in (OPEN, FILTERED):
        gateway.enforce(
            replace(all_open, stands={**all_open.stands, "website": Stand(state=before)}), present()
        )
        with served.call("out", FRONT, 80) as slow:
            slow.sendall(f"GET /slow HTTP/1.1\r\nHost: {WEBSITE}\r\nConnection: close\r\n\r\n".encode())
            time.sleep(0.3)
            peace = Stand(state=CLOSED, drains=Instant(present() + 3_000_000))
            wanted = replace(all_open, stands={**all_open.stands, "website": peace})
            gateway.enforce(wanted, present())
            assert disagreements(wanted, gateway.read(present()), present()) == ()
            assert ask(served, WEBSITE)[0] == 503
            assert b" 200 " in said(slow)
        with served.call("out", FRONT, 80) as endless:
            gateway.enforce(all_open, present())
            endless.sendall(f"GET /stream HTTP/1.1\r\nHost: {WEBSITE}\r\n\r\n".encode())
            assert b"tick" in endless.recv(65536) + endless.recv(65536)
            peace = Stand(state=CLOSED, drains=Instant(present() + 500_000))
            gateway.enforce(replace(all_open, stands={**all_open.stands, "website": peace}), present())
            time.sleep(0.6)
            endless.settimeout(0.5)
            with pytest.raises(TimeoutError):  # the kernel has ended it
                drained(endless)


def test_the_portal_closed_alone(served, gateway, present, all_open) -> None:
    gateway.enforce(
        replace(all_open, stands={**all_open.stands, "gp-portal": Stand(state=CLOSED)}), present()
    )
    status, _, body = ask(served, PORTAL)
    assert status == 503
    assert "04 000 00 50" in body
    assert ask(served, WEBSITE)[0] == 200


def test_a_running_session_through_the_proxy_ends(served, gateway, present, contained) -> None:
    with served.call("out", FRONT, 80) as running:
        running.sendall(b"GET /stream HTTP/1.1\r\nHost: www.lab.example\r\n\r\n")
        assert b"200" in running.recv(65536)
        assert b"tick" in running.recv(65536)
        gateway.enforce(contained, present())
        acknowledged = time.monotonic()
        while running.recv(65536):  # it would never end by itself
            assert time.monotonic() < acknowledged + 5


@pytest.mark.timed
def test_the_kernel_alone_cuts_the_leg_and_visitors_still_read_the_page(
    served, gateway, present, all_open
) -> None:
    """A trial that ends while no process of ours is alive: the map still says open."""
    ending = Stand(state=OPEN, until=Instant(present() + 2_000_000), then=CLOSED)
    gateway.enforce(replace(all_open, stands={**all_open.stands, "website": ending}), present())
    assert ask(served, WEBSITE)[0] == 200
    time.sleep(2.1)
    status, headers, body = ask(served, WEBSITE)
    assert status == 503
    assert headers["Retry-After"] == "600"
    assert "04 000 00 40" in body
    assert ask(served, PORTAL)[0] == 200


def test_a_filtered_service_bounds_one_source(served, gateway, present, all_open) -> None:
    gateway.enforce(
        replace(all_open, stands={**all_open.stands, "website": Stand(state=FILTERED)}), present()
    )
    answers = [ask(served, WEBSITE)[0] for _ in range(130)]
    assert answers[0] == 200
    assert answers[-1] == 429
    assert ask(served, WEBSITE)[1]["Retry-After"] == "10"
    assert ask(served, PORTAL)[0] == 200


def test_a_filtered_service_refuses_attacks_and_says_of_what_class(
    served, gateway, places, present, all_open
) -> None:
    attack = "/?note=" + quote("' UNION SELECT password FROM users --")
    letter = "/?note=" + quote(
        "L'union européenne, d'après Mme D'Hondt : TA < 9, voir le site (urgent) (svp)"
    )
    assert ask(served, WEBSITE, path=attack)[0] == 200
    filtered = replace(all_open, stands={**all_open.stands, "website": Stand(state=FILTERED)})
    gateway.enforce(filtered, present())
    status, headers, body = ask(served, WEBSITE, path=attack)
    assert (status, "X-Rempart-Filter" in headers) == (403, False)
    assert "04 000 00 00" in body
    assert ask(served, WEBSITE, path=letter)[:1] == (200,)
    assert ask(served, PORTAL, path=attack)[0] == 200
    status, _, body = ask(served, WEBSITE, headers=[("X-Forwarded-For", "6.6.6.6")])
    assert (status, body) == (200, "website for ['203.0.113.1']")
    lines = logged(places, lambda line: line["status"] == 403)
    assert [line["refusal"] for line in lines if line["status"] == 403] == ["sql"]


def test_nothing_of_a_refused_form_is_written_anywhere(served, gateway, places, present, all_open) -> None:
    gateway.enforce(
        replace(all_open, stands={**all_open.stands, "website": Stand(state=FILTERED)}), present()
    )
    form = b"note=Mme+Dubois+850730-033-28'+OR+'1'='1"
    with served.call("out", FRONT, 80) as client:
        head = (
            f"POST /form HTTP/1.1\r\nHost: {WEBSITE}\r\nContent-Length: {len(form)}\r\nConnection: close\r\n"
        )
        client.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode() + form)
        assert said(client).startswith(b"HTTP/1.1 403")
    written = [file for file in places.run.rglob("*") if file.is_file()]
    assert places.proxy_log in written
    assert not [file for file in written if b"Dubois" in file.read_bytes()]


def test_a_filtered_service_without_its_filter_is_closed(served, gateway, present, all_open) -> None:
    gateway.enforce(
        replace(all_open, stands={**all_open.stands, "website": Stand(state=FILTERED)}), present()
    )
    filter_ = served.running[-2]
    filter_.kill()
    filter_.wait()
    assert ask(served, WEBSITE)[0] == 503
    assert ask(served, PORTAL)[0] == 200


def test_the_proxy_restarts_in_the_wanted_state(served, gateway, places, present, contained) -> None:
    gateway.enforce(contained, present())
    proxy = served.running[-1]
    proxy.kill()
    proxy.wait()
    with pytest.raises(EnforcementFailed):
        gateway.enforce(contained, present())
    assert served.answer("wards", "192.0.2.20", 443) == "refused"  # the kernel holds meanwhile
    served.start("gw", "haproxy", "-db", "-f", str(places.proxy_config), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not disagreements_or_down(gateway, contained, present):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert ask(served, WEBSITE)[0] == 503


def test_a_settled_proxy_starts_again_in_the_wanted_state_with_the_guard_dead(
    served, gateway, places, present, contained
) -> None:
    gateway.enforce(contained, present())
    places.proxy_config.unlink()  # another site.toml's, or gone: what is written is this one's
    gateway.settle()
    proxy = served.running[-1]
    proxy.kill()
    proxy.wait()
    served.start("gw", "haproxy", "-db", "-f", str(places.proxy_config), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not disagreements_or_down(gateway, contained, present):  # this only reads
        assert time.monotonic() < until
        time.sleep(0.05)
    assert ask(served, WEBSITE)[0] == 503


def test_every_log_line_is_one_object_whatever_is_asked(served, places) -> None:
    with served.call("out", FRONT, 80) as running:
        request = (
            b'GET /%22%0a"}{\'\\<script>?q="}\\x HTTP/1.1\r\nHost: www.lab.example\r\n'
            b'User-Agent: \x1b[31mred\xff\xfe "}\r\nReferer: \xe2\x80\xae"\'\\\r\nConnection: close\r\n\r\n'
        )
        running.sendall(request)
        while running.recv(65536):
            pass
    with served.call("out", FRONT, 80) as running:
        running.sendall(b'\x16\x03\x01 not http "}\r\n\r\n')
        while running.recv(65536):
            pass
    long = "/" + "%22\x22" * 900
    ask(served, WEBSITE, path=long.replace('"', "%22"), headers=[("User-Agent", '"' * 4000)])
    lines = logged(places, lambda line: line["path"].startswith("/%22%22"))
    assert {
        "time",
        "src",
        "sport",
        "dst",
        "dport",
        "host",
        "method",
        "path",
        "query",
        "status",
        "bytes_out",
        "bytes_in",
        "user_agent",
        "referer",
        "opening",
        "refusal",
        "backend",
        "termination",
    } == set(lines[0])
    hostile = next(line for line in lines if "script" in line["path"])
    assert hostile["opening"] == "website"
    assert hostile["src"] == "203.0.113.1"
    assert hostile["path"].startswith('/%22%0a"}{')
    assert any(line["status"] == 400 for line in lines)
    assert all(
        not line.strip() or line.startswith("{") or re.match(r"\[(NOTICE|WARNING|ALERT)", line)
        for line in places.proxy_log.read_text().splitlines()
    )


def logged(places: Places, last: Callable[[dict], bool]) -> list[dict]:
    """The lines of the proxy's log, once the last one awaited is among them."""
    until = time.monotonic() + 10
    while True:
        lines = [
            json.loads(line) for line in places.proxy_log.read_text().splitlines() if line.startswith("{")
        ]
        if any(map(last, lines)):
            return lines
        assert time.monotonic() < until, lines
        time.sleep(0.02)


def drained(conversation: socket.socket) -> None:
    """Read until the other end says goodbye. Raises TimeoutError when it is silent instead."""
    while conversation.recv(65536):
        pass


def said(conversation: socket.socket, patience: float = 10.0) -> bytes:
    """What comes within ``patience`` seconds, and then until the other end is silent for a moment, or gone."""
    conversation.settimeout(patience)
    heard = b""
    try:
        while piece := conversation.recv(65536):
            heard += piece
            conversation.settimeout(0.3)
    except (TimeoutError, ConnectionResetError):
        pass
    return heard


def test_a_session_kept_alive_over_the_cut_reads_the_maintenance_page(
    served,
    gateway: Gateway,
    present,
    contained,
) -> None:
    with served.call("out", FRONT, 80) as kept:
        kept.sendall(f"GET / HTTP/1.1\r\nHost: {WEBSITE}\r\n\r\n".encode())
        assert b" 200 " in said(kept)
        gateway.enforce(contained, present())
        kept.sendall(f"GET / HTTP/1.1\r\nHost: {WEBSITE}\r\n\r\n".encode())
        answer = said(kept)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"04 000 00 40" in answer


def test_a_request_half_sent_when_the_cut_comes_reaches_nobody(
    served,
    gateway: Gateway,
    present,
    contained,
) -> None:
    with served.call("out", FRONT, 80) as slow:
        head = f"POST /form HTTP/1.1\r\nHost: {WEBSITE}\r\nContent-Length: 100000\r\n\r\n"
        slow.sendall(head.encode() + b"x" * 1000)
        time.sleep(0.3)
        gateway.enforce(contained, present())
        try:
            for _ in range(10):
                slow.sendall(b"x" * 5000)
                time.sleep(0.02)
        except OSError:  # ended at once: that is an answer too
            return
        answer = said(slow, patience=0.7)
        assert not answer.startswith(b"HTTP/1.1 2")


@pytest.mark.parametrize(
    ("request_", "before", "during"),
    [
        (b"GET / HTTP/1.0\r\nHost: www.lab.example\r\n\r\n", (200,), (503,)),
        (b"GET / HTTP/1.0\r\n\r\n", (400, 421), (400, 421)),
        (b"GET / HTTP/1.1\r\nHost: WWW.LAB.EXAMPLE.\r\n\r\n", (200, 421), (421, 503)),
        (
            b"GET / HTTP/1.1\r\nHost: www.lab.example\r\nHost: portail.lab.example\r\n\r\n",
            (400, 421),
            (400, 421),
        ),
        (b"GET http://www.lab.example/ HTTP/1.1\r\nHost: www.lab.example\r\n\r\n", (200,), (503,)),
        (
            b"GET http://www.lab.example/ HTTP/1.1\r\nHost: portail.lab.example\r\n\r\n",
            (200, 400, 421),
            (400, 421, 503),
        ),
        (b"GET / HTTP/1.1\r\nHost: 10.3.0.2:8080\r\n\r\n", (421,), (421,)),
        (b"GET / HTTP/1.1\r\nHost: www.lab.example\x00.evil\r\n\r\n", (200, 400, 421), (400, 421, 503)),
        (
            b"CONNECT 10.2.0.5:443 HTTP/1.1\r\nHost: 10.2.0.5:443\r\n\r\n",
            (400, 405, 421),
            (400, 405, 421, 503),
        ),
    ],
)
def test_odd_clients_get_what_others_get(
    served,
    gateway: Gateway,
    present,
    contained,
    request_: bytes,
    before,
    during,
) -> None:
    for allowed in (before, during):
        with served.call("out", FRONT, 80) as client:
            client.sendall(request_)
            answer = said(client)
        assert not answer or int(answer.split()[1]) in allowed, answer[:80]
        gateway.enforce(contained, present())
