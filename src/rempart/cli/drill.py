"""Play a real attack's weeks through the real engine, in seconds and without touching anything."""

import argparse
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import resources

from rempart.adapters.enforce.memory import MemoryEnforcer
from rempart.cli._terminal import harmless
from rempart.drill import chc
from rempart.drill.player import Moment, Player, Scene
from rempart.engine.facts import DayEnded, OpeningReclosed, kind_of
from rempart.engine.step import Terms
from rempart.errors import ExitCode
from rempart.site import template
from rempart.site.belgian_time import on_the_wall
from rempart.site.description import parse
from rempart.site.opening import OpeningState
from rempart.site.site import Language, Site
from rempart.station.policy import read_policy


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``rempart drill``."""
    parser = verbs.add_parser(
        "drill",
        help="play the weeks of a real containment, in seconds",
        description="chc: a hospital group cut off on a Friday in November 2022, reopening for weeks. The engine, its "
        "policy and its journal's facts are the real ones; the kernel and the clock are the drill's own. What no "
        "source told is marked (invented). exit codes: 0 played, 1 a law was broken on the way.",
    )
    parser.add_argument("scenario", choices=["chc"], help="which containment")
    parser.add_argument("--facts", action="store_true", help="name every fact that was sealed")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play it and tell it."""
    site = hospital()
    player = Player(Terms(site, read_policy(None)), MemoryEnforcer())
    faults = 0
    before: Scene | None = None
    for scene in player.play(chc.moments(site)):
        for line in told(scene, before, facts=arguments.facts):
            print(harmless(line, 400))
        faults += len(scene.faults)
        before = scene
    posture = player.state.posture.value
    print(f"{len(player.journal)} facts sealed; the sources end here, with the site still {posture}.")
    print("No lifeline was closed." if not faults else f"{faults} things went wrong.")
    return ExitCode.FOUND if faults else ExitCode.OK


def hospital() -> Site:
    """A hospital group as its template describes it, with what the drill needs."""

    def packaged(name: str) -> template.Table:
        return tomllib.loads(resources.files("rempart.site").joinpath(name).read_text(encoding="utf-8"))

    text = template.written(
        template="hospital-group",
        about=packaged("templates/hospital-group.toml"),
        catalogue=packaged("openings.toml"),
        name="Groupe hospitalier",
        language=Language.ENGLISH,
    )
    return chc.site_of(parse(text, "hospital-group"))


def told(scene: Scene, before: Scene | None, *, facts: bool) -> Iterator[str]:
    """One scene: when, who, what, and how the doors then stood, if otherwise than before."""
    wall = on_the_wall(scene.at)
    when = f"day {(wall.date() - chc.FIRST).days:>2} {wall:%a %d/%m %H:%M}"
    if scene.moment:
        yield f"{when}  {scene.moment.who:<12} {scene.moment.told}{_source(scene.moment)}"
    elif _matters(scene):
        yield f"{when}  {'station':<12} by itself: {_kinds(scene)}"
    for what in scene.refused:
        yield f"{'':24}refused: {what}"
    if facts and scene.moment and scene.facts:
        yield f"{'':24}sealed: {_kinds(scene)}"
    if reclosed := [fact.opening for fact in scene.facts if isinstance(fact, OpeningReclosed)]:
        yield f"{'':24}re-closed by itself: {', '.join(reclosed)}"
    if before is None or (scene.posture, scene.doors) != (before.posture, before.doors):
        doors = ", ".join(f"{scene.doors[state]} {state.value}" for state in OpeningState)
        yield f"{'':24}{scene.posture}: {doors}"
    for fault in scene.faults:
        yield f"{'':24}WRONG: {fault}"


def _matters(scene: Scene) -> bool:
    """A day's summary that nothing else came with is left out: there are 34 of them."""
    return any(not isinstance(fact, DayEnded) for fact in scene.facts)


def _source(moment: Moment) -> str:
    return f" ({moment.source})" if moment.source else " (invented)"


def _kinds(scene: Scene) -> str:
    """The kinds of facts, each once, with how many."""
    counted = Counter(kind_of(fact) for fact in scene.facts)
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in counted.items())
