"""The first-run page: one step of the first hour, with all steps beside it. `rempart setup --browser` serves it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from rempart.console import flaw
from rempart.console.words import SENTENCES, Words, plain
from rempart.errors import RempartError, StationUnreachable, phrased
from rempart.first_hour.answers import DESCRIBING, Answers, Step, reachable
from rempart.first_hour.form import Fault
from rempart.first_hour.questions import MORE, Choice, Field, FieldKind
from rempart.incidents.incident import Sentence
from rempart.site.flaw import Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step in the list of all."""

    address: str
    text: str
    state: str
    """In words: done, to do, or waiting for an earlier one."""
    here: bool
    open: bool
    """Whether it can be made now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A field as the page shows it."""

    id: str
    kind: FieldKind
    label: str
    value: str
    options: tuple[tuple[str, str], ...]
    fault: str
    listed: bool
    """Its options are only offered: other text may be typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that belong to one thing."""

    name: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPage:
    """A step: what it asks, or what it does and did."""

    step: Annotated[str, "Name of the step in its address."]
    title: Annotated[str, "The step, in a word."]
    lead: Annotated[str, "What it is about."]
    stages: Annotated[tuple[Stage, ...], "All steps, in order."]
    groups: Annotated[tuple[Group, ...], "What is asked."]
    faults: Annotated[
        tuple[tuple[str, str], ...], "What cannot be taken: the field's id, or nothing, and why."
    ]
    deed: Annotated[str, "The button of a step that is done; empty for one that asks."]
    told: Annotated[tuple[str, ...], "What was done, in sentences."]
    link: Annotated[str, "The first account's one-time link, once it was made."]
    papers: Annotated[tuple[str, ...], "Names of the papers that were made; each can be opened."]
    blanks: Annotated[tuple[str, ...], "What is still blank in the description."]
    refusal: Annotated[str, "Why a deed could not be done."]
    advice: Annotated[str, "What to do about it."]
    finished: Annotated[bool, "Whether every step is done."]
    csrf: Annotated[str, "The session's form token."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of the first hour."]


_DEEDS = {Step.START: "write", Step.TEST: "attack", Step.PAPERS: "print"}


def setup_page(
    step: Step,
    answers: Answers,
    asked: Sequence[Field],
    words: Words,
    csrf: str,
    *,
    faults: Sequence[Fault] = (),
    told: Sequence[str] = (),
    link: str = "",
    papers: Sequence[str] = (),
    blanks: Sequence[Flaw] = (),
    failed: RempartError | None = None,
) -> SetupPage:
    """The page of a step. ``asked`` holds the values to show: after a fault those that were typed."""
    named = {field.id: field for field in asked}
    refusal, advice = undone(failed, words) if failed else ("", "")
    return SetupPage(
        step=step.value,
        title=words.say(f"setup.step.{step}"),
        lead=words.say(f"setup.lead.{step}"),
        stages=tuple(_stages(step, answers, words)),
        groups=tuple(_groups(asked, faults, words)),
        faults=tuple(
            (fault.field if fault.field in named else "", _said(fault, named, words)) for fault in faults
        ),
        deed="" if step in DESCRIBING else words.say(f"setup.{_DEEDS[step]}"),
        told=tuple(told),
        link=link,
        papers=tuple(papers),
        blanks=tuple(flaw.blank(each, words) for each in blanks),
        refusal=refusal,
        advice=advice,
        finished=all(map(answers.done, Step)),
        csrf=csrf,
        labels=words.under("label"),
        texts=words.under("setup"),
    )


def _stages(here: Step, answers: Answers, words: Words) -> Iterator[Stage]:
    for number, step in enumerate(Step, start=1):
        possible = reachable(answers, step)
        state = "done" if answers.done(step) else "open" if possible else "waits"
        yield Stage(
            address=f"/setup/{step}",
            text=f"{number}. {words.say(f'setup.step.{step}')}",
            state=words.say(f"setup.{state}"),
            here=step is here,
            open=possible,
        )


def _groups(asked: Sequence[Field], faults: Sequence[Fault], words: Words) -> Iterator[Group]:
    wrong = {fault.field: why(fault, words) for fault in faults}
    together: dict[tuple[str, str], list[Field]] = {}
    for field in asked:
        # Two empty rows have the same name: what stands before the last dot of the id keeps them apart.
        part = field.id.rpartition(".")[0] if field.group else ""
        together.setdefault((field.group, part if field.group == MORE else ""), []).append(field)
    for (name, _), fields in together.items():
        yield Group(
            name=_called(name, words), questions=tuple(_question(field, wrong, words) for field in fields)
        )


def _called(group: str, words: Words) -> str:
    return words.say("setup.another") if group == MORE else plain(group)


def _question(field: Field, wrong: Mapping[str, str], words: Words) -> Question:
    return Question(
        id=field.id,
        kind=field.kind,
        label=words.say(f"setup.field.{field.word}"),
        value=field.value,
        options=tuple((choice.value, _option(choice, words)) for choice in field.choices),
        fault=wrong.get(field.id, ""),
        listed=field.kind is FieldKind.TEXT and bool(field.choices),
    )


def _option(choice: Choice, words: Words) -> str:
    return plain(choice.text) if choice.text else words.say(f"setup.{choice.word}")


def _said(fault: Fault, named: Mapping[str, Field], words: Words) -> str:
    field = named.get(fault.field)
    if field is None:
        return why(fault, words)
    group = f"{_called(field.group, words)}, " if field.group else ""
    return words.labelled(f"{group}{words.say(f'setup.field.{field.word}')}", why(fault, words))


def why(fault: Fault, words: Words) -> str:
    """Why an answer was not taken, without the field's name."""
    return (
        flaw.tell(fault.flaw, words)
        if fault.flaw
        else words.say(f"setup.fault.{fault.word}", value=fault.value)
    )


def undone(fault: RempartError, words: Words) -> tuple[str, str]:
    """Why a step could not be done, and what to do now. What nobody has put into words yet stays in its English."""
    if fault.said is None:
        if isinstance(fault, StationUnreachable):
            fault = phrased(StationUnreachable, "deed-silent")
        else:
            return plain(fault.diagnostics().replace("\n", " "), SENTENCES), ""
    assert fault.said
    arguments = dict(fault.said.arguments)
    if steps := str(arguments.get("steps", "")):
        arguments["steps"] = ", ".join(words.say(f"setup.step.{each}") for each in steps.split(", "))
    what, now = f"refused.{fault.said.key}", f"refused.{fault.said.key}-now"
    return (
        words.tell(Sentence(what, arguments)),
        words.tell(Sentence(now, arguments)) if words.has(now) else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotePage:
    """One sentence: for strangers, and when the page is closed."""

    title: Annotated[str, "The first hour."]
    text: Annotated[str, "What there is to say."]


def note_page(words: Words, word: str) -> NotePage:
    """The sentence of key ``setup.<word>``."""
    return NotePage(title=words.say("setup.title"), text=words.say(f"setup.{word}"))
