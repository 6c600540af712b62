"""One order to every box of a group: each confirms, and one that does not answer is shown."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from rempart.adapters import mutual
from rempart.adapters.site_file import read_text
from rempart.errors import ExitCode, InputRefused, StationUnreachable
from rempart.messages import GroupAnswer, GroupCutAsked, OrderDone, OrderRejected

PATIENCE = 25.0
"""Seconds one box may take; all are asked at once."""


class Box(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One box of the group. ``certificate``: PEM file that holds its certificate."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    address: Annotated[str, Meta(max_length=45)]
    port: Annotated[int, Meta(ge=1, le=65535)]
    certificate: Annotated[str, Meta(min_length=1)]


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The group file. ``certificate``: PEM file with our own certificate and key; paths are beside this file."""

    certificate: Annotated[str, Meta(min_length=1)]
    boxes: Annotated[list[Box], Meta(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What one box said; ``silence`` is why nothing came, or empty."""

    box: Box
    answer: GroupAnswer | None
    silence: str = ""


def read(path: Path) -> Group:
    """The group file. Raises `InputRefused`."""
    try:
        group = msgspec.toml.decode(read_text(path), type=Group)
        for box in group.boxes:
            ip_address(box.address)
    except (msgspec.MsgspecError, ValueError) as fault:
        raise InputRefused(
            f"the group cannot be read: {fault}",
            where=str(path),
            now="It needs `certificate` and [[boxes]] with name, address, port, certificate.",
        ) from fault
    return group


def contain(path: Path, by: str, reason: str) -> tuple[Confirmed, ...]:
    """Cut every box at once; one that is dead delays no other. Raises `InputRefused` for unusable certificates."""
    group = read(path)
    contexts = {
        box.name: mutual.client_context(path.parent / group.certificate, path.parent / box.certificate)
        for box in group.boxes
    }
    question = GroupCutAsked(by=by, reason=reason)

    async def one(box: Box) -> Confirmed:
        try:
            answer = await mutual.ask(
                box.address, box.port, contexts[box.name], question, GroupAnswer, seconds=PATIENCE
            )
        except StationUnreachable as fault:
            return Confirmed(box, None, fault.what)
        return Confirmed(box, answer)

    async def everybody() -> list[Confirmed]:
        return await asyncio.gather(*map(one, group.boxes))

    return tuple(asyncio.run(everybody()))


def told(confirmed: tuple[Confirmed, ...]) -> Iterator[str]:
    """Each box, those that did not confirm first and loudest."""
    for each in sorted(confirmed, key=lambda each: isinstance(each.answer, OrderDone)):
        match each.answer:
            case OrderDone(enforced=None, sealed=None):
                yield f"{each.box.name}: cut already"
            case OrderDone(received=received, enforced=enforced, sealed=sealed):
                took = f" in {(enforced - received) / 1000:.1f} ms" if enforced else ""
                entry = f"sealed as entry {sealed}" if sealed else "to be sealed late"
                yield f"{each.box.name}: cut{took}, {entry}"
            case OrderRejected(what=what):
                yield f"{each.box.name}: NOT CUT: {what}"
            case _:
                yield f"{each.box.name}: DOES NOT ANSWER: {each.silence}. Call that site."
    cut = sum(isinstance(each.answer, OrderDone) for each in confirmed)
    yield f"{cut} of {len(confirmed)} boxes confirmed the cut"


def exit_code(confirmed: tuple[Confirmed, ...]) -> ExitCode:
    """0 when all are cut, 3 when some are, 4 when none is."""
    cut = sum(isinstance(each.answer, OrderDone) for each in confirmed)
    if cut == len(confirmed):
        return ExitCode.OK
    return ExitCode.PARTIAL if cut else ExitCode.UNREACHABLE
