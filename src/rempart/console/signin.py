"""The pages on which people sign in, and on which they choose what they sign in with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.accounts.conversation import SHORTEST_PASSWORD, CredentialsKept, LinkGood, Turned
from rempart.console.squares import Squares, squares
from rempart.console.words import Words, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """Says nothing of the site, not even its name."""

    refusal: Annotated[str, "Why it did not work, or nothing."]
    name: Annotated[str, "The name that was given, so that it need not be typed again."]
    sign_on: Annotated[str, "What the way over the identity provider is called; empty: there is none."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """Choosing a password, a code generator and a passkey, once."""

    refusal: Annotated[str, "Why it did not work, or nothing."]
    person: Annotated[str, "The account's id; empty when the link is not good."]
    name: Annotated[str, "The person's name."]
    link: Annotated[str, "The link's secret."]
    handle: Annotated[str, "Names the guard's question."]
    options: Annotated[str, "What the browser needs to make a passkey, as JSON."]
    totp: Annotated[str, "The generator's secret, in groups of four."]
    totp_address: Annotated[str, "The same as an address that generators open."]
    squares: Annotated[Squares | None, "That address for the camera of another telephone."]
    shortest: Annotated[int, "Characters of the shortest password."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """What was chosen is kept; the recovery codes, shown once."""

    person: Annotated[str, "The account's id."]
    recovery: Annotated[tuple[str, ...], "The codes, to be printed."]
    passkey: Annotated[bool, "Whether there is a passkey among what was chosen."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameInPage:
    """Back from the identity provider; goes on by itself to the duty page."""

    texts: Annotated[Mapping[str, str], "The words of one's own account."]


def sign_in_page(
    words: Words, turned: Turned | None = None, name: str = "", *, sign_on: bool = False
) -> SignInPage:
    """The form, with what went wrong the last time."""
    return SignInPage(
        refusal=refusal(words, turned) if turned else "",
        name=plain(name) if name else "",
        sign_on=words.say("me.sign-on") if sign_on else "",
        labels=words.under("label"),
        texts=words.under("account"),
    )


def link_page(words: Words, link: str, good: LinkGood | None, turned: Turned | None = None) -> LinkPage:
    """The choices of the person whose link it is; only the reason when it is not good."""
    secret = good.totp if good else ""
    return LinkPage(
        refusal=refusal(words, turned) if turned else "",
        person=good.person if good else "",
        name=plain(good.name) if good else "",
        link=link if good else "",
        handle=good.handle if good else "",
        options=good.options if good else "",
        totp=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        totp_address=good.totp_address if good else "",
        squares=squares(good.totp_address) if good else None,
        shortest=SHORTEST_PASSWORD,
        labels=words.under("label"),
        texts=words.under("account"),
    )


def kept_page(words: Words, kept: CredentialsKept) -> KeptPage:
    """The recovery codes, this once."""
    return KeptPage(
        person=kept.person,
        recovery=tuple(kept.recovery),
        passkey=kept.passkey,
        labels=words.under("label"),
        texts=words.under("account"),
    )


def refusal(words: Words, turned: Turned) -> str:
    """Why somebody was not let in, in words."""
    return words.say(f"turned.{turned.why.value}", seconds=turned.seconds)
