"""The pages of findings: bunches of a day, one bunch with its findings, and trying an exception before it is made."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from babel.dates import format_date

from rempart.console.access import Session
from rempart.console.when import moment
from rempart.console.words import Words, plain
from rempart.detection.bunch import Bunch, Kept
from rempart.detection.explain import Explanation
from rempart.detection.finding import Finding, Kind, Level
from rempart.detection.inquiry import Bunches, BunchTold, Place, Preview
from rempart.detection.trait import Trait
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.instants import Instant
from rempart.site.belgian_time import on_the_wall

_TRAITS = 12
"""Traits that are offered of one bunch."""

_USUAL = timedelta(days=90)
"""How long an exception lasts unless somebody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice of a filter."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BunchLine:
    """One bunch as a line."""

    address: str
    level: str
    level_word: str
    said: str
    means: str
    counts: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsPage:
    """The bunches of a day."""

    silent: Annotated[bool, "Watch does not answer: nothing is known."]
    day: Annotated[str, "Whose findings are shown, in words; nothing when none was ever kept."]
    bunches: Annotated[tuple[BunchLine, ...], "One page, the gravest first."]
    days: Annotated[tuple[Choice, ...], "Days of which findings are kept."]
    levels: Annotated[tuple[Choice, ...], "Levels: this one or graver."]
    kinds: Annotated[tuple[Choice, ...], "Kinds of findings."]
    next: Annotated[str, "Address of the next page, or nothing."]
    texts: Annotated[Mapping[str, str], "The words of findings."]
    tabs: Annotated[Mapping[str, str], "Names of the technician's pages."]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One finding of a bunch."""

    when: str
    said: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitChoice:
    """A field and its value that an exception may name. ``value`` is what the form sends."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What an exception would have hidden."""

    said: str
    grave: str
    """Nothing, or how many of them nobody should hide."""
    examples: tuple[FindingLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BunchPage:
    """One bunch, explained, with its findings and the form that makes an exception."""

    csrf: Annotated[str, "The session's form token."]
    address: Annotated[str, "Where this page is."]
    rule: Annotated[str, "The rule's id; nothing when the bunch is not kept any more."]
    title: Annotated[str, "What was seen."]
    sentences: Annotated[tuple[str, ...], "The rest of the explanation."]
    level: Annotated[str, "Its level."]
    level_word: Annotated[str, "Its level, in words."]
    details: Annotated[tuple[tuple[str, str], ...], "Technical details: name and value."]
    findings: Annotated[tuple[FindingLine, ...], "One page of its findings, the latest first."]
    next: Annotated[str, "Address of the next page, or nothing."]
    may_change: Annotated[bool, "Whether the one who looks may make an exception."]
    traits: Annotated[tuple[TraitChoice, ...], "What an exception may name."]
    reason: Annotated[str, "The reason that was typed."]
    until: Annotated[str, "Its last day, as 2027-01-31."]
    first_day: Annotated[str, "The earliest last day."]
    last_day: Annotated[str, "The latest last day."]
    tried: Annotated[Tried | None, "What the exception would have hidden, once that was asked."]
    refusal: Annotated[str, "Why it was refused, or nothing."]
    advice: Annotated[str, "What to do about it, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of findings."]
    tabs: Annotated[Mapping[str, str], "Names of the technician's pages."]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked to be shown of a day."""

    day: int | None = None
    level: Level = Level.INFORMATIONAL
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An exception as it was typed."""

    traits: tuple[Trait, ...] = ()
    reason: str = ""
    until: str = ""
    tried: Preview | None = None
    refusal: str = ""
    advice: str = ""


def findings_page(told: Bunches | None, wanted: Wanted, words: Words, now: Instant) -> FindingsPage:
    """The page; ``told`` None: watch does not answer."""
    day = told.day if told else None
    return FindingsPage(
        silent=told is None,
        day=_day(day, words) if day else "",
        bunches=tuple(_line(each, words, now) for each in (told.bunches if told else ())),
        days=tuple(
            Choice(
                value=str(each.day),
                text=words.say("findings.day", day=_day(each.day, words), count=each.findings),
                chosen=each.day == day,
            )
            for each in (told.days if told else ())
        ),
        levels=tuple(
            Choice(value=str(level.value), text=_level(level, words), chosen=level is wanted.level)
            for level in Level
        ),
        kinds=(
            Choice(value="", text=words.say("findings.any-kind"), chosen=wanted.kind is None),
            *(
                Choice(
                    value=kind.value, text=words.say(f"finding-kind.{kind.value}"), chosen=kind is wanted.kind
                )
                for kind in Kind
            ),
        ),
        next=_next(day, wanted, told.next) if told and told.next else "",
        texts=words.under("findings"),
        tabs=words.under("technique"),
    )


def bunch_page(
    told: BunchTold | None, day: int, name: str, words: Words, now: Instant, here: Session, draft: Draft
) -> BunchPage:
    """One bunch; ``told`` None: watch does not answer."""
    bunch = told.bunch if told else None
    sentences = words.explain(Explanation.of(bunch.latest)) if bunch else ()
    today = on_the_wall(now).date()
    roles = frozenset(here.visitor.roles if here.visitor else ())
    missing = words.say("findings.silent" if told is None else "findings.gone")
    return BunchPage(
        csrf=here.csrf,
        address=f"/findings/{day}/{name}",
        rule=bunch.latest.rule if bunch else "",
        title=sentences[0] if sentences else missing,
        sentences=tuple(sentences[1:]),
        level=bunch.level.name.lower() if bunch else "",
        level_word=_level(bunch.level, words) if bunch else "",
        details=tuple(_details(bunch, words, now)) if bunch else (),
        findings=tuple(finding_line(each, words, now) for each in (told.findings if told else ())),
        next=f"/findings/{day}/{name}?before={told.before}" if told and told.before else "",
        may_change=bool(roles & takers(orders.MakeException)),
        traits=tuple(_offered(told, draft)) if told and bunch else (),
        reason=draft.reason,
        until=draft.until or (today + _USUAL).isoformat(),
        first_day=today.isoformat(),
        last_day=(today + timedelta(days=365)).isoformat(),
        tried=_tried(draft.tried, words, now) if draft.tried else None,
        refusal=plain(draft.refusal) if draft.refusal else "",
        advice=plain(draft.advice) if draft.advice else "",
        labels=words.under("label"),
        texts=words.under("findings"),
        tabs=words.under("technique"),
    )


def finding_line(kept: Kept, words: Words, now: Instant) -> FindingLine:
    """One finding as a line."""
    seen = kept.finding
    return FindingLine(
        when=moment(kept.read, now, words),
        said=words.explain(Explanation.of(seen))[0],
        where=f"{plain(seen.source)} : {seen.record}",
    )


def place_text(place: Place) -> str:
    """Where a page of bunches ended, for an address."""
    return f"{place.level.value}.{place.last}.{place.bunch}"


def place_of(text: str) -> Place:
    """The place of such a text. Raises ValueError when it is none."""
    level, _, rest = text.partition(".")
    last, _, bunch = rest.partition(".")
    return msgspec.convert({"level": level, "last": last, "bunch": bunch}, Place, strict=False)


def trait_of(sent: str) -> Trait:
    """A trait as the form sends it. Raises `msgspec.MsgspecError` when it is none."""
    field, value = msgspec.json.decode(sent, type=tuple[str, str])
    return Trait(field, value)


def _line(bunch: Bunch, words: Words, now: Instant) -> BunchLine:
    explained = Explanation.of(bunch.latest)
    said = words.explain(explained)
    return BunchLine(
        address=f"/findings/{bunch.day}/{bunch.id}",
        level=bunch.level.name.lower(),
        level_word=_level(bunch.level, words),
        said=said[0],
        means=said[2] if explained.where else said[1],
        counts=words.say("findings.counts", count=bunch.findings, events=bunch.events),
        when=_when(bunch, words, now),
    )


def _when(bunch: Bunch, words: Words, now: Instant) -> str:
    first, last = moment(bunch.first, now, words), moment(bunch.last, now, words)
    return last if first == last else words.say("findings.span", first=first, last=last)


def _details(bunch: Bunch, words: Words, now: Instant) -> Iterator[tuple[str, str]]:
    latest: Finding = bunch.latest
    yield words.say("findings.rule"), f"{plain(latest.title)} ({plain(latest.rule)})"
    yield words.say("findings.kind"), words.say(f"finding-kind.{bunch.kind.value}")
    yield words.say("findings.often"), words.say("findings.counts", count=bunch.findings, events=bunch.events)
    yield words.say("findings.when"), _when(bunch, words, now)
    if latest.tags:
        yield "ATT&CK", plain(", ".join(latest.tags))
    if latest.author:
        yield words.say("findings.author"), plain(latest.author)
    for thing in latest.observables[:_TRAITS]:
        yield words.say(f"finding-part.{thing.role.value}"), plain(thing.value)
    for proof in latest.proofs:
        if proof.value:
            yield plain(proof.field), plain(proof.value)


def _offered(told: BunchTold, draft: Draft) -> Iterator[TraitChoice]:
    known: Iterable[Trait] = [trait for each in told.findings for trait in each.traits]
    for trait in list(dict.fromkeys([*draft.traits, *(told.bunch.traits if told.bunch else ()), *known]))[
        :_TRAITS
    ]:
        yield TraitChoice(
            value=msgspec.json.encode([trait.field, trait.value]).decode(),
            text=f"{plain(trait.field)} = {plain(trait.value)}",
            chosen=trait in draft.traits,
        )


def _tried(tried: Preview, words: Words, now: Instant) -> Tried:
    since = moment(tried.since, now, words) if tried.since else ""
    return Tried(
        said=words.say("findings.tried", count=tried.hidden, looked=tried.looked_at, since=since),
        grave=words.say("findings.grave", count=tried.grave) if tried.grave else "",
        examples=tuple(finding_line(each, words, now) for each in tried.examples),
    )


def _level(level: Level, words: Words) -> str:
    return words.say(f"finding-level.{level.name.lower()}")


def _day(day: int, words: Words) -> str:
    return format_date(date.fromordinal(day), "full", locale=words.locale)


def _next(day: int | None, wanted: Wanted, place: Place) -> str:
    asked = {
        "day": day or "",
        "level": wanted.level.value,
        "kind": wanted.kind.value if wanted.kind else "",
        "after": place_text(place),
    }
    return f"/findings?{urlencode(asked)}"
