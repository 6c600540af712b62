"""The two sets that the web filter is measured by: attack probes to be refused, care texts to be let through.

Both become raw HTTP/1.1 requests, so that what a client library would tidy up goes out as an attacker sends it.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

HERE = Path(__file__).parent
TELLINGS = 5
"""How often each text is told, with other words."""
FIELD = "note"
_BOUNDARY = "----rempart7d1f"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request: of which class (or language), how it carries what it carries, and its bytes."""

    kind: str
    carrier: str
    what: str
    request: bytes


def probes(host: str) -> Iterator[Sent]:
    """Every attack probe: each payload once in each carrier of its group."""
    for group in tomllib.loads((HERE / "attacks.toml").read_text(encoding="utf-8"))["group"]:
        for payload in group["payloads"].strip("\n").split("\n"):
            for carrier in group["carriers"]:
                yield Sent(
                    kind=group["class"],
                    carrier=carrier,
                    what=payload,
                    request=carried(payload, carrier, host),
                )


def texts() -> Iterator[tuple[str, str]]:
    """Language and text, each distinct."""
    for file in sorted(HERE.glob("texts.*.toml")):
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        lines = told["texts"]["lines"].strip("\n").split("\n")
        several = (
            _told(line, told["words"], number * 7 + telling * 3)
            for number, line in enumerate(lines)
            for telling in range(TELLINGS)
        )
        yield from ((file.name.split(".")[1], text) for text in dict.fromkeys(several))


def typed(text: str, host: str) -> Iterator[bytes]:
    """A care text as the requests by which browsers and applications send it."""
    for carrier in ("form", "json", "multipart", *(["query"] if len(text) < 500 else [])):
        yield carried(text, carrier, host)


def carried(payload: str, carrier: str, host: str) -> bytes:
    """The request that carries ``payload``."""
    name, _, header = carrier.partition(":")
    match name:
        case "query":
            return _request(host, f"/search?{urlencode({FIELD: payload})}")
        case "raw-query":
            return _request(host, f"/search?{payload}")
        case "path":
            return _request(host, payload)
        case "method":
            return _request(host, "/form", method=payload)
        case "header":
            return _request(host, "/", headers={header: payload})
        case "cookie":
            return _request(host, "/", headers={"Cookie": f"choice={quote(payload)}"})
        case "form":
            body = urlencode({"name": "contact", FIELD: payload})
            return _request(host, "/form", body=body, kind="application/x-www-form-urlencoded")
        case "json":
            body = json.dumps({"name": "contact", FIELD: payload}, ensure_ascii=False)
            return _request(host, "/api/notes", body=body, kind="application/json")
        case "multipart":
            part = f'Content-Disposition: form-data; name="{FIELD}"\r\n\r\n{payload}'
            return _multipart(host, part)
        case "upload":
            head = f'Content-Disposition: form-data; name="file"; filename="{payload}"'
            return _multipart(host, f"{head}\r\nContent-Type: text/plain\r\n\r\nbonjour")
        case "xml":
            return _request(host, "/soap", body=payload, kind="application/xml")
        case _:
            raise ValueError(carrier)


def _multipart(host: str, part: str) -> bytes:
    body = f"--{_BOUNDARY}\r\n{part}\r\n--{_BOUNDARY}--\r\n"
    return _request(host, "/form", body=body, kind=f"multipart/form-data; boundary={_BOUNDARY}")


def _request(
    host: str,
    target: str,
    *,
    method: str = "",
    headers: dict[str, str] | None = None,
    body: str | None = None,
    kind: str = "",
) -> bytes:
    content = b"" if body is None else body.encode()
    given = {
        "Host": host,
        "User-Agent": _BROWSER,
        "Accept": "text/html,application/json;q=0.9",
        "Accept-Language": "fr-BE,nl-BE;q=0.8,de-BE;q=0.5",
        "Connection": "close",
        **({"Content-Type": kind, "Content-Length": str(len(content))} if body is not None else {}),
        **(headers or {}),
    }
    verb = method or ("GET" if body is None else "POST")
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{verb} {target} HTTP/1.1\r\n{head}\r\n".encode() + content


def _told(line: str, words: dict[str, list[str]], seed: int) -> str:
    """A template with words in the place of its braces; two of one kind in one text differ."""
    used: dict[str, int] = {}

    def word(match: re.Match[str]) -> str:
        kind = match[1]
        used[kind] = used.get(kind, -1) + 1
        return words[kind][(seed + used[kind] + len(kind)) % len(words[kind])]

    return re.sub(r"\{([a-z]+)\}", word, line).replace("\\n", "\n")
