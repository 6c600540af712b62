"""The page of logs: what is heard from each, and which have fallen silent."""

from babel.numbers import format_decimal

from rempart.console.sheet import Card, Line, Mood, SheetPage, sheet
from rempart.console.when import length, moment
from rempart.console.words import Words, plain
from rempart.detection.inquiry import SourcesTold, SourceTold
from rempart.instants import Duration, Instant, seconds


def sources_page(told: SourcesTold | None, words: Words, now: Instant) -> SheetPage:
    """The page; ``told`` None: watch does not answer. Silent logs come first."""
    if told is None:
        return sheet("sources", words, (), silent=True)
    logs = sorted(told.sources, key=lambda each: (not each.silent, each.source))
    card = Card(title=summary(told, words), lines=tuple(_line(each, words, now) for each in logs))
    return sheet("sources", words, (card,))


def summary(told: SourcesTold, words: Words) -> str:
    """Whether any log is silent, in a sentence."""
    silent = sum(each.silent for each in told.sources)
    return words.say("sources.silent-some", count=silent) if silent else words.say("sources.silent-none")


def _line(told: SourceTold, words: Words, now: Instant) -> Line:
    mood = Mood.BAD if told.silent else Mood.UNKNOWN if told.last is None else Mood.GOOD
    said = {Mood.BAD: "silent-now", Mood.UNKNOWN: "never", Mood.GOOD: "heard"}[mood]
    before = [lines for lines in told.days[1:] if lines]
    notes = [told.decoder, plain(told.source)] if told.name else [told.decoder]
    if told.missing:
        notes.append(words.say("sources.missing"))
    if told.last is not None:
        notes.append(words.say("sources.last", last=moment(told.last, now, words)))
        notes.append(words.say("sources.today", count=told.days[0]))
    if told.every is not None:
        notes.append(_rhythm(told, told.every, words))
    if before:
        notes.append(words.say("sources.usual", count=sum(before) // len(before)))
    if told.undecoded:
        share = 100 * told.undecoded / max(1, sum(told.days))
        shown = format_decimal(round(share, 1), locale=words.locale)
        notes.append(words.say("sources.undecoded", share=shown))
    if told.failed:
        notes.append(
            words.say("sources.failed", count=told.failed, record=told.failed_at, reason=told.failure)
        )
    return Line(
        name=plain(told.name or told.source), mood=mood, word=words.say(f"sources.{said}"), notes=tuple(notes)
    )


def _rhythm(told: SourceTold, every: Duration, words: Words) -> str:
    """Why it counts as silent, or does not: its own past."""
    return words.say(
        "sources.rhythm",
        every=length(max(every, seconds(1)), words),
        pause=length(told.pause, words),
        patience=length(told.patience, words),
    )
