"""The English of what detection has to say; other languages are translated from here by the same keys."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

WORDS: Mapping[str, str] = MappingProxyType(
    {
        # What was seen, by what it usually means (`rempart.detection.finding.Kind`).
        "finding.scan": "{actor} looked for open doors.",
        "finding.probe": "{actor} tried known holes of the websites.",
        "finding.guessing.account": "{actor} tried many passwords for the account {account}.",
        "finding.guessing.accounts": "{actor} tried many passwords.",
        "finding.sign-in": "{actor} signed in as {account}.",
        "finding.intrusion": "{actor} got in: {title}.",
        "finding.command": "The machine {actor} seems to obey {victim} outside.",
        "finding.exfiltration": "The machine {actor} sent unusually much to {victim} outside.",
        "finding.records": "{actor} opened care files by the hundred, with the account {account}.",
        "finding.device": "A machine never seen before is on the network: {victim}.",
        "finding.blocked": "{actor} was stopped from reaching {victim}.",
        "finding.other": "A rule saw what it looks for: {title}.",
        # What was seen, by the part of the machine that the rule looked at.
        "seen.program": "A program was started that attackers use too: {title}.",
        "seen.reach": "A program reached into the memory of another one: {title}.",
        "seen.library": "A program loaded a part that it should not need: {title}.",
        "seen.script": "A script ran: {title}.",
        "seen.setting": "A setting of Windows was changed: {title}.",
        "seen.file": "A file was written, renamed or removed: {title}.",
        "seen.pipe": "Two programs opened a way to talk to each other: {title}.",
        "seen.service": "A program that runs by itself was set up or changed: {title}.",
        "seen.connection": "A program talked to another machine: {title}.",
        "seen.name": "A machine asked where a name on the internet is: {title}.",
        "seen.malware": "The antivirus reported something: {title}.",
        "seen.account": "An account was used or changed: {title}.",
        "seen.emptied": "A log of a machine was emptied: {title}.",
        "seen.object": "Something in the directory or in a shared folder was opened or changed: {title}.",
        "seen.web": "A page was asked of a website in an unusual way: {title}.",
        "seen.hosted": "Something was done in a service hosted outside: {title}.",
        # Where.
        "where.machine": "It happened on the machine {victim}.",
        "where.machine.account": "It happened on the machine {victim}, with the account {account}.",
        "where.account": "It happened with the account {account}.",
        "where.unknown": "The log does not say on which machine.",
        # How sure.
        "sure.critical": "This is almost never harmless: act now.",
        "sure.high": "This is rarely harmless: have somebody look at it today.",
        "sure.medium": "This may be harmless: have somebody look at it.",
        "sure.low": "This is mostly harmless by itself; together with other findings it may not be.",
        "sure.informational": "By itself this is no sign of an attack.",
        "sure.forgeable": "One forged message could cause it: look for a second sign before you believe who did it.",
        # The headline of a report, by the gravest finding.
        "report.critical": "Act now: something here is almost never harmless.",
        "report.high": "Have somebody look at this today.",
        "report.medium": "Some of this is worth a look.",
        "report.low": "Nothing here shows an attack by itself.",
        "report.informational": "Nothing here shows an attack by itself.",
        "report.nothing": "The rules found nothing.",
        # What it usually means, by ATT&CK technique where that says more than the tactic.
        "means.t1486": "It usually means that files are being locked for a ransom.",
        "means.t1490": "It usually means that backups are being removed, often to lock files for a ransom next.",
        "means.t1485": "It usually means that data are being destroyed.",
        "means.t1489": "It usually means that services are being stopped, often to lock files for a ransom next.",
        "means.t1048": "It usually means that data are being taken out by a way that nobody watches.",
        "means.t1567": "It usually means that data are being taken out to a storage service on the internet.",
        "means.t1560": "It usually means that files are being packed, to be taken out.",
        "means.t1003": "It usually means that passwords are being taken from a machine, to use them on others.",
        "means.t1558": "It usually means that sign-in tickets are being stolen or forged.",
        "means.t1555": "It usually means that passwords kept in a browser or a password store are being taken.",
        "means.t1552": "It usually means that somebody is looking for passwords left in files and settings.",
        "means.t1078": "It usually means that somebody signs in with an account that is not theirs.",
        "means.t1110": "It usually means that somebody who has no business here wants to get in.",
        "means.t1685": "It usually means that antivirus, logging or another protection is being switched off.",
        "means.t1562": "It usually means that antivirus, logging or another protection is being switched off.",
        "means.t1686": "It usually means that the machine's firewall is being opened.",
        "means.t1070": "It usually means that traces are being removed.",
        "means.t1505": "It usually means that a back door was put into a server, often into its website.",
        "means.t1190": "It usually means that somebody tries, or uses, a hole in a service open to the internet.",
        "means.t1566": "It usually means that a deceiving message brought somebody to open something.",
        "means.t1204": "It usually means that somebody opened a file that was meant to deceive.",
        "means.t1133": "It usually means that remote access from outside is being used to come in.",
        "means.t1219": "It usually means that a program for remote help was installed; attackers use these too.",
        "means.t1021": "It usually means that somebody goes from one machine to the next.",
        "means.t1550": "It usually means that a stolen proof of sign-in is used instead of a password.",
        "means.t1105": "It usually means that a program is being fetched from outside.",
        "means.t1071": "It usually means that a machine is being directed from outside.",
        "means.t1572": "It usually means that forbidden traffic is hidden inside allowed traffic.",
        "means.t1136": "It usually means that a new account was made, to be able to come back.",
        "means.t1098": "It usually means that an account was given more rights, to be able to come back.",
        "means.t1053": "It usually means that a program was made to start by itself at certain times.",
        "means.t1543": "It usually means that a program was made to start by itself with the machine.",
        "means.t1547": "It usually means that a program was made to start by itself with the machine or at sign-in.",
        "means.t1055": "It usually means that a program hides inside another, harmless one.",
        "means.t1046": "It usually means that somebody already inside looks for machines to go on to.",
        # ... by ATT&CK tactic (`rempart.detection.tactic.Tactic`).
        "means.reconnaissance": "Attackers do this to learn about a place before they come.",
        "means.resource-development": "Attackers do this to make their tools ready.",
        "means.initial-access": "Attackers do this to get in.",
        "means.execution": "Attackers do this to run their own programs on a machine.",
        "means.persistence": "Attackers do this to be able to come back, even after a restart or a new password.",
        "means.privilege-escalation": "Attackers do this to get the rights of an administrator.",
        "means.stealth": "Attackers do this to go unnoticed.",
        "means.defense-impairment": "Attackers do this to switch off what protects a machine.",
        "means.credential-access": "Attackers do this to get at passwords.",
        "means.discovery": "Attackers do this to look around once they are in.",
        "means.lateral-movement": "Attackers do this to go from one machine to the next.",
        "means.collection": "Attackers do this to gather what they want to take.",
        "means.command-and-control": "Attackers do this to direct a machine from outside.",
        "means.exfiltration": "Attackers do this to take data out.",
        "means.impact": "Attackers do this to block services or destroy data.",
        "means.unknown": "What it means depends on what this machine is for: ask whoever looks after it.",
    }
)
"""Key -> sentence, with its arguments in braces."""

LONGEST = 120
"""Characters of one argument that a sentence shows."""

_UNKNOWN = MappingProxyType({"actor": "somebody", "account": "of somebody"})
_HOLE = re.compile(r"\{([a-z]+)\}")
_SPACES = "\u00a0\u202f"


def english(key: str, arguments: Mapping[str, Any], *, titled: bool = True) -> str:
    """The sentence of the key; not ``titled``: without the rule's title, where that stands above it.

    Arguments are hostile: cut, and all that moves or hides text is written out.
    What is not known reads *somebody* or *something*. The result is plain text: HTML and the like are still to be
    escaped where it is shown. Raises KeyError for a key that is not in `WORDS`.
    """
    words = WORDS[key] if titled else WORDS[key].replace(": {title}", "")
    said = _HOLE.sub(lambda hole: _argument(hole[1], arguments.get(hole[1])), words)
    return said[:1].upper() + said[1:]


def _argument(name: str, value: object) -> str:
    if value is None or value == "":
        return _UNKNOWN.get(name, "something")
    shown = visible(str(value), LONGEST)
    return f"“{shown}”" if name in ("account", "title") else shown


def visible(text: str, longest: int) -> str:
    """The text in at most so many of its characters, those that move the cursor or reorder what is read written out.

    These are control and format characters (CVE-2021-42574, Trojan Source) and lone surrogates.
    """
    shown = "".join(c if c.isprintable() or c in _SPACES else f"⟨U+{ord(c):04X}⟩" for c in text[:longest])
    return shown + "…" if len(text) > longest else shown
