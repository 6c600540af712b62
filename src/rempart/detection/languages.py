"""What Windows calls its own accounts and groups in French, Dutch and German; rules name them in English.

An institution's servers speak its language: the account SYSTEM is *Système* in their logs, a group is *Domänen-Admins*.
A rule that asks for the English name is asked for the others too. Rules that know already (``AUTORI`` beside
``AUTHORI``) are left as they are. The names are those of Windows' own language packs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rempart.detection.condition import And, Condition, Leaf, LeafKind, Not, Or, either, every, negate

_ACCOUNTS = {
    "system": ("Système",),
    "network service": ("SERVICE RÉSEAU", "Netwerkservice", "NETZWERKDIENST"),
    "local service": ("SERVICE LOCAL", "Lokale service", "LOKALER DIENST"),
    "anonymous logon": ("ANONYMOUS-ANMELDUNG",),
}
_GROUPS = {
    "administrator": ("Administrateur",),
    "administrators": ("Administrateurs", "Administratoren"),
    "domain admins": ("Admins du domaine", "Domeinadministrators", "Domänen-Admins"),
    "enterprise admins": (
        "Administrateurs de l'entreprise",
        "Administrateurs de l\N{RIGHT SINGLE QUOTATION MARK}entreprise",
        "Ondernemingsadministrators",
        "Organisations-Admins",
    ),
    "schema admins": ("Administrateurs du schéma", "Schema-Admins"),
    "group policy creator owners": (
        "Propriétaires créateurs de la stratégie de groupe",
        "Richtlinien-Ersteller-Besitzer",
    ),
    "guest": ("Invité", "Gast"),
    "everyone": ("Tout le monde", "Iedereen", "Jeder"),
    "remote desktop users": (
        "Utilisateurs du Bureau à distance",
        "Gebruikers van extern bureaublad",
        "Remotedesktopbenutzer",
    ),
}
_LEVELS = {"%%1833": ("Impersonation", "Emprunt d'identité", "Imitatie", "Identitätswechsel")}
"""Log collectors that render events write the words of the machine's language for such numbers."""

_NAMED = _ACCOUNTS | _GROUPS
_FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("User", "ParentUser", "SourceUser", "TargetUser", "UserName", "AccountName"), _NAMED),
    **dict.fromkeys(
        ("SubjectUserName", "TargetUserName", "SubjectAccountName", "MemberName", "GroupName"), _NAMED
    ),
    **dict.fromkeys(("DistinguishedName", "SearchFilter", "CommandLine", "ParentCommandLine"), _GROUPS),
    "ImpersonationLevel": _LEVELS,
}
_KINDS = frozenset({LeafKind.EXACT, LeafKind.CONTAINS, LeafKind.STARTSWITH, LeafKind.ENDSWITH})
_AROUND = " \"'\\"


def in_every_language(condition: Condition) -> Condition:
    """The condition of a rule for Windows, which also holds where Windows speaks another language."""
    match condition:
        case Leaf():
            others = _translated(condition)
            return either((condition, *others)) if others else condition
        case Not(part):
            return negate(in_every_language(part))
        case And(parts):
            return every(map(in_every_language, parts))
        case Or(parts):
            return either(map(in_every_language, parts))


def _translated(leaf: Leaf) -> Iterable[Leaf]:
    """The same question for the other names. What stands around the name in the rule stays (a backslash, ``CN=``)."""
    names = _FIELDS.get(leaf.field)
    if names is None or leaf.kind not in _KINDS or leaf.cased:
        return ()
    name = leaf.value.strip(_AROUND).removeprefix("CN=")
    return [replace(leaf, value=leaf.value.replace(name, other)) for other in names.get(name.lower(), ())]
