"""A power cut: the table is gone, the journal is there, and no process of ours runs."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from rempart.__main__ import main
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.nftables import Kernel
from rempart.adapters.journal import verify_file
from rempart.config import Places
from rempart.containment.boot import shut
from rempart.containment.measure import disagreements
from rempart.engine import facts
from rempart.engine.facts import AnyFact, body_of, kind_of
from rempart.engine.fold.fold import folded
from rempart.engine.state import enforcement, initial
from rempart.errors import ExitCode
from rempart.instants import Instant
from rempart.site.opening import OpeningState
from rempart.station.boot import has_clock, load

pytestmark = pytest.mark.lab

BOOT = """
import sys
from pathlib import Path
from rempart.adapters.clock import SystemClock
from rempart.config import Places
from rempart.instants import Instant
from rempart.station.boot import load
folder = Path(sys.argv[1])
places = Places(site=folder / "site.toml", state=folder / "state", run=folder / "run", rules=())
now = Instant(SystemClock().now() + int(sys.argv[2]))
sys.exit(load(places, now, trusted=sys.argv[3] == "trusted"))
"""


@pytest.fixture
def box(places: Places, site_text: str) -> Path:
    """The disk of a box: site.toml, and room for the journal."""
    places.site.write_text(site_text)
    places.journal.parent.mkdir(parents=True)
    return places.site.parent


def boot(house, box: Path, now: Instant, time_is: str = "trusted") -> int:
    """The boot step in the gateway's namespace, with nothing loaded; its exit code.

    It is told how far its clock is off: starting takes seconds on a busy machine, and deadlines are counted from then.
    """
    ahead = now - SystemClock().now()
    subprocess.run(
        ["ip", "netns", "exec", house.space("gw"), "nft", "delete", "table", "inet", "rempart"],
        capture_output=True,
        check=False,
    )
    done = subprocess.run(
        ["ip", "netns", "exec", house.space("gw"), sys.executable, "-c", BOOT, str(box), str(ahead), time_is],
        check=False,
    )
    return done.returncode


def seal(places: Places, decided: list[AnyFact], at: Instant) -> None:
    """What the guard left behind; it was killed, so nothing was closed in order."""
    script = (
        "import os, sys, msgspec\nfrom pathlib import Path\nfrom rempart.adapters.journal import Journal\n"
        "from rempart.instants import Instant\nat = Instant(int(sys.argv[3]))\n"
        "journal = Journal.open(Path(sys.argv[1]), Path(sys.argv[2]), origin='rempart/lab', now=at)\n"
        "journal.seal_all([tuple(each) for each in msgspec.json.decode(sys.stdin.buffer.read())], at=at)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    told = msgspec.json.encode([(kind_of(fact), body_of(fact)) for fact in decided])
    words = [sys.executable, "-c", script, str(places.journal), str(places.keys), str(at)]
    assert subprocess.run(words, input=told, check=False).returncode == -9


def weeks_of_cut(at: Instant) -> list[AnyFact]:
    """Contained a while ago, one opening confirmed, one on trial, measures with and without an end."""
    hour = 3_600_000_000
    by = {"by": "Alex", "reason": ""}
    return [
        facts.Contained(at=at, incidents=[], **by),
        facts.TrialStarted(
            at=at,
            opening="e-health",
            state=OpeningState.OPEN,
            until=Instant(at + hour),
            then=OpeningState.CLOSED,
            **by,
        ),
        facts.TrialConfirmed(at=at, opening="e-health", by="Alex"),
        facts.TrialStarted(
            at=at,
            opening="browsing",
            state=OpeningState.OPEN,
            until=Instant(at + hour),
            then=OpeningState.CLOSED,
            **by,
        ),
        facts.Blocked(at=at, target="192.0.2.66", until=Instant(at + 2 * hour), **by),
        facts.Blocked(at=at, target="192.0.2.67", until=None, **by),
        facts.Isolated(at=at, asset="pc-8", until=None, **by),
        facts.Barred(at=at, passage="wards>servers", until=None, **by),
    ]


def test_after_a_power_cut_the_kernel_holds_what_was_decided_before_any_process_runs(
    house, box: Path, places: Places, site, kernel: Kernel, present
) -> None:
    decided = weeks_of_cut(Instant(present() - 60_000_000))
    seal(places, decided, Instant(present() - 60_000_000))
    before = sorted(path.name for path in places.journal.parent.iterdir())
    assert boot(house, box, present()) == 0
    wanted = enforcement(folded(initial(site), site, decided))
    assert disagreements(wanted, kernel.read(present()), present()) == ()
    assert sorted(path.name for path in places.journal.parent.iterdir()) == before
    with ExitStack() as stack:
        for address in ("192.0.2.20", "192.0.2.30", "192.0.2.66", "192.0.2.67"):
            stack.enter_context(house.listen("out", address, 443))
        stack.enter_context(house.listen("servers", "10.2.0.5", 3389))
        assert house.answer("wards", "192.0.2.20", 443) == "yes"  # confirmed
        assert house.answer("wards", "192.0.2.30", 443) == "yes"  # on trial, for an hour less a minute
        assert house.answer("wards", "192.0.2.66", 443) == "refused"
        assert house.answer("wards", "192.0.2.30", 443, "10.1.0.8") == "refused"
        assert house.answer("wards", "10.2.0.5", 3389) == "refused"
        assert house.answer("out", "10.2.0.5", 3389, "198.51.100.5") == "silence"


def test_a_second_box_made_from_the_backup_of_a_dead_one_boots_into_what_was_decided(
    house, box: Path, places: Places, site, kernel: Kernel, present, tmp_path: Path
) -> None:
    decided = weeks_of_cut(Instant(present() - 60_000_000))
    seal(places, decided, Instant(present() - 60_000_000))
    file, second = tmp_path / "dead.backup", tmp_path / "second"
    second.mkdir()
    mine = ["--site", str(places.site), "--state", str(places.state)]
    its = ["--site", str(second / "site.toml"), "--state", str(second / "state")]
    assert main(["backup", "--keys", "--out", str(file), *mine]) == ExitCode.OK
    assert main(["restore", str(file), "--by", "Bert", *its]) == ExitCode.OK
    assert boot(house, second, present()) == 0
    wanted = enforcement(folded(initial(site), site, decided))
    assert disagreements(wanted, kernel.read(present()), present()) == ()
    found, dead = verify_file(second / "state/guard/journal.db"), verify_file(places.journal)
    assert found.ok
    assert (found.keys[:1], len(found.keys)) == (dead.keys, 2)


def test_what_ended_while_the_power_was_off_has_ended(
    house, box: Path, places: Places, kernel: Kernel, present
) -> None:
    long_ago = Instant(present() - 3 * 3_600_000_000)
    seal(places, weeks_of_cut(long_ago), long_ago)
    assert boot(house, box, present()) == 0
    held = kernel.read(present())
    assert held.contained
    assert held.stands["browsing"].state is OpeningState.CLOSED
    assert held.stands["e-health"].state is OpeningState.OPEN
    assert held.blocked == {"192.0.2.67": None}


@pytest.mark.parametrize(("shift", "time_is"), [(0, "unknown"), (-3_600_000_000, "trusted")])
def test_without_a_trusted_time_trials_are_over_and_containment_stands(
    house, box: Path, places: Places, kernel: Kernel, present, shift: int, time_is: str
) -> None:
    """No clock of its own, or one that went back."""
    at = Instant(present() - 60_000_000)
    seal(places, weeks_of_cut(at), at)
    assert boot(house, box, Instant(present() + shift), time_is) == 0
    held = kernel.read(present())
    assert held.contained
    assert held.stands["browsing"].state is OpeningState.CLOSED
    assert held.stands["browsing"].until is None
    assert held.blocked == {"192.0.2.66": None, "192.0.2.67": None}


def test_a_broken_journal_leaves_the_cut(
    house, box: Path, places: Places, site, kernel: Kernel, present
) -> None:
    seal(places, weeks_of_cut(present()), present())
    for beside in places.journal.parent.glob("journal.db-*"):
        beside.unlink()
    places.journal.write_bytes(places.journal.read_bytes()[:100] + b"\x00" * 50_000)
    assert boot(house, box, present()) == 1
    assert disagreements(shut(site), kernel.read(present()), present()) == ()


def test_a_decision_that_cannot_be_loaded_leaves_the_cut(
    house, box: Path, places: Places, site, kernel: Kernel, present
) -> None:
    """As a journal may hold it that another version wrote."""
    odd = facts.Blocked(at=present(), target="fe80::1%eth0", until=None, by="Anne", reason="x")
    seal(places, [odd], present())
    assert boot(house, box, present()) == 1
    assert disagreements(shut(site), kernel.read(present()), present()) == ()


def test_a_broken_site_lets_nothing_cross_the_gateway(house, box: Path, places: Places, present) -> None:
    places.site.write_text("this is no site")
    assert boot(house, box, present()) == 2
    with house.listen("servers", "10.2.0.5", 3389), house.listen("gw", "10.9.0.1", 2222):
        assert house.answer("wards", "10.2.0.5", 3389) == "silence"
        assert house.answer("mgmt", "10.9.0.1", 2222) == "yes"
    house.at("gw", "nft", "delete", "table", "inet", "rempart")


def test_before_anything_was_decided_every_opening_is_as_it_normally_is(
    house, box: Path, site, kernel: Kernel, present
) -> None:
    assert boot(house, box, present()) == 0
    assert disagreements(enforcement(initial(site)), kernel.read(present()), present()) == ()


def test_it_is_quick(house, box: Path, places: Places, present) -> None:
    seal(places, weeks_of_cut(present()), present())
    began = time.monotonic()
    boot(house, box, present())
    assert time.monotonic() - began < 20  # of a busy machine; the network waits for it


def test_a_clock_is_trusted_when_the_kernel_set_the_time_from_it(tmp_path: Path) -> None:
    assert not has_clock(tmp_path)
    (tmp_path / "rtc0").mkdir()
    (tmp_path / "rtc0" / "hctosys").write_text("0\n")
    assert not has_clock(tmp_path)
    (tmp_path / "rtc0" / "hctosys").write_text("1\n")
    assert has_clock(tmp_path)


def test_an_observer_loads_nothing(house, box: Path, places: Places, site_text: str, present) -> None:
    places.site.write_text('placement = "observer"\n' + site_text)
    seal(places, weeks_of_cut(Instant(present() - 60_000_000)), Instant(present() - 60_000_000))
    assert boot(house, box, present()) == 0
    with pytest.raises(RuntimeError, match="No such file"):
        house.at("gw", "nft", "list", "table", "inet", "rempart")


def test_deadlines_are_counted_from_when_the_journal_was_read(
    house, box: Path, places: Places, site, present, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a journal that takes a minute to read, trials would otherwise end a minute late."""
    at = present()
    seal(places, weeks_of_cut(at), at)
    monkeypatch.setattr("rempart.station.boot.monotonic", iter([0.0, 60.0]).__next__)
    with house.inside("gw"):
        assert load(places, at, trusted=True) is ExitCode.OK
        held = Kernel(site).read(present())
    until = held.stands["browsing"].until
    assert until is not None
    assert abs(until - (present() + 3_540_000_000)) < 30_000_000
