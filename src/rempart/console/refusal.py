"""What the guard refuses, in the words of whoever reads it: doors, machines and roles by the names people use."""

from dataclasses import dataclass

from rempart.console.naming import Names
from rempart.console.words import SENTENCES, Words, plain
from rempart.incidents.incident import Sentence
from rempart.messages import OrderRejected
from rempart.phrase import WORDS, Argument, Phrase
from rempart.site.site import Site

_NAMED = frozenset({"opening", "openings", "asset", "assets", "target"})
"""Arguments that name doors, machines or addresses, several with a comma between them."""

_WORDED = {"state": "state", "gate": "gate", "role": "role", "roles": "role"}
"""Arguments that are values with words of their own, and the table of these words."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done and what to do instead, in the visitor's language. ``code``: HTTP's (RFC 9110)."""

    code: int
    what: str
    now: str


_CODES = {"stale": 403, "unreadable": 400, "unreachable": 503}


def hindrance(key: str, words: Words) -> Refusal:
    """What kept an order from the guard: stale (a form without its token), unreadable or unreachable."""
    return Refusal(_CODES[key], words.say(f"refusal.{key}"), words.say(f"refusal.{key}-now"))


def refusal(answer: OrderRejected, site: Site, words: Words) -> tuple[str, str]:
    """Why, and what to do instead. What another version of the guard says stays in its English."""
    if answer.said is None or answer.said.key not in WORDS:
        return plain(answer.what, SENTENCES), plain(answer.now, SENTENCES)
    advice, what = f"{answer.said.key}-now", tell(answer.said, site, words)
    return (
        what[:1].upper() + what[1:],
        _said(advice, answer.said, site, words) if advice in WORDS else "",
    )


def tell(said: Phrase, site: Site, words: Words) -> str:
    """A phrase of the guard as a sentence."""
    return _said(said.key, said, site, words) if said.key in WORDS else plain(said.text, SENTENCES)


def _said(key: str, said: Phrase, site: Site, words: Words) -> str:
    names = Names(site, words, addresses=True)
    told = {name: _told(name, value, names) for name, value in said.arguments.items()}
    text = words.tell(Sentence(f"refused.{key}", told))
    # Put in last: it is whole sentences, which no argument may be as long as.
    return text.replace(
        _BECAUSE, words.say("word.and-also").join(tell(each, site, words) for each in said.because)
    )


_BECAUSE = "[because]"
"""Stands for the reasons in the words of a refusal."""


def _told(name: str, value: Argument, names: Names) -> Argument:
    if isinstance(value, int):
        return value
    parts = value.split(", ")
    if name in _NAMED:
        return ", ".join(names.of(part) for part in parts)
    if table := _WORDED.get(name):
        return ", ".join(_word(f"{table}.{part}", part, names.words) for part in parts)
    return value


def _word(key: str, value: str, words: Words) -> str:
    return words.say(key) if words.has(key) else value
