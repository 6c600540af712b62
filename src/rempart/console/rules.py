"""The page of rules: which are in force, which are refused and why, and the sets they come from."""

from collections.abc import Sequence

from rempart.console.sheet import Card, Line, Mood, SheetPage, sheet
from rempart.console.when import moment
from rempart.console.words import Words, plain
from rempart.detection.finding import Level
from rempart.detection.inquiry import ProblemTold, RuleFilesTold, RulesTold
from rempart.instants import Instant


def rules_page(told: RulesTold | None, words: Words, now: Instant) -> SheetPage:
    """The page; ``told`` None: watch does not answer."""
    if told is None:
        return sheet("rules", words, (), silent=True)
    levels = tuple(
        Line(
            name=words.say(f"finding-level.{level.name.lower()}"),
            notes=(str(told.levels.get(level.name.lower(), 0)),),
        )
        for level in reversed(Level)
    )
    cards = (
        Card(
            title=words.say("rules.levels"),
            lead=words.say("rules.indicators", count=told.indicators),
            lines=levels,
        ),
        Card(
            title=words.say("rules.sets"),
            lines=(
                _set("rules.current", told.current, words, now),
                _set("rules.previous", told.previous, words, now),
            ),
        ),
        _problems("refused", told.refused, told.refused_more, words),
        _problems("waiting", told.waiting, told.waiting_more, words),
    )
    return sheet("rules", words, cards)


def _set(name: str, told: RuleFilesTold | None, words: Words, now: Instant) -> Line:
    if told is None:
        return Line(name=words.say(name), notes=(words.say("rules.no-set"),))
    since = (words.say("rules.since", since=moment(told.installed, now, words)),) if told.installed else ()
    notes = (plain(told.source), words.say("rules.files", count=told.files), *since, f"sha256 {told.sha256}")
    return Line(name=words.say(name), notes=notes)


def _problems(kind: str, told: Sequence[ProblemTold], more: int, words: Words) -> Card:
    mood = Mood.BAD if kind == "refused" else Mood.PLAIN
    word = words.say("health.bad") if kind == "refused" else ""
    lines = [
        Line(name=plain(each.what), mood=mood, word=word, notes=(plain(each.where), plain(each.mend)))
        for each in told
    ]
    if more:
        lines.append(Line(name=words.say("rules.more", count=more)))
    title = words.say(f"rules.{kind}", count=len(told) + more)
    return Card(title=title, lead=words.say(f"rules.{kind}-lead") if told else "", lines=tuple(lines))
