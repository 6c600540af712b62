"""Which measuring streams run through which opening, and what became of them when the site was cut."""

import base64
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from demo.addresses import OUTSIDE_SWITCH, Account, Plan
from demo.flows import HTTP_ANSWER, Carrier, End, Seen, http_get, http_post, read_seen, write_ends
from demo.programs import LIVE_PORTS, python
from demo.telephone import SIGNALLING
from demo.witness import Sightings, read_sightings
from demo.world import CABLES, World

INSIDE = "inside"
"""In the place of an opening's id: traffic between wards and servers, which crosses the gateway and no opening."""

Door = tuple[str, int]


class Way(StrEnum):
    """Where a stream goes."""

    OUTWARD = "outward"
    INWARD = "inward"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow with a stream each way. ``near`` is the end inside (machine, which address, port), ``far`` the other."""

    opening: str
    carrier: Carrier
    near: tuple[str, int, int]
    far: tuple[str, int, int]
    begun_outside: bool = False

    @property
    def name(self) -> str:
        """Unique name of the flow."""
        return f"{self.opening}-{'in' if self.begun_outside else 'out'}-{self.carrier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One way of one flow: its number in the messages, who sends and who counts."""

    number: int
    opening: str
    way: Way
    carrier: Carrier
    sender: str
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What became of one stream. Instants are CLOCK_MONOTONIC nanoseconds."""

    stream: Stream
    sent: int
    arrived: int
    lost: int
    seconds: float
    """From the first to the last message sent."""
    last_passed_ns: int
    """When the last message that arrived had been sent; 0 when none arrived."""
    passed_after: int
    """Messages sent after the acknowledgement that arrived all the same."""
    refused: int
    tried: int
    """Connections begun, each a packet of its own (SYN): after a reset they go on at the rate of the messages."""
    longest_gap_ms: float
    """The longest time in which nothing arrived, between the first arrival and the last."""

    @property
    def per_second(self) -> float:
        """Messages sent a second."""
        return self.sent / self.seconds if self.seconds else 0.0

    def told(self) -> dict[str, Any]:
        """For the report."""
        return {
            "opening": self.stream.opening,
            "way": self.stream.way.value,
            "carrier": self.stream.carrier.value,
            "from": self.stream.sender,
            "sent": self.sent,
            "per_second": round(self.per_second, 1),
            "arrived": self.arrived,
            "lost": self.lost,
            "passed_after_ack": self.passed_after,
            "refused": self.refused,
            "connections_tried": self.tried,
            "longest_gap_ms": round(self.longest_gap_ms, 1),
        }


def flows(plan: Plan) -> Iterator[Flow]:
    """At least one flow for every opening by address and direction, UDP and TCP where the opening has both.

    What goes by name is tried in `names`: no machine inside may ask for names outside.
    """
    udp, tcp = Carrier.UDP, Carrier.TCP
    media = plan.ports.media_last
    yield Flow(opening="telephone", carrier=udp, near=("exchange", 1, media), far=("operator", 0, media))
    yield Flow(
        opening="telephone",
        carrier=udp,
        near=("exchange", 1, SIGNALLING),
        far=("operator", 0, 5070),
        begun_outside=True,
    )
    for opening, machine, far, tcp_port, udp_port in (
        ("nurse-call", ("exchange", 1), ("suppliers", 1), 8883, 5684),
        ("pharmacy", ("ward-staff", 0), ("suppliers", 0), 443, 443),
        ("ehealth-platform", ("ward-staff", 1), ("ehealth", 1), 443, 443),
        ("web-browse", ("ward-staff", 2), ("internet", 2), 443, 443),
        ("offsite-backup", ("servers", 1), ("suppliers", 2), 22, 51821),
    ):
        yield Flow(opening=opening, carrier=tcp, near=(*machine, 0), far=(*far, tcp_port))
        yield Flow(opening=opening, carrier=udp, near=(*machine, 40_000), far=(*far, udp_port))
    yield Flow(opening="mail", carrier=tcp, near=("servers", 1, 0), far=("internet", 1, 25))
    yield Flow(
        opening="mail", carrier=tcp, near=("servers", 1, 25), far=("internet", 1, 0), begun_outside=True
    )
    yield Flow(
        opening="vendor-maintenance",
        carrier=udp,
        near=("exchange", 1, 51820),
        far=("suppliers", 3, 40_000),
        begun_outside=True,
    )
    yield Flow(opening=INSIDE, carrier=udp, near=("ward-staff", 0, 40_001), far=("servers", 1, 40_001))
    yield Flow(opening=INSIDE, carrier=tcp, near=("ward-staff", 0, 0), far=("servers", 1, 40_002))


class Measurement:
    """All streams at work between two processes: one holds every end inside the hospital, one every end outside."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plan = world.plan
        self.streams: list[Stream] = []
        self.witness = Sightings({}, 0)
        """What the wire outside carried; filled in by `stop`."""
        self._near: list[End] = []
        self._far: list[End] = []
        for flow in flows(self._plan):
            self._place(flow)
        self._place_web("website", self._plan.website, "visitor", 0, None)
        self._place_web("gp-portal", self._plan.portal, "gp", 1, self._plan.practitioners[2])

    def start(self) -> None:
        """Make every socket, then begin to speak on every end."""
        folder = self._world.folder / "streams"
        folder.mkdir()
        witness = python("demo.witness", f"gw-{OUTSIDE_SWITCH}", str(folder / "witness.seen"))
        self._world.start(CABLES, "witness", witness)
        for side, machine, ends in (("near", "ward-staff", self._near), ("far", "operator", self._far)):
            write_ends(folder / f"{side}.json", ends)
            files = [str(folder / f"{side}.json"), str(folder / f"{side}.seen")]
            self._world.start(machine, f"streams-{side}", python("demo.flows", *files))
        while not all((folder / f"{side}.ready").exists() for side in ("near", "far", "witness")):
            if dead := set(self._world.dead()) & {"streams-near", "streams-far", "witness"}:
                raise RuntimeError(f"{dead} ended: {self._world.said(dead.pop())}")
            time.sleep(0.01)
        for side in ("far", "near"):
            self._world.signal(f"streams-{side}", signal.SIGUSR1)

    def stop(self) -> dict[str, Seen]:
        """End the streams; what every end saw, by name of the end."""
        folder = self._world.folder / "streams"
        for side in ("near", "far"):
            self._world.signal(f"streams-{side}", signal.SIGTERM)
        for side in ("near", "far"):
            if self._world.wait(f"streams-{side}", 30):
                raise RuntimeError(f"streams-{side} failed: {self._world.said(f'streams-{side}')}")
        self._world.stop("witness")
        self.witness = read_sightings(folder / "witness.seen")
        return read_seen(folder / "near.seen") | read_seen(folder / "far.seen")

    # -- placing -------------------------------------------------------------------------------------------------

    def _place(self, flow: Flow) -> None:
        near, far = (self._door(end) for end in (flow.near, flow.far))
        outward = self._stream(flow, Way.INSIDE if flow.opening == INSIDE else Way.OUTWARD, "near", "far")
        inward = self._stream(flow, Way.INSIDE if flow.opening == INSIDE else Way.INWARD, "far", "near")
        common = {"carrier": flow.carrier}
        self._near.append(
            End(
                name=f"{flow.name}-near",
                namespace=str(self._world.path(flow.near[0])),
                begins=not flow.begun_outside,
                local=near,
                remote=far,
                sends=outward,
                **common,
            )
        )
        self._far.append(
            End(
                name=f"{flow.name}-far",
                namespace=str(self._world.path(flow.far[0])),
                begins=flow.begun_outside,
                local=far,
                remote=near,
                sends=inward,
                **common,
            )
        )

    def _place_web(self, opening: str, host: str, machine: str, which: int, account: Account | None) -> None:
        """An endless answer (outward) and an endless request (inward) through proxy and web server."""
        proxy = (self._plan.uplink, 80)
        for carrier, direction, head in (
            (Carrier.HTTP_GET, "out", http_get),
            (Carrier.HTTP_POST, "in", http_post),
        ):
            port = LIVE_PORTS[f"{opening}-{direction}"]
            flow = Flow(
                opening=opening,
                carrier=carrier,
                near=("dmz", 0, port),
                far=(machine, which, 0),
                begun_outside=True,
            )
            outward = carrier is Carrier.HTTP_GET
            sides = ("near", "far") if outward else ("far", "near")
            number = self._stream(flow, Way.OUTWARD if outward else Way.INWARD, *sides)
            self._near.append(
                End(
                    name=f"{flow.name}-near",
                    namespace=str(self._world.path("dmz")),
                    carrier=carrier,
                    begins=False,
                    local=("127.0.0.1", port),
                    remote=("127.0.0.1", 0),
                    sends=number if outward else None,
                    head=HTTP_ANSWER if outward else "",
                )
            )
            self._far.append(
                End(
                    name=f"{flow.name}-far",
                    namespace=str(self._world.path(machine)),
                    carrier=carrier,
                    begins=True,
                    local=(self._plan.address(machine, which), 0),
                    remote=proxy,
                    sends=None if outward else number,
                    head=head(host, f"/live/{port}", _authorization(account)),
                )
            )

    def _stream(self, flow: Flow, way: Way, sender: str, receiver: str) -> int:
        number = len(self.streams)
        self.streams.append(
            Stream(
                number=number,
                opening=flow.opening,
                way=way,
                carrier=flow.carrier,
                sender=f"{flow.name}-{sender}",
                receiver=f"{flow.name}-{receiver}",
            )
        )
        return number

    def _door(self, end: tuple[str, int, int]) -> Door:
        machine, which, port = end
        return (self._plan.address(machine, which), port)


def _authorization(account: Account | None) -> str:
    if account is None:
        return ""
    pair = base64.b64encode(f"{account.name}:{account.password}".encode()).decode()
    return f"Authorization: Basic {pair}\r\n"


def passages(streams: Iterable[Stream], seen: Mapping[str, Seen], ack_ns: int) -> list[Passage]:
    """What became of each stream, given the instant at which the kernel had acknowledged the cut."""
    return [_passage(stream, seen[stream.sender], seen[stream.receiver], ack_ns) for stream in streams]


def _passage(stream: Stream, sender: Seen, receiver: Seen, ack_ns: int) -> Passage:
    return Passage(
        stream=stream,
        sent=len(sender.sent),
        arrived=len(set(receiver.numbers)),
        lost=len(sender.sent) - len(set(receiver.numbers)),
        seconds=(sender.sent[-1] - sender.sent[0]) / 1e9 if sender.sent else 0.0,
        last_passed_ns=max(receiver.stamps, default=0),
        passed_after=sum(1 for stamp in receiver.stamps if stamp > ack_ns),
        refused=len(sender.refused),
        tried=len(sender.tried),
        longest_gap_ms=_longest_gap(receiver) / 1e6,
    )


def first_stopped(found: Iterable[Passage], seen: Mapping[str, Seen]) -> int:
    """When the first message that did not arrive was sent, over these streams; on UDP, where lost is lost."""
    stopped = []
    for passage in found:
        if passage.stream.carrier is Carrier.UDP and passage.sent:
            arrived = set(seen[passage.stream.receiver].numbers)
            sent = seen[passage.stream.sender].sent
            stopped += [stamp for number, stamp in enumerate(sent) if number not in arrived][:1]
    return min(stopped)


def _longest_gap(receiver: Seen) -> int:
    arrived = receiver.arrived
    return max((later - earlier for earlier, later in pairwise(arrived)), default=0)
