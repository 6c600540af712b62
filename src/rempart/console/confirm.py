"""The page on which a person's passkey confirms one order: what it says, word for word, and then one button."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from rempart.accounts.conversation import Question
from rempart.console.words import Words, plain
from rempart.engine.orders import AddPasskey, AnyOrder
from rempart.site.belgian_time import belgian

_MOMENTS = frozenset({"at", "on"})
"""Fields that hold an instant, which nobody reads as a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPage:
    """One order that waits for its passkey."""

    title: Annotated[str, "What the order does, in words."]
    fields: Annotated[tuple[tuple[str, str], ...], "What it says, field by field, as it will be sealed."]
    order: Annotated[str, "The order itself, as JSON."]
    handle: Annotated[str, "Names the guard's question."]
    options: Annotated[str, "What the browser needs to ask the passkey, as JSON."]
    back: Annotated[str, "Where to go afterwards."]
    csrf: Annotated[str, "The session's form token."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedPage:
    """A secret that an order made, shown once."""

    title: Annotated[str, "What it is."]
    handed: Annotated[str, "The link, the token or the code."]
    advice: Annotated[str, "For whom it is, and how long."]
    here: Annotated[
        str, "What the link is called when this very device may use it; empty: it is not for here."
    ]
    back_text: Annotated[str, "What the way back is called."]
    back: Annotated[str, "Where to go afterwards."]
    labels: Annotated[Mapping[str, str], "Headings and buttons in the page's language."]
    texts: Annotated[Mapping[str, str], "The words of accounts."]


def confirm_page(order: AnyOrder, question: Question, words: Words, csrf: str, back: str) -> ConfirmPage:
    """The order as it is, and the question to the passkey."""
    return ConfirmPage(
        title=_title(order, words),
        fields=tuple(_fields(order)),
        order=msgspec.json.encode(order).decode(),
        handle=question.handle,
        options=question.options,
        back=back,
        csrf=csrf,
        labels=words.under("label"),
        texts=words.under("account"),
    )


def handed_page(order: AnyOrder, handed: str, words: Words, back: str) -> HandedPage:
    """The secret, this once."""
    own = isinstance(order, AddPasskey)
    return HandedPage(
        title=_title(order, words),
        handed=handed,
        advice=words.say("me.handed-help" if own else "account.handed-help"),
        here=words.say("me.here") if own else "",
        back_text=words.say("me.to-account" if own else "account.to-people"),
        back=back,
        labels=words.under("label"),
        texts=words.under("account"),
    )


def _title(order: AnyOrder, words: Words) -> str:
    """What an order does; one that has no words yet is named as the journal names it."""
    key = f"order.{type(order).__name__}"
    return words.say(key) if words.has(key) else type(order).__name__


def _fields(order: AnyOrder) -> Iterator[tuple[str, str]]:
    for name, value in msgspec.to_builtins(order).items():
        if name != "type" and value not in ("", None, []):
            said = ", ".join(map(_said, value)) if isinstance(value, list) else _said(value)
            yield name, plain(f"{said} = {belgian(value)}" if name in _MOMENTS else said)


def _said(value: object) -> str:
    """One value of an order; a field and its value as ``field = value``."""
    return " = ".join(map(str, value.values())) if isinstance(value, dict) else str(value)
