"""One order to a group: real guards behind real doors, mutual TLS with pinned certificates, and boxes that fail."""

import asyncio
import datetime as dt
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from engine.home import SITE, shipped_policy
from rempart.__main__ import main
from rempart.adapters import mutual
from rempart.adapters.clock import SystemClock
from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.adapters.journal import Journal
from rempart.adapters.socket import serve
from rempart.config import Places
from rempart.engine import facts
from rempart.engine.step import Terms
from rempart.errors import StationUnreachable
from rempart.messages import FromGroupDoor, GroupAnswer, GroupCutAsked, OrderDone, StatusAsked
from rempart.site.group import GroupDoor
from rempart.station.group_door import Door
from rempart.station.guard import Guard
from rempart.station.hearing import Hearing
from rempart.station.recall import facts_of


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate; ``name``.pem holds it and its key, ``name``.crt the certificate alone."""
    key = Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .sign(key, None)
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.crt").write_bytes(public)
    (folder / f"{name}.pem").write_bytes(private + public)
    return folder / f"{name}.pem"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@pytest.fixture
def group(tmp_path: Path, unhurried: None) -> Iterator[dict[str, tuple[int, Guard]]]:
    """Two boxes with their doors open, by name."""
    certificate(tmp_path, "operator")
    boxes: dict[str, tuple[int, Guard]] = {}
    up, stop = threading.Event(), threading.Event()

    async def life() -> None:
        async with AsyncExitStack() as stack:
            for name in ("north", "south"):
                folder = tmp_path / name
                door = GroupDoor(
                    address="127.0.0.1",
                    port=free_port(),
                    certificate=str(certificate(tmp_path, name)),
                    trusted=str(tmp_path / "operator.crt"),
                )
                places = Places(site=folder / "s", state=folder / "state", run=folder / "run", rules=())
                clock = SystemClock()
                journal = Journal.open(places.journal, places.keys, origin=f"rempart/{name}", now=clock.now())
                terms = Terms(replace(SITE, group=door), shipped_policy())
                guard = Guard(terms, journal, MemoryEnforcer(), clock)
                listener = await serve(
                    places.group_socket,
                    mode=0o600,
                    allowed_uids={os.getuid()},
                    incoming=FromGroupDoor,
                    handler=Hearing(guard).group,
                )
                await stack.enter_async_context(listener)
                tasks = [asyncio.create_task(guard.run()), asyncio.create_task(Door(door, places).run())]
                stack.callback(journal.close)
                stack.callback(guard.close)
                stack.push_async_callback(_end, tasks)
                boxes[name] = (door.port, guard)
            for port, _ in boxes.values():
                await listening(port)
            up.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(life(),))
    thread.start()
    assert up.wait(60)
    yield boxes
    stop.set()
    thread.join(60)


async def listening(port: int) -> None:
    """Wait until somebody listens there."""
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def described(folder: Path, boxes: dict[str, int], mine: str = "operator.pem") -> Path:
    """The group file, with the certificate of each box beside it."""
    lines = [f'certificate = "{mine}"']
    for name, port in boxes.items():
        lines += [
            "[[boxes]]",
            f'name = "{name}"',
            'address = "127.0.0.1"',
            f"port = {port}",
            f'certificate = "{name.split("-")[0]}.crt"',
        ]
    path = folder / "group.toml"
    path.write_text("\n".join(lines))
    return path


def test_one_order_cuts_all_and_who_does_not_answer_is_shown(
    group: dict[str, tuple[int, Guard]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = {name: port for name, (port, _) in group.items()}
    words = ["contain", "--by", "Anne", "--reason", "all of us", "--group"]
    assert main([*words, str(described(tmp_path, {**ports, "north-dead": free_port()}))]) == 3
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("north-dead: DOES NOT ANSWER: ")
    assert sorted(line.split(":")[0] for line in told[1:3]) == ["north", "south"]
    assert all("cut in " in line and "sealed as entry" in line for line in told[1:3])
    assert told[-1] == "2 of 3 boxes confirmed the cut"
    for _, guard in group.values():
        assert guard.state.contained
    assert main([*words, str(described(tmp_path, ports))]) == 0
    assert "north: cut already" in capsys.readouterr().out


def test_the_journal_names_the_person_and_the_certificate(
    group: dict[str, tuple[int, Guard]], tmp_path: Path
) -> None:
    port, _ = group["north"]
    assert main(["contain", "--by", "Anne", "--group", str(described(tmp_path, {"north": port}))]) == 0
    journal = Journal.read(tmp_path / "north" / "state" / "guard" / "journal.db")
    (cut,) = (fact for fact in facts_of(journal) if isinstance(fact, facts.Contained))
    journal.close()
    assert cut.by == "Anne (operator)"


def test_a_stranger_is_not_heard_and_an_impostor_is_not_believed(
    group: dict[str, tuple[int, Guard]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate(tmp_path, "stranger")
    ports = {name: port for name, (port, _) in group.items()}
    assert main(["contain", "--group", str(described(tmp_path, ports, "stranger.pem"))]) == 4
    assert "it may not know our certificate" in capsys.readouterr().out
    swapped = {"north": ports["south"], "south": ports["north"]}
    assert main(["contain", "--group", str(described(tmp_path, swapped))]) == 4
    assert "somebody else answers there" in capsys.readouterr().out
    assert not any(guard.state.contained for _, guard in group.values())


def test_nothing_but_the_cut_can_be_asked(group: dict[str, tuple[int, Guard]], tmp_path: Path) -> None:
    port, guard = group["north"]
    context = mutual.client_context(tmp_path / "operator.pem", tmp_path / "north.crt")

    async def ask(question: object) -> object:
        return await mutual.ask("127.0.0.1", port, context, question, GroupAnswer, seconds=30)  # type: ignore[arg-type]

    with pytest.raises(StationUnreachable):
        asyncio.run(ask(StatusAsked()))
    assert not guard.state.contained
    assert isinstance(asyncio.run(ask(GroupCutAsked(by="Anne"))), OrderDone)


def test_a_door_whose_guard_is_gone_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate(tmp_path, "operator")
    door = GroupDoor(
        address="127.0.0.1",
        port=free_port(),
        certificate=str(certificate(tmp_path, "alone")),
        trusted=str(tmp_path / "operator.crt"),
    )
    places = Places(site=tmp_path / "s", state=tmp_path / "state", run=tmp_path / "run", rules=())

    async def ask() -> object:
        serving = asyncio.create_task(Door(door, places).run())
        await listening(door.port)
        context = mutual.client_context(tmp_path / "operator.pem", tmp_path / "alone.crt")
        try:
            question = GroupCutAsked(by="Anne")
            return await mutual.ask("127.0.0.1", door.port, context, question, GroupAnswer, seconds=30)
        finally:
            await _end([serving])

    assert "its guard does not answer" in getattr(asyncio.run(ask()), "what", "")


@pytest.mark.parametrize("text", ["", "certificate = 4", 'certificate = "x"\n[[boxes]]\nname = "x"'])
def test_a_group_file_that_is_none(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "group.toml"
    path.write_text(text)
    assert main(["contain", "--group", str(path)]) == 2
    assert "the group cannot be read" in capsys.readouterr().err
