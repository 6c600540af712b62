"""The duty page: how things are, the proof, whom to call, the house and its doors, what happens, what to do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from rempart.care.attestation import Standing
from rempart.console.audience import NO_TASKS, Audience, Tasked
from rempart.console.by_hand import HandDeed, cutting
from rempart.console.clocks import LegalClocks, legal_clocks
from rempart.console.cut import Cut, Turn, cut
from rempart.console.house import House, house
from rempart.console.naming import Names
from rempart.console.taking import Asking, asking, taken
from rempart.console.when import clock, length, moment
from rempart.console.words import Words, plain
from rempart.engine import orders
from rempart.engine.rights import takers
from rempart.incidents.incident import IncidentState, Sentence
from rempart.instants import Instant, seconds
from rempart.messages import IncidentStatus, MeasureStatus, Posture, Status, TroubleStatus, WardStatus
from rempart.site.opening import OpeningState
from rempart.site.placement import Placement
from rempart.site.site import Contact, Site
from rempart.telling.digest import sentences

FRESH = seconds(30)
"""A reading of the kernel older than this proves nothing any more."""

_STORY = 12
"""Steps of an incident's story that the page shows, the latest."""

_ANSWERS = 5
"""Latest alerts of which it is told how soon a person acted."""

CARE = "/care"
INCIDENTS = "/incidents"
REOPENING = "/reopening"
MASKS = "/masks"
HEALTH = "/health"
NUMBERS = "/poster/numbers"
ATTACK = "/poster/attack"
"""Pages of ours to which this one leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Somebody to call."""

    name: str
    phone: str
    link: str
    """``tel:`` and the digits; empty when the number is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What has been checked, and how long ago. ``mood``: good, doubt or bad."""

    text: str
    mood: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do now. ``link``: where it is done, a page of ours or a number to dial; may be empty."""

    id: str
    """What is to be done, of whom or of what: the same while it is to be done, whatever comes before it."""
    text: str
    detail: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Something the wall does not reach."""

    name: str
    action: str
    call: Call | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One incident in a sentence, and, for those who may see it, all that is known of it one fold below."""

    id: str
    sentence: str
    since: str
    story: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    link: str
    """Its own page; empty for whoever may not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyPage:
    """Everything the duty page shows."""

    clock: Annotated[str, "Weekday and hour on a Belgian wall when the page was made."]
    posture: Annotated[
        str, "normal, watchful, contained, reopening or unknown; class of the bar beside the sentence."
    ]
    sentence: Annotated[str, "How things are, in one sentence."]
    care: Annotated[str, "What it means for care, in one or two sentences."]
    proof: Annotated[Proof, "What was checked and how long ago."]
    unwatched: Annotated[str, "Since when nothing is watched, because watch says nothing; empty: it is."]
    wards: Annotated[Proof | None, "What the wards say in this shift; nothing while nothing is cut."]
    asking: Annotated[Asking | None, "What asks for somebody and was not taken yet."]
    taken: Annotated[str, "Who took the latest alert, in a sentence, or nothing."]
    call: Annotated[Call | None, "The first person to call, or nobody while no number is filled in."]
    cut: Annotated[
        Cut | None,
        "The cut, offered to those from whom the guard takes it; not while it stands and would shut nothing.",
    ]
    by_hand: Annotated[
        tuple[HandDeed, ...], "How to cut by hand, step by step; nothing where the station does it."
    ]
    report: Annotated[
        str,
        "What the report is called that is offered: that care is blocked by the cut, or, while nothing is cut, that "
        "something does not work; empty: none is.",
    ]
    house: Annotated[House, "The house and its doors."]
    tasks: Annotated[tuple[Task, ...], "At most three things to do now."]
    clocks: Annotated[LegalClocks | None, "Legal clocks that run, for those who check on things only."]
    contacts: Annotated[tuple[Call, ...], "Whom to call, in order."]
    outside: Annotated[tuple[Outside, ...], "What is not behind this wall."]
    happenings: Annotated[tuple[Happening, ...], "Incidents that are not over, the gravest first."]
    day: Annotated[
        tuple[str, ...],
        "The day so far; empty while nothing was counted, and while something asks for somebody.",
    ]
    background: Annotated[str, "The rest of the incidents in one sentence, or nothing."]
    ground: Annotated[
        tuple[tuple[str, str], ...], "Technical facts for the fold at the foot: label and value."
    ]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]


def duty_page(
    site: Site,
    status: Status | None,
    seen: Instant | None,
    now: Instant,
    words: Words,
    audience: Audience = Audience.NIGHT,
    tasked: Tasked = NO_TASKS,
) -> DutyPage:
    """The page for ``audience``. ``status`` None: no guard answers; ``seen`` is when it last did. ``tasked``: by
    what the tasks of whoever looks differ (`rempart.console.audience.tasked`)."""
    told_all = audience is Audience.INFORMED
    calls = contacts(site, words, named=told_all)
    names = Names(site, words, addresses=told_all)
    happenings, background = _incidents(status, now, names, told_all=told_all)
    red = cut(site, status, now, words)
    asks = asking(status, now, words, audience)
    tasks = tuple(_tasks(status, now, names, audience, tasked))[:3] if audience.may_order else ()
    return DutyPage(
        clock=clock(now, words),
        posture=stance(status),
        sentence=sentence(status, seen, now, words),
        care=_care(site, status, words),
        proof=proof(status, now, words),
        unwatched=_unwatched(status, now, words),
        wards=_wards(status, now, words),
        asking=asks,
        taken=taken(status, now, words, named=told_all),
        call=next((each for each in calls if each.link), None),
        cut=red if audience.may_order and site.enforces and red.turn is not Turn.IDLE else None,
        by_hand=cutting(site, status, now, words, audience),
        report=_report(status, words) if audience.may_order else "",
        house=house(site, status, now, words, addresses=told_all),
        tasks=tasks,
        clocks=legal_clocks(status, now, words, _about(status, names)) if told_all else None,
        contacts=calls,
        outside=tuple(
            Outside(
                name=plain(each.name),
                action=plain(each.action),
                call=call("", each.phone, words) if each.phone else None,
            )
            for each in site.outside_wall
        ),
        happenings=happenings,
        background=background,
        day=tuple(_day(status, words, quiet=not tasks)) if asks is None else (),
        ground=tuple(_ground(status, now, words)) if told_all else (),
        labels=words.under("label"),
    )


def call(name: str, phone: str, words: Words) -> Call:
    """A name with its number; without a number it says so."""
    digits = re.sub(r"[^0-9+]", "", phone)
    return Call(
        name=plain(name),
        phone=plain(phone) if digits else words.say("word.no-number"),
        link=f"tel:{digits}" if digits else "",
    )


def contacts(site: Site, words: Words, *, named: bool = False) -> tuple[Call, ...]:
    """Whom to call, in the site's order: by their names, or, for whoever may not see them, by what they are."""
    return tuple(call(_called(each, words, named=named), each.phone, words) for each in site.contacts)


def _called(contact: Contact, words: Words, *, named: bool) -> str:
    key = f"contact.{contact.role}"
    return words.say(key) if words.has(key) and not named else contact.name


def stance(status: Status | None) -> str:
    """The posture as the bar beside the sentence shows it; unknown while nobody watches, for it may be another."""
    if status is None or (status.unwatched is not None and status.posture is Posture.NORMAL):
        return "unknown"
    return status.posture.value


def _care(site: Site, status: Status | None, words: Words) -> str:
    key = status.posture.value if status else "unknown"
    return words.say(f"care.{key}", **_doors(status)) if site.enforces else words.say("care.observer")


def sentence(status: Status | None, seen: Instant | None, now: Instant, words: Words) -> str:
    """How things are. What is not known, because no guard answers, is said to be so."""
    if status and status.unwatched is not None and status.posture is Posture.NORMAL:
        return words.say("posture.unwatched")
    if status:
        return words.say(f"posture.{status.posture.value}", since=moment(status.since, now, words))
    if seen:
        return words.say("posture.lost", seen=moment(seen, now, words))
    return words.say("posture.unknown")


def _doors(status: Status | None) -> dict[str, int]:
    states = [opening.state for opening in status.openings] if status else []
    return {state.value: states.count(state) for state in OpeningState}


def proof(status: Status | None, now: Instant, words: Words) -> Proof:
    """What the kernel and the proxy were last read to hold, and when; an observer holds nothing."""
    if status is None:
        return Proof(text=words.say("proof.unknown"), mood="bad")
    if status.placement is Placement.OBSERVER:
        return Proof(text=words.say("proof.observer"), mood="doubt")
    if status.enforcement_fault:
        return Proof(text=words.say("proof.fault"), mood="bad")
    if status.enforcement_verified is None:
        return Proof(text=words.say("proof.never"), mood="doubt")
    if status.unproved:
        return Proof(text=words.say("proof.changed"), mood="doubt")
    age = max(0, now - status.enforcement_verified)
    what = "cut" if status.posture in (Posture.CONTAINED, Posture.REOPENING) else "doors"
    key, mood = (f"proof.{what}", "good") if age <= FRESH else ("proof.stale", "doubt")
    return Proof(text=words.say(key, ago=words.say("time.ago", length=length(age, words))), mood=mood)


def _unwatched(status: Status | None, now: Instant, words: Words) -> str:
    if status is None or status.unwatched is None:
        return ""
    return words.say("proof.unwatched", since=moment(status.unwatched, now, words))


def is_cut(status: Status | None) -> bool:
    """Whether the site is known to be cut, in part or in whole."""
    return status is not None and status.posture in (Posture.CONTAINED, Posture.REOPENING)


def _report(status: Status | None, words: Words) -> str:
    """What a person on a ward may say: never that the cut is to blame while nothing is known to be cut."""
    if is_cut(status):
        return words.say("label.care")
    calm = status is not None and status.posture is Posture.NORMAL
    return "" if calm else words.say("label.broken")


def _wards(status: Status | None, now: Instant, words: Words) -> Proof | None:
    """Whether the wards say that care goes on. What one ward has against it counts more than who is silent."""
    if status is None or not status.care.wards or not is_cut(status):
        return None
    said = status.care.wards
    if troubled := [plain(ward.name) for ward in said if ward.standing == Standing.TROUBLED]:
        return Proof(text=words.say("wards.troubled", wards=", ".join(troubled)), mood="bad")
    if unheard := [plain(ward.name) for ward in said if ward.standing == Standing.UNHEARD]:
        return Proof(text=words.say("wards.unheard", wards=", ".join(unheard)), mood="doubt")
    latest = max((ward.at for ward in said if ward.at), default=now)
    return Proof(text=words.say("wards.confirmed", at=moment(latest, now, words)), mood="good")


# -- what to do --------------------------------------------------------------------------------------------------


def _tasks(
    status: Status | None, now: Instant, names: Names, audience: Audience, tasked: Tasked
) -> Iterator[Task]:
    """What is to be done, the most pressing first."""
    words, told_all = names.words, audience is Audience.INFORMED
    if status is None:
        yield _task("look", words)
        return
    if status.unwatched is not None:
        yield _task("unwatched", words)
    if told_all:
        yield from (
            _unblock(each, status, now, names) for each in status.care.troubles if each.settled is None
        )
    for proposal in (each for incident in status.incidents for each in incident.proposals):
        key = f"task.decide.{proposal.action}"
        text = words.say(
            key if words.has(key) else "task.decide.other", target=names.of(proposal.target, "address")
        )
        link = f"{INCIDENTS}/{proposal.incident}" if told_all else ""
        yield Task(id=f"decide-{proposal.id}", text=text, detail=words.say("task.decide.detail"), link=link)
    yield from _asked_of_roles(status, now, words, tasked)
    if is_cut(status):
        if unheard := [each for each in status.care.wards if each.standing == Standing.UNHEARD]:
            yield _ask(unheard, words)
        yield _task("numbers", words, NUMBERS)
        if names.site.outside_wall:
            yield _task("outside", words, "#outside-title")


def _asked_of_roles(status: Status, now: Instant, words: Words, tasked: Tasked) -> Iterator[Task]:
    """What waits for one role alone; a request for names for a second person, never for whoever made it."""
    ends = [
        asked.agreeable_until
        for asked in (each.unmasking for each in status.incidents)
        if asked and asked.readable_until is None and now < asked.agreeable_until
        if asked.by != tasked.asker
    ]
    if ends and tasked.roles & takers(orders.AgreeUnmasking):
        until = words.say("task.unmask.detail", until=moment(min(ends), now, words))
        yield Task(id="unmask", text=words.say("task.unmask.text"), detail=until, link=MASKS)
    if status.clock_leapt and tasked.roles & takers(orders.ConfirmClock):
        leapt = words.say("task.clock.detail", at=moment(status.clock_leapt, now, words))
        yield Task(id="clock", text=words.say("task.clock.text"), detail=leapt, link=f"{HEALTH}#clock")


def _unblock(trouble: TroubleStatus, status: Status, now: Instant, names: Names) -> Task:
    """Care that is blocked: where its door is shut, that is one step away, ready to be opened by whoever may."""
    door = may_be_shut(names.site, trouble.service, status)
    key = "blocked" if door or is_cut(status) else "broken"
    return Task(
        id=f"trouble-{trouble.id}",
        text=names.words.say(f"task.{key}.text", what=_service(trouble.service, names)),
        detail=names.words.say(f"task.{key}.detail", at=moment(trouble.at, now, names.words)),
        link=f"{REOPENING}#door-{trouble.service}" if door else f"{CARE}?trouble={trouble.id}",
    )


def may_be_shut(site: Site, service: str, status: Status | None) -> bool:
    """Whether it is an opening that the station may keep from being used: never where it only watches."""
    states = {each.id: each.state for each in status.openings} if status else {}
    known = any(each.id == service for each in site.openings)
    return site.enforces and known and states.get(service) is not OpeningState.OPEN


def _service(service: str, names: Names) -> str:
    known = next((each.name for each in names.site.openings if each.id == service), None)
    return known or service


def _ask(unheard: Sequence[WardStatus], words: Words) -> Task:
    """The wards to call are one thing to do, the first of them at once: the others must not push the numbers away."""
    first, *others = (call(ward.name, ward.phone or "", words) for ward in unheard)
    numbers = (first.phone, *(f"{each.name} {each.phone}" for each in others))
    whole = (
        re.sub(r"(?<=\d) (?=\d)", "\u00a0", each) for each in numbers
    )  # a number broken in two is misread
    return Task(
        id=f"ward-{unheard[0].id}",
        text=words.say("task.ward.text", ward=first.name),
        detail=" · ".join(whole),
        link=first.link,
    )


def _task(key: str, words: Words, link: str = "") -> Task:
    return Task(id=key, text=words.say(f"task.{key}.text"), detail=words.say(f"task.{key}.detail"), link=link)


def _day(status: Status | None, words: Words, *, quiet: bool) -> Iterator[str]:
    """The day so far. While something is to be done, nothing says that there is not."""
    if status is None or not status.day.since:
        return
    for each in sentences(status.day):
        if each.arguments["count"] or (quiet and each.key == "digest.nothing-to-do"):
            yield words.tell(each)


# -- what happens ------------------------------------------------------------------------------------------------


def _incidents(
    status: Status | None, now: Instant, names: Names, *, told_all: bool
) -> tuple[tuple[Happening, ...], str]:
    """Those that matter told in full; those that were never more than background counted in one sentence."""
    words = names.words
    going_on = [each for each in status.incidents if each.state is not IncidentState.CLOSED] if status else []
    graver = sorted(
        (each for each in going_on if each.level >= 2), key=lambda each: (-each.level, -each.last_seen)
    )
    told = tuple(_happening(each, now, names, told_all=told_all) for each in graver)
    rest = len(going_on) - len(graver)
    if rest:
        return told, words.say("happening.background", count=rest)
    if not told:
        return told, words.say(
            "happening.none" if status and status.unwatched is None else "happening.unknown"
        )
    return told, ""


def _about(status: Status | None, names: Names) -> dict[str, str]:
    """Incidents in a sentence each, by id."""
    return {each.id: told_of(each, names) for each in status.incidents} if status else {}


def _happening(incident: IncidentStatus, now: Instant, names: Names, *, told_all: bool) -> Happening:
    words = names.words
    return Happening(
        id=plain(incident.id),
        sentence=told_of(incident, names),
        since=words.say(
            "happening.since",
            since=moment(incident.opened, now, words),
            seen=moment(incident.last_seen, now, words),
        ),
        story=tuple(
            (moment(at, now, words), words.tell(_readable(sentence, names)))
            for at, sentence in incident.story[-_STORY:]
        )
        if told_all
        else (),
        facts=tuple(_facts(incident, words)) if told_all else (),
        link=f"{INCIDENTS}/{incident.id}" if told_all else "",
    )


def told_of(incident: IncidentStatus, names: Names) -> str:
    """The incident in one sentence, with the names people use."""
    said = names.words.tell(_readable(incident.summary, names))
    return said[:1].upper() + said[1:]


def _readable(sentence: Sentence, names: Names) -> Sentence:
    """The sentence with the names people use for machines and openings, and words for what is not known or told."""
    arguments = dict(sentence.arguments)
    for key, otherwise in (
        ("asset", "machine"),
        ("assets", "machine"),
        ("actor", "address"),
        ("opening", "machine"),
    ):
        if isinstance(arguments.get(key), str):
            arguments[key] = names.of_all(arguments[key].split(", "), otherwise)
    return Sentence(sentence.key, arguments)


def _facts(incident: IncidentStatus, words: Words) -> Iterator[tuple[str, str]]:
    if incident.persons_touched is not None:
        yield words.say("fact.persons"), words.say("fact.persons-seen", count=incident.persons_touched)
    for key, values in (
        ("actors", incident.actors),
        ("accounts", incident.accounts),
        ("machines", incident.assets),
    ):
        if values:
            yield words.say(f"fact.{key}"), plain(", ".join(values))
    yield words.say("fact.findings"), str(incident.findings)
    for part in ("author", "ransom", "outcome"):
        value = getattr(incident.qualification, part)
        known = f"word.{value}"
        yield words.say(f"fact.{part}"), words.say(known) if words.has(known) else plain(value)
    yield words.say("fact.number"), plain(incident.id)


def _ground(status: Status | None, now: Instant, words: Words) -> Iterator[tuple[str, str]]:
    if status is None:
        return
    if status.enforcement_fault:
        yield words.say("fact.fault"), plain(status.enforcement_fault)
    for measure in status.measures:
        yield _measured(measure, now, words)
    if status.answer_seconds:
        answered = (length(each * seconds(1), words) for each in status.answer_seconds[-_ANSWERS:])
        yield words.say("fact.answered"), ", ".join(answered)
    yield words.say("fact.journal"), str(status.journal_entries)
    yield words.say("fact.root"), status.journal_root


def _measured(measure: MeasureStatus, now: Instant, words: Words) -> tuple[str, str]:
    key = f"measure.{measure.action}"
    label = words.say(key) if words.has(key) else plain(measure.action)
    ends = "measure.until" if measure.until else "measure.lifted"
    until = words.say(ends, until=moment(measure.until, now, words) if measure.until else "")
    return label, f"{plain(measure.target)}, {until}"
