"""The guard with a real journal: sealing, being late, refusing, and what each peer may say."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.home import GUESSING, RECORDS, SITE, shipped_policy
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.socket import encode
from rempart.config import Places
from rempart.containment.measure import disagreements
from rempart.detection.finding import Level
from rempart.engine import listening, orders
from rempart.engine.changed import changed
from rempart.engine.facts import (
    AlertRaised,
    Blocked,
    EnforcementFaulted,
    SealedLate,
    StationStarted,
    body_of,
    kind_of,
)
from rempart.engine.inputs import Found, Listened, Ordered, Started, Ticked
from rempart.engine.state import Posture, enforcement
from rempart.engine.step import Terms
from rempart.engine.tell import RETURNED
from rempart.errors import EnforcementFailed, InputRefused, JournalUnwritable, RempartError
from rempart.instants import Duration, Instant, after, hours
from rempart.messages import (
    MAX_FRAME,
)
from rempart.site.opening import OpeningState
from rempart.site.placement import Placement
from rempart.station.guard import Guard, _take_up, require_held
from rempart.station.recall import facts_of, recall
from rempart.station.scribe import PATIENCE

CUT = orders.Contain(by="Night nurse")


class Disk:
    """A real journal whose writes can be made to wait or to fail, as a stalled or full disk does."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal.open(
            folder / "journal.db", folder / "keys", origin="rempart/test", now=SystemClock().now()
        )
        self.free = threading.Event()
        self.free.set()
        self.full = False
        self._seal_all = self.journal.seal_all
        self.journal.seal_all = self._slow  # type: ignore[method-assign]  # the disk, not the journal, is at fault

    def _slow(self, *arguments: object, **named: object) -> object:
        self.free.wait(60)
        if self.full:
            raise JournalUnwritable("no space left on device")
        return self._seal_all(*arguments, **named)  # type: ignore[arg-type]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """A disk with a journal on it."""
    monkeypatch.setattr("rempart.station.scribe._AGAIN", 0.1)  # a disk of tests recovers sooner
    disk = Disk(tmp_path)
    yield disk
    disk.free.set()
    disk.journal.close()


def live(disk: Disk, talk: Callable[[Guard, MemoryEnforcer], Awaitable[None]]) -> None:
    """Run a guard on that disk for the length of a talk."""

    async def life() -> None:
        enforcer = MemoryEnforcer()
        guard = Guard(Terms(SITE, shipped_policy()), disk.journal, enforcer, SystemClock())
        worker = asyncio.create_task(guard.run())
        await guard.ask(Started(guard.clock.now()))
        await talk(guard, enforcer)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        guard.close()

    asyncio.run(life())


def now(guard: Guard) -> Instant:
    return guard.clock.now()


async def until(happened: Callable[[], bool]) -> None:
    """Wait at most a minute for something to have happened."""
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110  what is waited for is in a database or an enforcer, not in an event
            await asyncio.sleep(0.01)


def sealed_late(disk: Disk) -> bool:
    return any(isinstance(fact, SealedLate) for fact in facts_of(disk.journal))


def holds(guard: Guard, enforcer: MemoryEnforcer) -> bool:
    """Whether the world is as the state wants it."""
    moment = now(guard)
    return disagreements(enforcement(guard.state), enforcer.read(moment), moment) == ()


def test_a_cut_is_sealed_and_enforced(disk: Disk, unhurried: None) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        handled = await guard.ask(Ordered(now(guard), CUT), urgent=True)
        assert handled.sealed == disk.journal.head[0]
        assert enforcer.read(now(guard)).contained
        assert holds(guard, enforcer)
        again = await guard.ask(Ordered(now(guard), CUT), urgent=True)
        assert again.sealed is None
        assert again.enforced is None

    live(disk, talk)


def test_a_stalled_disk_does_not_hold_back_a_cut_and_it_is_sealed_as_late(disk: Disk) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        disk.free.clear()
        began = asyncio.get_running_loop().time()
        handled = await guard.ask(Ordered(now(guard), CUT), urgent=True)
        took = asyncio.get_running_loop().time() - began
        assert handled.sealed is None
        assert enforcer.read(now(guard)).contained
        assert took < PATIENCE + 0.5
        disk.free.set()
        await until(lambda: sealed_late(disk))

    live(disk, talk)
    kinds = [kind_of(fact) for fact in facts_of(disk.journal)]
    assert kinds[-4:] == ["Contained", "AlertRaised", "SealedLate", "AlertRaised"]


def test_a_full_disk_does_not_hold_back_a_cut_and_it_is_sealed_when_there_is_room(disk: Disk) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        disk.full = True
        handled = await guard.ask(Ordered(now(guard), CUT), urgent=True)
        assert handled.sealed is None
        assert enforcer.read(now(guard)).contained
        disk.full = False
        await until(lambda: sealed_late(disk))

    live(disk, talk)
    late = [recorded.kind for recorded in disk.journal.entries() if recorded.late]
    assert late == ["Contained", "AlertRaised"]


def test_a_loosening_that_cannot_be_sealed_is_not_done(disk: Disk) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        await guard.ask(Ordered(now(guard), orders.Block(by="Alex", target="198.51.100.9")))
        disk.full = True
        with pytest.raises(JournalUnwritable):
            await guard.ask(Ordered(now(guard), orders.Unblock(by="Alex", target="198.51.100.9")))
        assert "198.51.100.9" in enforcer.read(now(guard)).blocked
        assert "198.51.100.9" in guard.state.blocked
        disk.full = False

    live(disk, talk)


def test_a_cut_overtakes_a_loosening_that_waits_for_the_disk(disk: Disk) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        shut = orders.SetOpening(by="Alex", opening="website", state=OpeningState.CLOSED)
        reopen = orders.SetOpening(by="Alex", opening="website", state=OpeningState.OPEN)
        await guard.ask(Ordered(now(guard), shut))
        disk.free.clear()
        loosening = asyncio.create_task(guard.ask(Ordered(now(guard), reopen)))
        await asyncio.sleep(0.02)
        await guard.ask(Ordered(now(guard), CUT), urgent=True)
        held = enforcer.read(now(guard))
        assert held.contained
        assert held.stands["website"].state is OpeningState.CLOSED
        disk.free.set()
        await loosening
        assert enforcer.read(now(guard)).stands["website"].state is OpeningState.CLOSED
        assert holds(guard, enforcer)

    live(disk, talk)
    assert recall(disk.journal, SITE).posture is Posture.CONTAINED


def test_what_the_world_lost_is_put_back_and_said(disk: Disk) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        await guard.ask(Ordered(now(guard), CUT), urgent=True)
        wanted = enforcement(guard.state)
        enforcer.enforce(type(wanted)(stands={**wanted.stands}, contained=False), now(guard))
        reader = asyncio.create_task(guard.read_back())
        await until(lambda: holds(guard, enforcer))
        await asyncio.sleep(0.05)
        reader.cancel()
        assert "the site is not contained" in guard.status().enforcement_fault

    live(disk, talk)
    assert "EnforcementFaulted" in [kind_of(fact) for fact in facts_of(disk.journal)]


def test_a_change_is_read_back_at_once(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rempart.station.guard.READ_BACK", 3600.0)

    async def talk(guard: Guard, _: MemoryEnforcer) -> None:
        reader = asyncio.create_task(guard.read_back())
        await until(lambda: not guard.status().unproved)
        await guard.ask(Ordered(now(guard), CUT), urgent=True)
        await until(lambda: not guard.status().unproved)
        reader.cancel()

    live(disk, talk)


def test_a_new_guard_recalls_what_the_old_one_decided(disk: Disk) -> None:
    remembered = []

    async def talk(guard: Guard, _: MemoryEnforcer) -> None:
        await guard.ask(Found(now(guard), GUESSING))
        await guard.ask(Found(now(guard), RECORDS))
        await guard.ask(Ordered(now(guard), CUT), urgent=True)
        remembered.append(guard.state)

    live(disk, talk)
    assert recall(disk.journal, SITE) == remembered[0]


def test_a_dead_box_that_comes_back_says_so_once(disk: Disk, unhurried: None) -> None:
    """Its journal ends three days ago: another box may stand in its place, and nobody but a person can know."""
    earlier = Instant(SystemClock().now() - hours(72))
    disk.journal.seal("StationStarted", body_of(StationStarted(at=earlier, site=SITE.id)), at=earlier)

    async def asked(guard: Guard, _: MemoryEnforcer) -> None:
        assert guard.state.alerts[RETURNED].waits
        assert [alert.about.key for alert in guard.status().alerts] == ["alert.returned"]

    async def asked_once(guard: Guard, _: MemoryEnforcer) -> None:
        assert len([fact for fact in facts_of(disk.journal) if isinstance(fact, AlertRaised)]) == 1

    live(disk, asked)
    live(disk, asked_once)


def test_a_snapshot_bounds_the_fold_and_changes_nothing(disk: Disk, unhurried: None) -> None:
    async def talk(guard: Guard, _: MemoryEnforcer) -> None:
        await guard.ask(Found(now(guard), RECORDS))
        await guard.ask(Ordered(now(guard), CUT), urgent=True)
        before = recall(disk.journal, SITE)
        await guard._scribe.snapshot(msgspec.json.encode(guard.state))
        start = disk.journal.latest_snapshot()
        assert start is not None
        assert list(facts_of(disk.journal, start[0])) == []
        assert recall(disk.journal, SITE) == before == guard.state

    live(disk, talk)


def test_what_was_held_in_the_path_is_recalled_there_past_a_snapshot_from_beside_it(
    disk: Disk, unhurried: None
) -> None:
    async def talk(guard: Guard, _: MemoryEnforcer) -> None:
        await guard.ask(Ordered(now(guard), orders.Block(by="Anne", target="198.51.100.9")), urgent=True)
        beside = recall(disk.journal, replace(SITE, placement=Placement.OBSERVER))
        assert beside.blocked == {}
        await guard._scribe.snapshot(msgspec.json.encode(beside))
        assert recall(disk.journal, SITE) == guard.state

    live(disk, talk)


def test_a_taken_over_watch_can_neither_contain_nor_touch_a_lifeline(disk: Disk) -> None:
    """It invents every finding it likes: proposals and bounded blocks are all that comes of it."""
    telephone, care = "203.0.113.40", "203.0.113.50"

    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        for number in range(300):
            address = (telephone, care, f"192.0.{number % 200}.{number % 250}", "10.9.0.5")[number % 4]
            for template in (GUESSING, RECORDS):
                actor = type(template.observables[0])(
                    template.observables[0].kind, template.observables[0].role, address
                )
                invented = replace(
                    template, id=f"{template.kind}{number}", observables=(actor, *template.observables[1:])
                )
                await guard.ask(Found(now(guard), invented))
        held = enforcer.read(now(guard))
        assert not held.contained
        assert {stand.state for name, stand in held.stands.items() if name != "maintenance"} == {
            OpeningState.OPEN
        }
        assert telephone not in held.blocked
        assert care not in held.blocked
        assert len(held.blocked) <= guard.terms.policy.budget.measures_per_hour

    live(disk, talk)


def test_a_loosening_undone_leaves_what_was_decided_meanwhile(disk: Disk) -> None:
    """The disk stalls, then refuses: the block that was to be lifted stands, and so does the one that came later."""

    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        await guard.ask(Ordered(now(guard), orders.Block(by="Alex", target="198.51.100.9")))
        disk.free.clear()
        lifting = asyncio.create_task(
            guard.ask(Ordered(now(guard), orders.Unblock(by="Alex", target="198.51.100.9")))
        )
        await asyncio.sleep(0.02)
        await guard.ask(Ordered(now(guard), orders.Block(by="Alex", target="198.51.100.8")))
        disk.full = True
        disk.free.set()
        with pytest.raises(JournalUnwritable):
            await lifting
        await guard._compare()
        for held in (guard.state.blocked, enforcer.read(now(guard)).blocked):
            assert set(held) == {"198.51.100.9", "198.51.100.8"}
        disk.full = False
        await until(lambda: sealed_late(disk))

    live(disk, talk)
    assert set(recall(disk.journal, SITE).blocked) == {"198.51.100.9", "198.51.100.8"}


def test_a_defect_costs_one_input_and_is_said(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        def broken(*_: object) -> None:
            raise KeyError("a door that is not there")

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("rempart.engine.step.judge", broken)
            with pytest.raises(RempartError, match="a defect stopped one Ordered: KeyError"):
                await guard.ask(Ordered(now(guard), CUT), urgent=True)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(enforcer, "enforce", broken)
            with pytest.raises(EnforcementFailed, match="KeyError"):
                await guard.ask(Ordered(now(guard), CUT), urgent=True)
        await guard._compare()
        assert enforcer.read(now(guard)).contained

    live(disk, talk)
    said = [fact.what for fact in facts_of(disk.journal) if isinstance(fact, EnforcementFaulted)]
    assert said[0] == "a defect stopped one Ordered: KeyError"


def test_a_watch_that_never_comes_is_missed_in_the_status(disk: Disk) -> None:
    async def talk(guard: Guard, _: MemoryEnforcer) -> None:
        await _take_up(guard)
        began = guard.clock.now()
        await guard.ask(Ticked(after(began, listening.PATIENCE)))
        assert guard.status().unwatched is None
        await guard.ask(Ticked(after(began, Duration(listening.PATIENCE + listening.SURE))))
        missed = guard.status().unwatched
        assert missed is not None
        assert missed <= began
        await guard.ask(Listened(guard.clock.now(), frozenset()))
        assert guard.status().unwatched is None

    live(disk, talk)


def test_the_status_fits_a_frame_and_shows_first_what_matters(disk: Disk) -> None:
    """A crowd of scanners with long names hides nothing and blinds nobody."""

    async def talk(guard: Guard, _: MemoryEnforcer) -> None:
        await guard.ask(Found(now(guard), RECORDS))
        (grave,) = guard.state.incidents
        noise = replace(
            guard.state.incidents[grave],
            level=Level.LOW,
            accounts=frozenset("\0" * 200 + str(n) for n in range(1_000)),
            last_seen=Instant(now(guard) + 1_000_000),
        )
        crowd = {f"inc-{n}": replace(noise, id=f"inc-{n}") for n in range(1_000)}
        guard.state = changed(guard.state, incidents={**crowd, **guard.state.incidents})
        told = guard.status()
        assert len(encode(told)) <= MAX_FRAME
        assert told.incidents[0].id == grave

    live(disk, talk)


def test_a_disk_full_for_long_is_asked_by_one_and_what_was_late_is_said_once(disk: Disk) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        disk.full = True
        for n in range(50):
            await guard.ask(Ordered(now(guard), orders.Block(by="Alex", target=f"198.51.100.{n}")))
        assert len(guard._scribe._tasks) <= 1
        assert len(enforcer.read(now(guard)).blocked) == 50
        disk.full = False
        await until(lambda: bool(blocks_said_late(disk)))

    live(disk, talk)
    sealed = list(facts_of(disk.journal))
    (said,) = blocks_said_late(disk)
    blocks = [fact for fact in sealed if isinstance(fact, Blocked)]
    assert [fact.target for fact in blocks] == [f"198.51.100.{n}" for n in range(50)]
    assert sealed.index(said) > sealed.index(blocks[-1])


def blocks_said_late(disk: Disk) -> list[SealedLate]:
    """On a busy machine the start may be sealed late too, and says so."""
    return [
        fact for fact in facts_of(disk.journal) if isinstance(fact, SealedLate) and "Blocked" in fact.what
    ]


def test_a_snapshot_of_another_version_is_left_aside(disk: Disk) -> None:
    async def talk(guard: Guard, _: MemoryEnforcer) -> None:
        await guard.ask(Ordered(now(guard), CUT), urgent=True)
        disk.journal.snapshot(b'{"site": 5}', at=now(guard))
        assert recall(disk.journal, SITE) == guard.state

    live(disk, talk)


def test_only_a_fault_that_lasts_asks_for_somebody_and_its_end_is_said(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(guard: Guard, enforcer: MemoryEnforcer) -> None:
        def silent(_: Instant) -> None:
            raise EnforcementFailed("the proxy does not answer")

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(enforcer, "read", silent)
            await guard._compare()
            assert guard.state.alerts == {}
            meanwhile.setattr("rempart.station.warden.LASTS", 0)
            await guard._compare()
            await guard._compare()
            assert guard.state.alerts["enforcement"].waits
        await guard._compare()
        assert guard.state.alerts["enforcement"].over is not None
        await guard._compare()

    live(disk, talk)
    said = [fact.what for fact in facts_of(disk.journal) if isinstance(fact, EnforcementFaulted)]
    assert said == ["the proxy does not answer", "the proxy does not answer", "it holds again"]


def test_a_guard_that_would_not_hold_the_cut_does_not_start(disk: Disk, tmp_path: Path) -> None:
    places = Places(site=tmp_path / "site.toml", state=tmp_path, run=tmp_path, rules=())
    beside = replace(SITE, placement=Placement.OBSERVER)
    require_held(beside, recall(disk.journal, beside), places)

    async def talk(guard: Guard, _enforcer: MemoryEnforcer) -> None:
        await guard.ask(Ordered(now(guard), CUT), urgent=True)

    live(disk, talk)
    with pytest.raises(InputRefused, match="would hold nothing of it"):
        require_held(beside, recall(disk.journal, beside), places)
    require_held(SITE, recall(disk.journal, SITE), places)
