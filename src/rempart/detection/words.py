"""The English of what detection has to say; other languages are translated from here by the same keys."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "finding.scan": "{actor} looked for open doors.",
    "finding.probe": "{actor} tried known holes of the websites.",
    "finding.guessing.account": "{actor} tried many passwords for the account {account}.",
    "finding.guessing.accounts": "{actor} tried many passwords.",
    "finding.sign-in": "{actor} signed in as {account}.",
    "finding.intrusion": "{actor} got in, most likely with a stolen password: {title}.",
    "finding.command": "The machine {victim} obeys {actor} outside.",
    "finding.exfiltration": "The machine {victim} sent unusually much to {actor} outside.",
    "finding.records": "{actor} opened care files by the hundred.",
    "finding.device": "A machine never seen before is on the network: {victim}.",
    "finding.blocked": "{victim} was stopped from reaching {actor}.",
    "finding.other": "{title}.",
}
"""Key -> sentence. Arguments are in braces; one that is not known reads "somebody" or "something", as the edge says."""
