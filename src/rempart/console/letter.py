"""A message put into words, in the language of whom it is for: as mail, as a text message, and for a program."""

from collections.abc import Iterator

from rempart.console.when import moment
from rempart.console.words import Words, words
from rempart.incidents.incident import Sentence
from rempart.instants import Instant, rfc3339
from rempart.site.site import Site
from rempart.site.telling import Recipient
from rempart.telling import digest, pdu
from rempart.telling.alert import Urgency
from rempart.telling.digest import Day
from rempart.telling.message import Letter, Message, MessageKind

SHORT_PARTS = 2
"""Parts of a text message; what does not fit is left out, the least needed first."""

_TYPOGRAPHY = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "…": "...", "\u00a0": " "}
)
"""What a network's alphabet has in a plainer form; with it a text goes in half as many parts."""


def letter(site: Site, recipient: Recipient, message: Message, now: Instant) -> Letter:
    """The message for that person."""
    said = words(recipient.language)
    subject = said.say(f"message.subject-{_subject(message)}", site=site.name)
    sentences = tuple(_sentences(message, said, now))
    return Letter(
        id=message.id,
        subject=subject,
        body="\n".join((*sentences, *_closing(site, message, said, by_text=False))) + "\n",
        short=_short(subject, sentences, tuple(_closing(site, message, said, by_text=True))),
        facts={
            "site": site.id,
            "kind": message.kind.value,
            "alert": message.alert,
            "about": message.about.key,
            "urgency": message.urgency.name.lower().replace("_", "-"),
            "since": rfc3339(message.raised),
            "text": " ".join(sentences),
        },
    )


def _subject(message: Message) -> str:
    if message.kind is not MessageKind.ALERT:
        return message.kind.value
    return "now" if message.urgency is Urgency.NOW else "can-wait"


def _sentences(message: Message, said: Words, now: Instant) -> Iterator[str]:
    """What it is, and what to do."""
    match message.kind:
        case MessageKind.DIGEST:
            yield from digested(Day(since=message.raised, **message.about.arguments), said)
        case MessageKind.TAKEN:
            yield said.say("message.taken", about=said.tell(message.about))
        case _:
            yield said.tell(message.about)
            yield said.tell(Sentence(message.todo))
            yield said.say("message.since", hour=moment(message.raised, now, said))


def digested(day: Day, said: Words) -> Iterator[str]:
    """The day's summary, sentence by sentence."""
    return (said.tell(sentence) for sentence in digest.sentences(day))


def _closing(site: Site, message: Message, said: Words, *, by_text: bool) -> Iterator[str]:
    """How to take it, whom to call, where the page is: the most needed first."""
    if message.kind in (MessageKind.ALERT, MessageKind.AGAIN, MessageKind.TEST):
        takes = "reply" if by_text and site.telling.modem else "acknowledge"
        yield said.say(f"message.{takes}", code=message.code)
        numbers = [contact.phone for contact in site.contacts if contact.phone]
        if numbers:
            yield said.say("message.call", phone=numbers[0])
    if site.telling.page and message.kind is not MessageKind.TAKEN:
        yield said.say("message.page", page=site.telling.page)


def _short(subject: str, sentences: tuple[str, ...], closing: tuple[str, ...]) -> str:
    """As much as fits in `SHORT_PARTS`: what it is, cut if it must be, and always how to take it, at the end."""
    head, takes = f"{subject}. {sentences[0]}", closing[:1]
    while _parts([head, *takes]) > SHORT_PARTS:
        head = head[: len(head) * 9 // 10].rstrip("…") + "…"
    kept = [head]
    for optional in (*sentences[1:], *closing[1:]):
        if _parts([*kept, optional, *takes]) <= SHORT_PARTS:
            kept.append(optional)
    return _plain([*kept, *takes])


def _parts(sentences: list[str]) -> int:
    return pdu.parts(_plain(sentences))


def _plain(sentences: list[str]) -> str:
    return " ".join(sentences).translate(_TYPOGRAPHY)
