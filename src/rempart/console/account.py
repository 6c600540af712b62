"""The page of one's own account, and the one on which a device makes one more passkey for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.accounts.conversation import SHORTEST_PASSWORD, PersonShown, Registration, Turned
from rempart.console.signin import refusal
from rempart.console.when import moment
from rempart.console.words import Words, plain
from rempart.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPasskey:
    """One passkey, as a row."""

    id: str
    name: str
    made: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """What somebody signs in with, and what they can change of it themselves."""

    person: Annotated[str, "The account's id."]
    name: Annotated[str, "The person's name."]
    roles: Annotated[tuple[str, ...], "Their roles, in words."]
    passkeys: Annotated[tuple[OwnPasskey, ...], "Their passkeys, the oldest first."]
    recovery: Annotated[str, "How many recovery codes are left, in words."]
    shortest: Annotated[int, "Characters of the shortest password."]
    csrf: Annotated[str, "The session's form token."]
    refusal: Annotated[str, "Why the password was not changed, or nothing."]
    done: Annotated[str, "That it was changed, or nothing."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of one's own account."]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyPage:
    """Making one more passkey on this device, once."""

    refusal: Annotated[str, "Why it did not work, or nothing."]
    done: Annotated[bool, "Whether it is made and kept."]
    person: Annotated[str, "The account's id; empty when the link is not good."]
    name: Annotated[str, "The person's name."]
    link: Annotated[str, "The link's secret."]
    handle: Annotated[str, "Names the guard's question."]
    options: Annotated[str, "What the browser needs to make a passkey, as JSON."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of one's own account."]


def account_page(
    person: PersonShown,
    words: Words,
    now: Instant,
    csrf: str,
    *,
    turned: Turned | None = None,
    changed: bool = False,
) -> AccountPage:
    """The page, as the guard tells of this person."""
    held = sorted(person.passkeys, key=lambda each: each.made)
    return AccountPage(
        person=person.id,
        name=plain(person.name),
        roles=tuple(words.say(f"role.{role.value}") for role in person.roles),
        passkeys=tuple(
            OwnPasskey(id=each.id, name=plain(each.label), made=moment(each.made, now, words))
            for each in held
        ),
        recovery=words.say("me.recovery", count=person.recovery_left),
        shortest=SHORTEST_PASSWORD,
        csrf=csrf,
        refusal=refusal(words, turned) if turned else "",
        done=words.say("me.changed") if changed else "",
        labels=words.under("label"),
        texts=words.under("me"),
    )


def passkey_page(
    words: Words, link: str, good: Registration | None, turned: Turned | None = None, *, done: bool = False
) -> PasskeyPage:
    """The button of whoever holds the link; only the reason when it is not good."""
    return PasskeyPage(
        refusal=refusal(words, turned) if turned else "",
        done=done,
        person=good.person if good else "",
        name=plain(good.name) if good else "",
        link=link if good else "",
        handle=good.handle if good else "",
        options=good.options if good else "",
        labels=words.under("label"),
        texts=words.under("me"),
    )
