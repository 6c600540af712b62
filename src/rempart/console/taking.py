"""Taking an alert: what asks for somebody, on the duty page with its one button; who has it; and the page behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.console.audience import Audience
from rempart.console.when import length, moment
from rempart.console.words import SENTENCES, Words, plain
from rempart.instants import Duration, Instant, hours
from rempart.messages import AlertStatus, Status
from rempart.telling.alert import AlertState, Urgency

TAKE = "/take"

MOST = 3
"""Alerts told on the duty page, what cannot wait first. The button takes these and no others."""

_LASTS: Duration = hours(12)
"""How long the page says who took an alert: a shift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What asks for somebody and was not taken yet."""

    said: tuple[tuple[str, str], ...]
    """What it is, and since when."""
    more: str
    """How many others wait, in a sentence, or nothing."""
    told: str
    """Whether anybody was reached so far."""
    urgent: bool
    """Whether one of them cannot wait for the morning."""
    codes: tuple[str, ...]
    """What the button takes; empty for whoever only looks on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakePage:
    """What is shown when an alert was not taken at once."""

    csrf: Annotated[str, "The session's form token."]
    codes: Annotated[tuple[str, ...], "The alerts that are to be taken; none: there is nothing to confirm."]
    refusal: Annotated[str, "Why it was not taken, or nothing: only a name is missing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]


def asking(status: Status | None, now: Instant, words: Words, audience: Audience) -> Asking | None:
    """What waits; None while nothing does."""
    waiting = [each for each in status.alerts if each.state is AlertState.WAITING] if status else []
    if not waiting:
        return None
    shown, others = waiting[:MOST], len(waiting) - MOST
    reached = {done.role for each in shown for done in each.told if done.delivered}
    return Asking(
        said=tuple(_said(each, now, words) for each in shown),
        more=words.say("asking.more", count=others) if others > 0 else "",
        told=words.say("asking.told", count=len(reached)) if reached else words.say("asking.untold"),
        urgent=any(each.urgency is Urgency.NOW for each in shown),
        codes=tuple(each.code for each in shown) if audience.may_order else (),
    )


def _said(alert: AlertStatus, now: Instant, words: Words) -> tuple[str, str]:
    return words.tell(alert.about), words.say("asking.since", since=moment(alert.raised, now, words))


def taken(status: Status | None, now: Instant, words: Words, *, named: bool) -> str:
    """Who has the latest alert of this shift, and how soon they took it; nothing when nobody took one."""
    held = [
        (each.taken, each)
        for each in (status.alerts if status else ())
        if each.state is AlertState.TAKEN and each.taken is not None and now - each.taken < _LASTS
    ]
    if not held:
        return ""
    at, alert = max(held, key=lambda each: each[0])
    return words.say(
        "asking.taken-by" if named else "asking.taken",
        at=moment(at, now, words),
        after=length(at - alert.raised, words),
        about=words.tell(alert.about),
        **({"by": alert.taken_by} if named else {}),
    )


def take_page(
    codes: tuple[str, ...], words: Words, csrf: str, *, refusal: str = "", advice: str = ""
) -> TakePage:
    """The page that asks for a name, or says why it was not taken."""
    return TakePage(
        csrf=csrf,
        codes=codes,
        refusal=plain(refusal, SENTENCES) if refusal else "",
        advice=plain(advice, SENTENCES) if advice else "",
        labels=words.under("label"),
    )
