"""By hand: what somebody does at the firewall or the switch beside the station, and what was said of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from rempart.care.reply import Reply
from rempart.console.audience import Audience
from rempart.console.naming import Names
from rempart.console.refusal import tell
from rempart.console.when import moment
from rempart.console.words import Words, plain
from rempart.containment.by_hand import Deed, steps, told
from rempart.containment.policy import Action
from rempart.engine.handwork import CUT, Checked
from rempart.instants import Instant
from rempart.messages import WITHHELD, HandStepStatus, HandworkStatus, Status
from rempart.site.site import Site

BY_HAND = "/by-hand"

_TARGETED = (Action.BLOCK, Action.ISOLATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandStep:
    """One step. ``what``: the deed and the number of the step, as its form sends them; empty: it has no form, being
    no longer planned, or of a target that who looks may not read."""

    text: str
    said: str
    """That it was done, when, when that was said, who checked it; or that it was not. Empty: nobody said anything."""
    done: bool
    what: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandDeed:
    """The cut, or a block or an isolation of one target, with its steps."""

    title: str
    steps: tuple[HandStep, ...]
    say: str
    """Leads from other pages to the one where it is said what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHandPage:
    """Everything this page shows."""

    watches: Annotated[bool, "Whether the station stands beside the path; else it does all this by itself."]
    deeds: Annotated[tuple[HandDeed, ...], "The cut, then what was blocked or isolated by hand."]
    others: Annotated[tuple[tuple[str, str], ...], "Steps of a block or an isolation: value and text."]
    may_tick: Annotated[bool, "Whether who looks may say what was done."]
    csrf: Annotated[str, "The session's form token."]
    account: Annotated[str, "Who is signed in; empty for whoever came with the link and says their name."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of this page."]


def by_hand_page(
    site: Site,
    status: Status | None,
    now: Instant,
    words: Words,
    csrf: str,
    *,
    account: str = "",
    audience: Audience = Audience.NIGHT,
) -> ByHandPage:
    """The page as things stand."""
    watches = not site.enforces
    return ByHandPage(
        watches=watches,
        deeds=tuple(_deeds(site, status, now, words, audience)) if watches else (),
        others=tuple(_others(site, words)) if watches else (),
        may_tick=watches and audience.may_order,
        csrf=csrf,
        account=account,
        labels=words.under("label"),
        texts=words.under("by-hand"),
    )


def cutting(
    site: Site, status: Status | None, now: Instant, words: Words, audience: Audience
) -> tuple[HandDeed, ...]:
    """How a person cuts the site off, step by step, and what was said of each; nothing where the station does it."""
    return () if site.enforces else (next(_deeds(site, status, now, words, audience)),)


def _deeds(
    site: Site, status: Status | None, now: Instant, words: Words, audience: Audience
) -> Iterator[HandDeed]:
    names = Names(site, words, addresses=audience is Audience.INFORMED)
    work = status.by_hand if status and status.by_hand.steps else _unsaid(site)
    for (action, target), of_it in groupby(work.steps, lambda step: (step.action, step.target)):
        of = names.of(target, "address") if target else ""
        yield HandDeed(
            title=_begun(words.say(f"by-hand.{action}", target=plain(of))),
            steps=tuple(_step(step, of, work, site, now, words, audience) for step in of_it),
            say=words.say("by-hand.say"),
        )


def _unsaid(site: Site) -> HandworkStatus:
    """The plan of the cut while no guard answers: what was said of it is not known."""
    return HandworkStatus(
        steps=[
            HandStepStatus(
                action=CUT.action.value, target="", number=number, step=step, reply=Reply.UNKNOWN.value
            )
            for number, step in enumerate(steps(site, CUT), start=1)
        ]
    )


def _step(
    step: HandStepStatus,
    target: str,
    work: HandworkStatus,
    site: Site,
    now: Instant,
    words: Words,
    audience: Audience,
) -> HandStep:
    return HandStep(
        text=_sentence(Deed(Action(step.action), target), step.step, site, words),
        said=_said(step, work, now, words, named=audience is Audience.INFORMED),
        done=step.reply == Reply.YES,
        what=f"{step.action}.{step.number}" if step.number and step.target != WITHHELD else "",
        target=step.target,
    )


def _sentence(deed: Deed, step: str, site: Site, words: Words) -> str:
    return _begun(tell(told(deed, step), site, words))


def _begun(text: str) -> str:
    """With a capital: where the target comes first, as in German, its name may have none."""
    return text[:1].upper() + text[1:]


def _said(step: HandStepStatus, work: HandworkStatus, now: Instant, words: Words, *, named: bool) -> str:
    if step.at is None or step.reply == Reply.UNKNOWN:
        return ""
    at = _when(step.at, step.on, now, words)
    who = {"by": plain(", ".join(filter(None, (step.by, step.note))))} if named and step.by else {}
    key = "by" if who else "at"
    if step.reply == Reply.NO:
        return words.say(f"by-hand.not-{key}", at=at, **who)
    return words.say(f"by-hand.done-{key}", at=at, checked=_checked(step, work, words), **who)


def _when(said: Instant, done: Instant | None, now: Instant, words: Words) -> str:
    """When it was done, and when that was said where these are two moments."""
    at = moment(said, now, words)
    then = at if done is None else moment(done, now, words)
    return at if then == at else words.say("by-hand.then", then=then, at=at)


def _checked(step: HandStepStatus, work: HandworkStatus, words: Words) -> str:
    found = work.cut if step.action == CUT.action else Checked.UNCHECKED
    return words.say(f"by-hand.{found.value}", probes=plain(", ".join(work.probes)))


def _others(site: Site, words: Words) -> Iterator[tuple[str, str]]:
    """The steps of what has a target, before there is one."""
    for action in _TARGETED:
        for number, step in enumerate(steps(site, Deed(action, "…")), start=1):
            title = words.say(f"by-hand.{action.value}", target="…")
            yield f"{action.value}.{number}", f"{title} · {plain(step)}" if step else title


def deed_and_step(what: str) -> tuple[str, int]:
    """What a form calls a step, taken apart. Raises ValueError."""
    action, _, number = what.partition(".")
    return action, int(number)
