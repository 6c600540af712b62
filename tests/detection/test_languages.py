"""A rule that names an account in English finds it on machines that speak French, Dutch or German."""

import pytest

from rempart.detection.match import Matcher
from rempart.detection.sigma import load
from rempart.events.event import Event, LogSource

RULE = """
title: T
id: 00000000-0000-4000-8000-000000000000
logsource: {product: %s}
detection: {sel: %s, condition: %s}
"""


def fires(asked: str, fields: dict[str, str], condition: str = "sel", product: str = "windows") -> bool:
    loaded = load([("a.yml", RULE % (product, asked, condition))])
    assert not loaded.refused
    return bool(Matcher(loaded.rules).matches(Event(LogSource(product=product), fields, "a", 1)))


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ("{User|endswith: \\SYSTEM}", {"User": "AUTORITE NT\\Système"}),
        ("{User|endswith: \\SYSTEM}", {"User": "NT AUTHORITY\\SYSTEM"}),
        ("{User|contains: NETWORK SERVICE}", {"User": "NT-AUTORITÄT\\Netzwerkdienst"}),
        ("{ParentUser|endswith: \\LOCAL SERVICE}", {"ParentUser": "NT AUTHORITY\\Lokale service"}),
        ("{TargetUserName: ANONYMOUS LOGON}", {"TargetUserName": "ANONYMOUS-ANMELDUNG"}),
        (
            "{DistinguishedName|contains: CN=Domain Admins}",
            {"DistinguishedName": "CN=Admins du domaine,CN=Users"},
        ),
        (
            "{CommandLine|contains: ' \"domain admins\" '}",
            {"CommandLine": 'net group "Domänen-Admins" /domain'},
        ),
        ("{CommandLine|contains: ' guest '}", {"CommandLine": "net user Invité /active:yes"}),
        ("{CommandLine|contains: '\"Everyone\"'}", {"CommandLine": 'findstr "Jeder"'}),
        ("{CommandLine|contains: Schema Admins}", {"CommandLine": "/add Administrateurs du schéma eve"}),
        ("{ImpersonationLevel: '%%1833'}", {"ImpersonationLevel": "Identitätswechsel"}),
    ],
)
def test_the_name_is_known_in_every_language(asked: str, fields: dict[str, str]) -> None:
    assert fires(asked, fields)
    assert not fires(asked, fields, "not sel")
    assert not fires(asked, fields, product="linux") or "SYSTEM" in fields.get("User", "")


def test_other_words_stay_what_they_are() -> None:
    assert not fires("{CommandLine|contains: system}", {"CommandLine": "Système"})
    assert not fires("{IntegrityLevel: System}", {"IntegrityLevel": "Système"})
    assert not fires("{User|cased: SYSTEM}", {"User": "Système"})
