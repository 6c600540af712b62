"""A flaw: what is wrong with, or blank in, a site's description as a whole, as a message key with typed arguments.

The English stands here beside the keys, for the command line; the other languages are those of the console
(``console/locale/*/flaw.toml``), for the first hour. What one value may be is said in English alone
(`rempart.site.values`): whoever installs is told of it beside the field, before there is a description.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rempart.errors import Problem
from rempart.phrase import Argument, Phrase, visible, worded


@dataclass(frozen=True, slots=True)
class Flaw(Problem):
    """A problem whose words are there in every language."""

    said: Phrase
    advice: Phrase
    kind: str
    """The key of site.toml that it stands under: ``zones``, ``phone`` …; empty: the file as a whole."""
    id: str = ""
    """Which of them, where there are several."""
    blank: str = ""
    """What only the site knows, as it is written meanwhile."""

    def named(self, names: Mapping[tuple[str, str], str]) -> "Flaw":
        """The same with the names that people gave, by kind and id, instead of ids. The English keeps the ids."""
        return replace(
            self,
            id=names.get((self.kind, self.id), self.id),
            said=_named(self.said, names),
            advice=_named(self.advice, names),
        )


def flaw(
    key: str,
    kind: str = "",
    of: str = "",
    /,
    *,
    blank: Iterable[str] = (),
    advice: str = "",
    **arguments: Argument | Iterable[str],
) -> Flaw:
    """The flaw of ``key``, with the advice of another key or its own. KeyError: nobody has written it."""
    advising, held = advice or f"{key}-now", ", ".join(blank)
    where = f"{kind} '{of}'" if of else kind
    return Flaw(
        what=_english(key, arguments),
        where=f"{where} ({held})" if held else where,
        mend=_english(advising, arguments),
        said=worded(WORDS, key, arguments),
        advice=worded(WORDS, advising, arguments),
        kind=kind,
        id=of,
        blank=held,
    )


def _english(key: str, arguments: Mapping[str, Argument | Iterable[str]]) -> str:
    """In full: a description is a technician's own file, and its names were checked letter by letter."""
    return WORDS[key].format(
        **{
            name: value if isinstance(value, int) else visible(_listed(value))
            for name, value in arguments.items()
        }
    )


def _listed(value: str | Iterable[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"


_KINDS = {"zone": "zones", "opening": "openings", "asset": "assets"}
"""Arguments that are ids, and what of."""


def _named(said: Phrase, names: Mapping[tuple[str, str], str]) -> Phrase:
    arguments = {
        name: names.get((_KINDS.get(name, ""), str(value)), value) for name, value in said.arguments.items()
    }
    return replace(said, arguments=arguments)


WORDS: Mapping[str, str] = {
    "unreadable": "the answers make no description that can be read ({place})",
    "unreadable-now": "This is a defect of Rempart's: tell the maintainers.",
    # -- parts that do not agree ---------------------------------------------------------------------------------
    "id-twice": "{value} is used twice",
    "mark-twice": "mark {value} is used twice",
    "host-twice": "host {value} is used twice",
    "first-given": "It was given first on line {line}; choose another.",
    "no-zone": "there is no zone '{zone}'",
    "no-opening": "there is no opening '{opening}'",
    "no-asset": "there is no asset '{asset}'",
    "near": "Did you mean `{near}`?",
    "known": "Known: {known}.",
    "overlap": "{network} overlaps {other} of zone '{zone}'",
    "overlap-now": "One address can stand in one zone only; split the networks.",
    "uplink-inside": "{address} lies inside zone '{zone}'",
    "uplink-inside-now": "The uplink leads outside; its address belongs to no zone.",
    "uplink-twice": "'{interface}' is the uplink's interface too",
    "uplink-twice-now": 'In the path each side has its own; beside another gateway, write `placement = "observer"`.',
    "published-out": "a published service is reached from outside",
    "published-out-now": 'Write `direction = "in"`, or remove the publication.',
    "shared-names": "names are told apart in TLS, on the way out",
    "shared-names-now": 'It needs `direction = "out"`, names alone as hosts, and one tcp port as its only service.',
    "not-to-resolvers": "'{opening}' does not lead to resolvers",
    "not-to-resolvers-now": 'It needs `direction = "out"`, single addresses (or `*`) as hosts, and udp/53 and tcp/53.',
    "address-twice": "{address} is the address of '{asset}' too",
    "address-twice-now": "One address belongs to one machine.",
    "no-channel": "no address",
    "no-channel-now": "Add `text`, `mail` or `webhook`.",
    "no-sender": "the station has nothing to send a {channel} with",
    "no-sender-now": "Add {table}.",
    "not-in-zone": "{address} lies in no network of zone '{zone}'",
    "not-in-zone-now": "Its networks are {networks}.",
    "no-zones": "there are no zones",
    "no-zones-now": "Add at least one [[zones]]: a part of the inside.",
    "no-openings": "there are no openings",
    "no-openings-now": "Add at least one [[openings]]: a way to the outside.",
    "no-language": "no language is named",
    "no-language-now": 'Write for example `languages = ["fr"]`.',
    "empty-list": "the list is empty",
    "empty-list-now": "Name at least one of its {key}.",
    "star-beside": "`*` stands beside other hosts",
    "star-beside-now": "Write `*` alone, or the hosts alone.",
    # -- what makes a site unfit to be defended ------------------------------------------------------------------
    "no-safeguard": "there is no safeguard: a wrong order would lock the operators out too",
    "no-safeguard-now": "Add a [[safeguards]] with the network and port by which the box is managed.",
    "wide-safeguard": "safeguard '{safeguard}' covers everybody ({network})",
    "wide-safeguard-now": "Name the few addresses from which the box is managed.",
    "to-names": "it is published to names only, and the proxy knows visitors by their addresses",
    "to-names-now": 'Write addresses or networks in `hosts`, or "*" and ask for client certificates.',
    "dead-fallback": "its fallback depends on '{opening}', which a cut closes as well",
    "dead-fallback-now": "Choose a fallback that works without it: a mobile telephone, paper, a person.",
    "endless-fallback": "its fallback leads back to itself ({chain})",
    "endless-fallback-now": "One fallback in the chain must depend on no opening at all.",
    "lifeline-by-name": (
        "this lifeline is found by name, and a cut closes '{opening}', through which names are asked"
    ),
    "lifeline-by-name-now": "Make '{opening}' a lifeline too, or give this one addresses.",
    "staff-page-outside": "{address} is reached from outside too",
    "staff-page-outside-now": "Name an address of this station in one of its zones.",
    # -- blank ---------------------------------------------------------------------------------------------------
    "blank-phone": "the number for the public is not filled in",
    "blank-phone-now": "Write the reception's number.",
    "blank-contact": "the number is not filled in",
    "blank-contact-now": "Write the number.",
    "blank-host": "it names a host that only you know",
    "blank-host-now": "Write its addresses or names, or remove the opening if you have none such.",
    "blank-network": "it names a network that only you know",
    "blank-network-now": "Write the real one.",
}
"""English text by key; what would mend it under ``…-now``. ``{name}`` is a hole for an argument."""
