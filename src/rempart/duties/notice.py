"""The notices that come with the installation, as data: to staff, to residents, and the draft impact assessment.

Facts come from the site's description and from how the station works; what is a person's to say is left blank. Whether
the assessment is mandatory, and what the law of labour asks, is put as a question and never answered.
"""

from collections.abc import Callable, Iterable

from rempart.duties.document import Field, Fields, Paper, Prose, Signature
from rempart.duties.words import Words, plain
from rempart.instants import Instant
from rempart.site.language import Language
from rempart.site.site import Site

_OFFICER = "privacy-officer"

Say = Callable[..., str]


def staff(site: Site, words: Words, language: Language, now: Instant) -> Paper:
    """What whoever works here is told (GDPR, articles 13 and 14)."""
    say = _saying(words, language)
    return _paper(
        "staff.title",
        site,
        say,
        language,
        now,
        (
            Prose(say("head.what"), (say("staff.what", name=site.name), say("staff.cut"))),
            Prose(say("head.not"), tuple(say(f"staff.not-{number}") for number in (1, 2, 3))),
            *_rights(site, say),
        ),
    )


def residents(site: Site, words: Words, language: Language, now: Instant) -> Paper:
    """What residents, patients and their families are told."""
    say = _saying(words, language)
    return _paper(
        "residents.title",
        site,
        say,
        language,
        now,
        (
            Prose(say("head.what"), (say("residents.what", name=site.name), say("residents.guests"))),
            Prose(say("head.not"), (say("residents.not"),)),
            *_rights(site, say),
        ),
    )


def impact(site: Site, words: Words, language: Language, now: Instant) -> Paper:
    """The draft of an assessment with the parts that article 35(7) of the GDPR names."""
    say = _saying(words, language)
    lifelines = ", ".join(opening.name for opening in site.lifelines())
    sources = (say("impact.own"), *(f"{log.path} ({log.decoder})" for log in site.logs))
    known = (
        ("field.controller", site.name),
        ("field.purpose", say("impact.purpose")),
        ("field.data", say("impact.data")),
        ("field.sources", "\n".join(sources)),
        ("field.zones", ", ".join(zone.name for zone in site.zones)),
        ("field.persons", str(site.records_kept or "")),
        ("field.where", say("impact.where")),
    )
    risks = (
        Field(say(f"risk.{risk}"), say(f"risk.{risk}-then", lifelines=lifelines))
        for risk in ("workers", "files", "box", "care")
    )
    asked = ("needed", "officer", "views", "agreement", "severity", "consult", "review")
    return _paper(
        "impact.title",
        site,
        say,
        language,
        now,
        (
            Fields(say("head.description"), tuple(_known(say(key), value, say) for key, value in known)),
            Prose(say("head.need"), (say("impact.need-1"), say("impact.need-2"))),
            Fields(say("head.risks"), tuple(risks)),
            Fields(
                say("head.decide"),
                (
                    *(_blank(say(f"field.{key}"), say) for key in ("basis", "kept")),
                    *(_blank(say(f"decide.{key}"), say) for key in asked),
                ),
            ),
            Signature(say("head.sign"), say("sign.line")),
        ),
    )


def _saying(words: Words, language: Language) -> Say:
    def say(key: str, **arguments: object) -> str:
        return words.say(key, language, **arguments)

    return say


def _paper(
    title: str,
    site: Site,
    say: Say,
    language: Language,
    now: Instant,
    sections: Iterable[Fields | Prose | Signature],
) -> Paper:
    return Paper(
        title=say(title),
        subtitle=plain(site.name),
        notice=say("notice.draft"),
        language=language,
        page=say("word.page"),
        as_of=now,
        sections=tuple(sections),
    )


def _rights(site: Site, say: Say) -> tuple[Prose, Fields]:
    officer = next((each for each in site.contacts if each.role == _OFFICER), None)
    named = officer is not None and officer.name != say(
        "field.officer"
    )  # a template knows only what they are
    return (
        Prose(say("head.rights"), (say("rights"),)),
        Fields(
            "",
            (
                _known(say("field.controller"), site.name, say),
                _known(say("field.officer"), officer.name if officer and named else "", say),
                _known(say("field.phone"), (officer.phone if officer else "") or site.phone, say),
                _blank(say("field.basis"), say),
                _blank(say("field.kept"), say),
            ),
        ),
    )


def _known(label: str, value: str, say: Say) -> Field:
    """A fact, or a line for it when nobody has said it."""
    return Field(label, "\n".join(map(plain, value.split("\n")))) if value else _blank(label, say)


def _blank(label: str, say: Say) -> Field:
    return Field(label, say("word.to-fill"), blank=True)
