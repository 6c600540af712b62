"""Messages in words: read them in the snapshots. Bounded, in each language, with nothing in them that a log said."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from engine.home import SITE
from rempart.console.letter import SHORT_PARTS, letter
from rempart.console.words import words
from rempart.engine import tell
from rempart.incidents.incident import Sentence
from rempart.incidents.ranking import GRAVEST
from rempart.instants import after, hours, minutes, parse_rfc3339
from rempart.site.language import Language
from rempart.site.site import Contact
from rempart.site.telling import Channel, Modem, Recipient, Telling
from rempart.telling import pdu
from rempart.telling.alert import Urgency
from rempart.telling.message import Message, MessageKind

NIGHT = parse_rfc3339("2026-11-22T02:12:00+00:00")
HOME = replace(
    SITE,
    name="Les Tilleuls",
    contacts=(Contact(role="technician", name="Technician on call", phone="+32 4 000 00 20"),),
    telling=Telling(modem=Modem(device="/dev/ttyUSB0"), page="https://rempart.tilleuls.example/"),
)


def message(kind: MessageKind = MessageKind.ALERT, **fields: object) -> Message:
    values: dict[str, object] = {
        "id": "m",
        "kind": kind,
        "alert": "inc-1",
        "role": "duty",
        "channel": Channel.TEXT,
        "urgency": Urgency.NOW,
        "code": "ABCDEF",
        "about": Sentence("alert.records", {"where": "Soins"}),
        "todo": "todo.look",
        "raised": NIGHT,
        "until": after(NIGHT, hours(6)),
        **fields,
    }
    return Message(**values)  # type: ignore[arg-type]  # the fields are checked by Message's users


DIGEST = Sentence("digest", {"incidents": 37, "asked": 0, "blocked": 12, "unanswered": 0})
EVERY = [
    message(),
    message(MessageKind.AGAIN),
    message(MessageKind.TAKEN),
    message(MessageKind.TEST, about=Sentence("alert.test"), todo="todo.test"),
    message(MessageKind.DIGEST, about=DIGEST, todo="", code=""),
    message(urgency=Urgency.CAN_WAIT, about=Sentence("alert.trial", {"opening": "Portail"})),
    message(
        urgency=Urgency.CAN_WAIT,
        about=Sentence("alert.silence-named", {"count": 3, "where": "Portail"}),
        todo="todo.logs",
    ),
]


@pytest.mark.parametrize("language", Language)
def test_every_kind_of_message_in_words(language: Language, snapshot: SnapshotAssertion) -> None:
    recipient = Recipient(role="duty", language=language, text="+32470000001")
    told = []
    for each in EVERY:
        written = letter(HOME, recipient, each, after(NIGHT, minutes(1)))
        told += [f"-- {written.subject}", written.body, f"[{pdu.parts(written.short)}] {written.short}", ""]
    assert "\n".join(told) == snapshot


@pytest.mark.parametrize("language", Language)
def test_every_alert_has_words_in_every_language(language: Language) -> None:
    said = words(language)
    keys = {f"alert.{kind.value}" for kind in GRAVEST}
    keys |= {
        f"alert.{each}"
        for each in (
            "care",
            "trouble",
            "envelope",
            "crowd.one",
            "crowd.other",
            "cut",
            "relapse",
            "trial",
            "enforcement",
            "journal",
            "silence.one",
            "silence.other",
            "silence-named.one",
            "silence-named.other",
            "test",
        )
    }
    keys |= {
        f"todo.{each}"
        for each in ("look", "decide", "cut", "call-ward", "envelope", "technician", "logs", "test")
    }
    assert all(said.has(key) for key in keys)
    assert tell.CROWD == "crowd"


@settings(deadline=None)  # a busy machine is no mistake
@given(st.text(max_size=300), st.sampled_from(Language))
def test_a_text_message_is_bounded_and_says_its_code_whatever_the_zones_are_called(
    zone: str, language: Language
) -> None:
    recipient = Recipient(role="duty", language=language, text="+32470000001")
    written = letter(HOME, recipient, message(about=Sentence("alert.records", {"where": zone})), NIGHT)
    assert pdu.parts(written.short) <= SHORT_PARTS
    assert "ABCDEF" in written.short
    assert "\n" not in written.subject


def test_a_program_is_told_no_code() -> None:
    recipient = Recipient(role="hook", language=Language.ENGLISH, webhook="https://x.example/")
    assert "ABCDEF" not in repr(dict(letter(HOME, recipient, message(), NIGHT).facts))
