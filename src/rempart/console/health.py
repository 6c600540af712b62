"""The page of health: whether the station itself is well, part by part."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from babel.dates import format_date

from rempart.accounts.person import Role
from rempart.console.sheet import Act, Card, Line, Mood, SheetPage, sheet
from rempart.console.sources import summary
from rempart.console.when import moment
from rempart.console.words import Words, plain
from rempart.detection.inquiry import RulesTold, SourcesTold
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant, hours
from rempart.messages import Status
from rempart.site.belgian_time import on_the_wall
from rempart.site.placement import Placement
from rempart.site.site import Site

_SOON = hours(24 * 14)
"""A certificate that ends sooner asks for somebody."""

_FULL = 0.1
"""Share of the disk below which it is nearly full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What is known of the station's parts just now; None: that part does not answer, or nobody can say."""

    status: Status | None
    seen: Instant | None
    """When the guard last said something."""
    sources: SourcesTold | None
    rules: RulesTold | None
    clock: bool | None
    """Whether the network keeps the clock right."""
    certificate: Instant | None
    """Until when the pages' certificate is good; None: they have none."""


CLOCK = "/health/clock"
"""Where it is said that the date is right."""


def health_page(
    site: Site, vitals: Vitals, words: Words, now: Instant, roles: Collection[Role] = frozenset()
) -> SheetPage:
    """The page for somebody with these roles."""
    cards = (Card(title="", lines=tuple(_lines(site, vitals, words, now))),)
    return sheet("health", words, cards, act=_confirm_clock(vitals.status, words, now, roles))


def _confirm_clock(status: Status | None, words: Words, now: Instant, roles: Collection[Role]) -> Act | None:
    """To say that the date is right, while it is doubted, for those from whom the guard takes it."""
    if status is None or status.clock_leapt is None or not takers(orders.ConfirmClock) & frozenset(roles):
        return None
    return Act(
        id="clock",
        title=words.say("order.ConfirmClock"),
        lead=words.say("health.clock-lead", now=moment(now, now, words), day=_day(now, words)),
        address=CLOCK,
        reason=words.say("health.clock-reason"),
        button=words.say("health.clock-button"),
    )


def _day(at: Instant, words: Words) -> str:
    return str(format_date(on_the_wall(at), "full", locale=words.locale))


def _lines(site: Site, vitals: Vitals, words: Words, now: Instant) -> Iterator[Line]:
    status = vitals.status
    heard = moment(vitals.seen, now, words) if vitals.seen else ""
    yield _line(
        "guard", words, _MOODS[status is not None], words.say(f"health.guard-{_good(status)}", at=heard)
    )
    yield _watch(vitals, words)
    yield _wall(status, words, now)
    if vitals.sources:
        silent = any(each.silent for each in vitals.sources.sources)
        yield _line("silent", words, _MOODS[not silent], summary(vitals.sources, words))
        if failed := sum(each.failed for each in vitals.sources.sources):
            yield _line("readers", words, Mood.BAD, words.say("health.readers-bad", count=failed))
    yield _names(site, status, words)
    yield _clock(vitals, words, now)
    if vitals.rules:
        free, total = vitals.rules.free, vitals.rules.disk
        told = words.say("health.disk-said", free=free >> 30, total=total >> 30)
        yield _line("disk", words, _MOODS[free > _FULL * total], told)
    yield _certificate(vitals.certificate, words, now)
    if status:
        told = words.say("health.journal-said", count=status.journal_entries, root=status.journal_root[:16])
        yield _line("journal", words, Mood.GOOD, told)
    if status and status.left_off:
        told = words.say("health.whole-bad", count=sum(status.left_off.values()))
        yield _line("whole", words, Mood.BAD, told)
    yield _telling(site, status, words)


def _wall(status: Status | None, words: Words, now: Instant) -> Line:
    if status is None:
        return _line("wall", words, Mood.UNKNOWN, words.say("health.unknown"))
    if status.placement is Placement.OBSERVER:
        return _line("wall", words, Mood.UNKNOWN, words.say("proof.observer"))
    if status.enforcement_fault:
        return _line("wall", words, Mood.BAD, plain(status.enforcement_fault))
    if status.enforcement_verified is None:
        return _line("wall", words, Mood.UNKNOWN, words.say("health.wall-never"))
    at = moment(status.enforcement_verified, now, words)
    return _line("wall", words, Mood.GOOD, words.say("health.wall-good", at=at))


def _watch(vitals: Vitals, words: Words) -> Line:
    status = vitals.status
    if status and status.rebuilding and status.unwatched is None:
        done, total = status.rebuilding
        return _line(
            "watch", words, Mood.UNKNOWN, words.say("health.watch-rebuilding", done=done, total=total)
        )
    return _line(
        "watch", words, _MOODS[vitals.rules is not None], words.say(f"health.watch-{_good(vitals.rules)}")
    )


def _clock(vitals: Vitals, words: Words, now: Instant) -> Line:
    if vitals.status and vitals.status.clock_leapt:
        at = moment(vitals.status.clock_leapt, now, words)
        return _line("clock", words, Mood.BAD, words.say("health.clock-leapt", at=at))
    said = {True: "good", False: "bad", None: "unknown"}[vitals.clock]
    return _line("clock", words, _MOODS[vitals.clock], words.say(f"health.clock-{said}"))


def _names(site: Site, status: Status | None, words: Words) -> Line:
    if site.resolver is None:
        return Line(name=words.say("health.names"), notes=(words.say("health.names-none"),))
    refused = status.names_refused if status else None
    if refused is None:
        return _line("names", words, Mood.UNKNOWN, words.say("health.names-nothing"))
    told = words.say("health.names-good", count=sum(refused.times.values()))
    return _line("names", words, Mood.GOOD, told)


def _certificate(until: Instant | None, words: Words, now: Instant) -> Line:
    if until is None:
        return Line(name=words.say("health.certificate"), notes=(words.say("health.certificate-none"),))
    day = format_date(on_the_wall(until), "long", locale=words.locale)
    mood = _MOODS[until - now > _SOON]
    return _line("certificate", words, mood, words.say("health.certificate-until", until=day))


def _telling(site: Site, status: Status | None, words: Words) -> Line:
    if not site.telling.recipients:
        return _line("telling", words, Mood.BAD, words.say("health.telling-none"))
    told = [each for alert in (status.alerts if status else []) for each in alert.told]
    if not told:
        return _line("telling", words, Mood.UNKNOWN, words.say("health.telling-untried"))
    good = sum(each.delivered for each in told)
    bad = len(told) - good
    return _line("telling", words, _MOODS[not bad], words.say("health.telling-said", good=good, bad=bad))


def _good(known: object) -> str:
    return "bad" if known is None else "good"


_MOODS = {True: Mood.GOOD, False: Mood.BAD, None: Mood.UNKNOWN}
"""Whether something holds, as it is shown."""


def _line(name: str, words: Words, mood: Mood, note: str) -> Line:
    return Line(name=words.say(f"health.{name}"), mood=mood, word=words.say(f"health.{mood}"), notes=(note,))
