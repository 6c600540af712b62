"""The description of the programming interface (OpenAPI 3.1), from the very types that are spoken."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rempart.accounts.conversation import (
    SHORTEST_PASSWORD,
    NamesTold,
    PasskeyAnswer,
    People,
    Question,
    SessionOpened,
    Visitor,
)
from rempart.accounts.person import INFORMED
from rempart.console.frame import LOOKERS
from rempart.console.settings import Settings
from rempart.detection.bunch import Bunch
from rempart.detection.finding import Kind, Level
from rempart.detection.inquiry import (
    LAST_DAY,
    BunchTold,
    DayKept,
    ExceptionsTold,
    Preview,
    PreviewAsked,
    RulesTold,
    SourcesTold,
)
from rempart.duties.duty import Duty
from rempart.engine.orders import AnyOrder
from rempart.instants import Instant
from rempart.messages import Foreseen, IncidentFile, IncidentStatus, OrderDone, Status
from rempart.site.language import Language

ROOT = "/api/v1"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An order and, where it needs one, the passkey's answer to the question about exactly this order."""

    order: AnyOrder
    answer: PasskeyAnswer | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a passkey is to confirm."""

    order: AnyOrder


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody signs in with: a password, and a code of the generator or a recovery code."""

    name: str
    password: str
    code: str


class Duties(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an incident may oblige to tell, in the order of the law's clocks."""

    duties: list[Duty]


class Incidents(msgspec.Struct, frozen=True, kw_only=True):
    """The incidents that the station shows, at most 50: those that concern people most."""

    incidents: list[IncidentStatus]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """One page, at most 50, of the bunches of a day: the gravest first, then the latest."""

    day: int | None
    """As in each bunch. None: nothing was ever found."""
    days: list[DayKept]
    """Days of which findings are kept, the latest first."""
    bunches: list[Bunch]
    next: str
    """What ``after`` must be to have the next page; empty: this is the last."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the station itself is well; how the wall, the journal and telling people are is in the status."""

    guard: bool
    """Whether the guard answers."""
    heard: Instant | None
    """When it last said something."""
    watch: bool
    """Whether watch answers."""
    silent: list[str]
    """Logs from which nothing came for much longer than is usual."""
    clock: bool | None
    """Whether the network keeps the clock right; None: the kernel does not say."""
    certificate: Instant | None
    """Until when the pages' certificate is good; None: they have none."""
    free: int | None
    """Bytes free on the disk of watch's store; None: watch does not answer."""
    disk: int | None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, in words (RFC 9457)."""

    title: str
    detail: str = ""
    status: int
    key: str = ""
    """Of a refusal by the guard: what it is, whatever its words; empty for others."""


_SPOKEN = (
    Given,
    Asked,
    Credentials,
    Problem,
    Status,
    IncidentFile,
    Duties,
    Incidents,
    Findings,
    Health,
    Settings,
    BunchTold,
    ExceptionsTold,
    PreviewAsked,
    Preview,
    SourcesTold,
    RulesTold,
    OrderDone,
    Question,
    Foreseen,
    People,
    NamesTold,
    Visitor,
    SessionOpened,
)


def description() -> dict[str, Any]:
    """The whole document."""
    schemas, components = msgspec.json.schema_components(_SPOKEN, ref_template="#/components/schemas/{name}")
    named = dict(zip((each.__name__ for each in _SPOKEN), schemas, strict=True))
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Rempart",
            "version": "1",
            "description": "What the console does, for programs. A token is made at /people; it may do what its "
            "scopes and its person's roles allow. Orders that loosen need the person's passkey over that very "
            "order: ask for the question, let the passkey answer, send both.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": _paths(named),
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))  # as it is sent: lists, no tuples
    return told


_Schemas = Mapping[str, Any]
"""What is spoken, by the name of its type."""


def _paths(named: _Schemas) -> dict[str, Any]:
    parts = (
        _status,
        _orders,
        _people,
        _incidents,
        _papers,
        _files,
        _findings,
        _exceptions,
        _detection,
        _session,
    )
    return {path: told for part in parts for path, told in part(named).items()}


def _status(named: _Schemas) -> dict[str, Any]:
    return {
        f"{ROOT}/status": {
            "get": _operation("status", "How things are", named, gives="Status", scope="read"),
        },
        f"{ROOT}/health": {
            "get": _operation(
                "health",
                f"Whether the station itself is well. {_LOOKERS}",
                named,
                gives="Health",
                scope="read",
            ),
        },
        f"{ROOT}/settings": {
            "get": _operation(
                "settings",
                f"What site.toml says of the site; it is changed on the station only. {_LOOKERS}",
                named,
                gives="Settings",
                scope="read",
            ),
        },
        f"{ROOT}/events": {
            "get": {
                **_operation(
                    "events", "How things are, each time that the guard tells it", named, scope="read"
                ),
                "responses": _responses(named, "Status") | {"200": _STREAM},
            },
        },
    }


def _orders(named: _Schemas) -> dict[str, Any]:
    return {
        f"{ROOT}/orders": {
            "post": _operation(
                "order", "Give an order", named, takes="Given", gives="OrderDone", scope="order"
            ),
        },
        f"{ROOT}/questions": {
            "post": _operation(
                "question",
                "The question with which a passkey confirms exactly this order, good once and for two minutes",
                named,
                takes="Asked",
                gives="Question",
                scope="order",
            ),
        },
        f"{ROOT}/simulations": {
            "post": _operation(
                "simulate",
                "What an order would do now; nothing is done, sealed or remembered",
                named,
                takes="Asked",
                gives="Foreseen",
                scope="read",
            ),
        },
    }


def _people(named: _Schemas) -> dict[str, Any]:
    return {
        f"{ROOT}/people": {
            "get": _operation("people", "Accounts and sessions", named, gives="People", scope="people"),
        },
        f"{ROOT}/names/{{incident}}": {
            "parameters": [_INCIDENT],
            "get": _operation(
                "names",
                "Who stands behind an incident's masks, while it is unlocked",
                named,
                gives="NamesTold",
            ),
        },
    }


def _incidents(named: _Schemas) -> dict[str, Any]:
    return {
        f"{ROOT}/incidents": {
            "get": _operation(
                "incidents",
                "The incidents that the station shows; what your roles may not see is not in them",
                named,
                gives="Incidents",
                scope="read",
            ),
        },
        f"{ROOT}/incidents/{{incident}}": {
            "parameters": [_INCIDENT],
            "get": _operation(
                "incident",
                "One incident with its case file; what your roles may not see is not in it",
                named,
                gives="IncidentFile",
                scope="read",
            ),
        },
        f"{ROOT}/incidents/{{incident}}/duties": {
            "parameters": [_INCIDENT],
            "get": _operation(
                "duties",
                "Whom it may oblige to tell; a clock only where a person has said yes. Not legal advice",
                named,
                gives="Duties",
                scope="read",
            ),
        },
    }


def _papers(named: _Schemas) -> dict[str, Any]:
    language = {"type": "string", "enum": [each.value for each in Language]}
    made = {
        "description": "The paper.",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
    return {
        f"{ROOT}/incidents/{{incident}}/papers/{kind}": {
            "parameters": [_INCIDENT],
            "get": {
                **_operation(
                    kind, f"{summary}, as PDF, made of the sealed journal. {_INFORMED}", named, scope="read"
                ),
                "parameters": [_query("lang", language)],
                "responses": _responses(named, "", faults=("400",)) | {"200": made},
            },
        }
        for kind, summary in _PAPERS.items()
    }


_PAPERS = {"timeline": "The incident's timeline", "complaint": "The complaint to the police, to be completed"}


def _files(named: _Schemas) -> dict[str, Any]:
    return {
        f"{ROOT}/incidents/{{incident}}/files": {
            "parameters": [
                _INCIDENT,
                {"name": "name", "in": "query", "schema": {"type": "string", "maxLength": 120}},
                {"name": "reason", "in": "query", "schema": {"type": "string", "maxLength": 400}},
            ],
            "post": {
                **_operation(
                    "attach",
                    "Keep a small file with it; its hash is sealed",
                    named,
                    gives="OrderDone",
                    scope="order",
                ),
                "requestBody": {
                    "required": True,
                    "content": _BYTES,
                },
                "responses": _responses(named, "OrderDone", faults=("400",)),
            },
        },
        f"{ROOT}/incidents/{{incident}}/files/{{sha256}}": {
            "parameters": [
                _INCIDENT,
                {
                    "name": "sha256",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                },
            ],
            "get": {
                **_operation("file", "The bytes of an attached file, which nobody here has opened", named),
                "responses": {
                    "200": {
                        "description": "The file.",
                        "content": _BYTES,
                    },
                    **_responses(named, ""),
                },
            },
        },
    }


def _findings(named: _Schemas) -> dict[str, Any]:
    day = {"type": "integer", "minimum": 1, "maximum": LAST_DAY}
    bunch = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
    return {
        f"{ROOT}/findings": {
            "get": {
                **_operation(
                    "findings",
                    f"Findings of a day in bunches, a page at a time; without a day, of the latest. {_LOOKERS}",
                    named,
                    gives="Findings",
                    scope="read",
                    faults=("400",),
                ),
                "parameters": [
                    _query("day", day),
                    _query("level", {"type": "integer", "enum": [level.value for level in Level]}),
                    _query("kind", {"type": "string", "enum": [kind.value for kind in Kind]}),
                    _query("after", {"type": "string", "pattern": r"^[0-4]\.[0-9]{1,15}\.[0-9a-f]{16}$"}),
                ],
            },
        },
        f"{ROOT}/findings/{{day}}/{{bunch}}": {
            "parameters": [
                {"name": "day", "in": "path", "required": True, "schema": day},
                {"name": "bunch", "in": "path", "required": True, "schema": bunch},
                _query("before", _COUNT),
            ],
            "get": _operation(
                "bunch",
                f"One bunch with its findings, a page at a time, the latest first. {_LOOKERS}",
                named,
                gives="BunchTold",
                scope="read",
                faults=("400", "404"),
            ),
        },
    }


def _exceptions(named: _Schemas) -> dict[str, Any]:
    return {
        f"{ROOT}/exceptions": {
            "parameters": [_query("skip", _COUNT)],
            "get": _operation(
                "exceptions",
                "What is normal here and not told, until when, and how often it hid something; "
                f"a page at a time. {_LOOKERS}",
                named,
                gives="ExceptionsTold",
                scope="read",
                faults=("400",),
            ),
        },
        f"{ROOT}/previews": {
            "post": _operation(
                "preview",
                f"What an exception would have hidden of the findings that are kept. {_LOOKERS}",
                named,
                takes="PreviewAsked",
                gives="Preview",
                scope="read",
            ),
        },
    }


def _detection(named: _Schemas) -> dict[str, Any]:
    told = (
        ("sources", "Which logs are followed, and what comes from each"),
        ("rules", "Which rules are in force, and which are refused or wait for the site's values"),
    )
    return {
        f"{ROOT}/{name}": {
            "get": _operation(
                name, f"{summary}. {_LOOKERS}", named, gives=f"{name.title()}Told", scope="read"
            ),
        }
        for name, summary in told
    }


_INFORMED = f"For the roles {', '.join(sorted(INFORMED))}"
_LOOKERS = f"For the roles {', '.join(sorted(LOOKERS))}"


_COUNT = {"type": "integer", "minimum": 0, "maximum": 1 << 53}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _session(named: _Schemas) -> dict[str, Any]:
    return {
        f"{ROOT}/session": {
            "get": _operation("who", "Whose token this is, and what it may do", named, gives="Visitor"),
            "post": {
                **_operation(
                    "signIn",
                    f"Sign in, and have a token for a shift; passwords have {SHORTEST_PASSWORD} characters or more",
                    named,
                    takes="Credentials",
                    gives="SessionOpened",
                ),
                "security": [],
            },
            "delete": _operation("signOut", "End this session", named),
        },
    }


_STREAM = {
    "description": "Server-sent events without an end: `status`, whose data is a Status in JSON as `status` tells it, "
    "and `silent`, with empty data, when the guard does not answer. A comment every few seconds shows that the stream "
    "lives. It ends with the session. A session may hold six open, live pages included; one more gets 503.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}

_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

_INCIDENT = {
    "name": "incident",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}


def _operation(
    name: str,
    summary: str,
    named: _Schemas,
    *,
    takes: str = "",
    gives: str = "",
    scope: str = "",
    faults: Sequence[str] = (),
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": f"{summary} (scope {scope})" if scope else summary,
        "responses": _responses(named, gives, faults=("400",) if takes else faults),
    }
    if takes:
        content = {"application/json": {"schema": named[takes]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


_ERRORS = {
    "401": "Nobody is signed in with this token.",
    "403": "Refused: the person's roles or the token's scopes do not allow it. The refusal of an order is sealed.",
    "421": "This is not the name of this station.",
    "429": "Too many tries; the header Retry-After says how many seconds to wait.",
    "503": "The guard, or watch, does not answer, or too many look on. Nothing is known to have been done.",
}

_FAULTS = {
    "400": "The request is not what is described here.",
    "404": "It is not, or no longer, kept.",
}
"""Of some operations only."""


def _responses(named: _Schemas, gives: str, *, faults: Sequence[str] = ()) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": named["Problem"]}}
    wrong = _ERRORS | {code: _FAULTS[code] for code in faults}
    answers: dict[str, Any] = {
        code: {"description": words, "content": problem} for code, words in wrong.items() if code != "421"
    }
    answers["421"] = {"description": _ERRORS["421"]}
    if gives:
        done = {"description": "Done.", "content": {"application/json": {"schema": named[gives]}}}
        return {"200": done, **answers}
    return {"204": {"description": "Done."}, **answers}
