"""Finding Belgian national numbers, bank accounts and telephone numbers in text, by check digits and context.

Check digits alone are not enough: one random number of eleven digits in two hundred passes as a national number. A
number counts only with a reason besides: words before it, a heading above it, a notation that is used for nothing
else, or the company of numbers nearly all of which pass. What is found is a datum: it lives in memory only as long
as it takes to count the person (`rempart.stakes.holding`), and is never shown.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import phonenumbers
from stdnum import iban

from rempart.stakes.content import Content, Table, Text


class Sensitive(StrEnum):
    """A kind of sensitive datum."""

    NATIONAL_NUMBER = "national-number"
    BANK_ACCOUNT = "bank-account"
    PHONE = "phone"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Datum:
    """One identifier in its normal form. Masked when printed; must not outlive the count."""

    kind: Sensitive
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """What stands together about one person, as far as the layout tells: a row, a paragraph, a letter."""

    data: tuple[Datum, ...]
    health: bool = False
    """Medical terms stand beside the identifiers."""


NEAR = 60
"""Characters before a number in which words give it its meaning."""

ENOUGH = 3
"""Numbers in one column or text that vouch for one another ..."""
NEARLY_ALL = 0.8
"""... when this share of the candidates there passes the check."""

_WORDS = {
    Sensitive.NATIONAL_NUMBER: re.compile(
        r"\b(?:niss|insz|rrn|nrn|rn|national(?:er|es)?\s*(?:register\w*|number|no|nr)|nationalregister\w*"
        r"|registre\s+national|num[ée]ro\s+national|n[°o]\.?\s*national|rijksregister\w*|bis[- ]?nummer"
        r"|num[ée]ro\s+bis|s[ée]curit[ée]\s+sociale|sociale\s+zekerheid)\b",
        re.IGNORECASE,
    ),
    Sensitive.BANK_ACCOUNT: re.compile(
        r"\b(?:iban|compte|rekening\w*|konto\w*|bank\w*|banque|account)\b", re.IGNORECASE
    ),
    Sensitive.PHONE: re.compile(
        r"(?:\b(?:t[ée]l\w*|gsm|phone\w*|mobile?\w*|portable|fax|appel\w*|joindre|bellen|handy|contact\w*)\b"
        r"|\bt[ée]l\.|☎|📞)",
        re.IGNORECASE,
    ),
}

_HEALTH = re.compile(
    r"\b(?:diagnos\w*|traitements?|behandeling\w*|behandlung\w*|allerg\w*|ant[ée]c[ée]dents?|voorgeschiedenis"
    r"|vorgeschichte|m[ée]dication|medicatie|medikation|d[ée]mence|dementie|demenz|alzheimer|escarres?"
    r"|decubitus|dekubitus|incontinen\w+|inkontinenz|katz|belrai|sumehr|prescriptions?|voorschrift\w*"
    r"|verordnung\w*|posologie|dosering|dosierung|insulin\w*|contention|fixatie|fixierung|soins\s+palliatifs"
    r"|palliati\w+|mutuelle|mutualit[ée]|ziekenfonds|krankenkasse|bilan\s+sanguin|bloedonderzoek|blutbild)\b",
    re.IGNORECASE,
)

_ELEVEN = re.compile(r"(?<![\d.,/-])\d{2}[ .]?\d{2}[ .]?\d{2}[- .]{0,3}\d{3}[- .]{0,3}\d{2}(?![\d]|[.,/-]\d)")
_WRITTEN_OUT = re.compile(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}")
_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}\d{2}(?:[ .-]?[0-9A-Za-z]){11,30}(?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![\w+./-])(?:\+|00|\(?0)[1-9 (][\d ()./-]{6,18}\d(?![\d]|[./-]\d)")
_SEPARATORS = re.compile(r"[ .\-]")


# -- checks ------------------------------------------------------------------------------------------------------


def national_number(text: str) -> str | None:
    """The eleven digits of a national or bis number, or None.

    97 minus the first nine digits modulo 97, for births from 2000 on with a 2 put before them. A bis number's month
    is 20 or 40 higher. Both centuries are tried: a check that asked what year it is would not be repeatable.
    """
    digits = _SEPARATORS.sub("", text)
    if len(digits) != 11 or not (digits.isascii() and digits.isdigit()) or digits == "0" * 11:
        return None
    month, day = int(digits[2:4]), int(digits[4:6])
    if not (month <= 12 or 20 <= month <= 32 or 40 <= month <= 52) or day > 31:
        return None
    first, check = int(digits[:9]), int(digits[9:])
    return digits if check in (97 - first % 97, 97 - (2_000_000_000 + first) % 97) else None


def bank_account(text: str) -> str | None:
    """A bank account of any country by ISO 7064, Belgian ones by their national check too; or None.

    A Belgian bank code that nobody knows is accepted: to miss an account is worse than to count one too many.
    """
    compact = _SEPARATORS.sub("", text).upper()
    if not iban.is_valid(compact, check_country=False):
        return None
    if compact.startswith("BE"):
        if len(compact) != 16 or not compact[4:].isdigit():
            return None
        if (int(compact[4:14]) % 97 or 97) != int(compact[14:]):
            return None
    return compact


def phone(text: str) -> str | None:
    """A telephone number as ``+3242247111``, read as from Belgium, or None when no such number can exist."""
    try:
        number = phonenumbers.parse(text, "BE")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# -- running text ------------------------------------------------------------------------------------------------


def records(content: Content) -> Iterator[Record]:
    """What the content says, person by person as far as its layout tells."""
    match content:
        case Text(text=text):
            yield from _of_text(text)
        case Table():
            yield from _of_table(content)


def _of_text(text: str) -> Iterator[Record]:
    data = sorted(_found(text), key=_place)
    if data:
        yield from _split(text, 0, data)


def _split(text: str, start: int, data: Sequence[tuple[int, Datum]]) -> Iterator[Record]:
    """One record if at most one national number stands in it, else its paragraphs, else its lines."""
    numbers = {datum.value for _, datum in data if datum.kind is Sensitive.NATIONAL_NUMBER}
    for boundary in ("\n\n", "\n"):
        if len(numbers) > 1 and boundary in text:
            for offset, part in _parts(text, boundary):
                first = bisect_left(data, start + offset, key=_place)
                last = bisect_left(data, start + offset + len(part), key=_place)
                if first < last:
                    yield from _split(part, start + offset, data[first:last])
            return
    yield Record(tuple(datum for _, datum in data), health=bool(_HEALTH.search(text)))


def _place(found: tuple[int, Datum]) -> int:
    return found[0]


def _parts(text: str, boundary: str) -> Iterator[tuple[int, str]]:
    offset = 0
    for part in text.split(boundary):
        yield offset, part
        offset += len(part) + len(boundary)


def _found(text: str) -> Iterator[tuple[int, Datum]]:
    """Every identifier that counts, with its place."""
    accounts = list(_accounts(text))
    for begin, _, value in accounts:
        yield begin, Datum(Sensitive.BANK_ACCOUNT, value)
    elsewhere = _blanked(text, [(begin, end) for begin, end, _ in accounts])
    yield from _vouched(
        elsewhere,
        Sensitive.NATIONAL_NUMBER,
        _ELEVEN,
        national_number,
        lambda shown: bool(_WRITTEN_OUT.fullmatch(shown)),
    )
    yield from _vouched(elsewhere, Sensitive.PHONE, _PHONE, phone, lambda shown: shown.startswith("+"))


def _accounts(text: str) -> Iterator[tuple[int, int, str]]:
    """Every account with its place. The shape may run on into the words that follow; they are looked at again."""
    here = 0
    while found := _IBAN.search(text, here):
        begin, here = found.start(), found.start() + 1
        words = found[0].split(" ")
        for count in range(len(words), 0, -1):
            written = " ".join(words[:count])
            if (value := bank_account(written)) is not None:
                here = begin + len(written)
                yield begin, here, value
                break


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with these spans (in order) made blank, so that parts of an account are not read as something else."""
    parts: list[str] = []
    done = 0
    for begin, end in spans:
        parts += (text[done:begin], "\n" * (end - begin))
        done = end
    return "".join((*parts, text[done:]))


def _vouched(
    text: str,
    kind: Sensitive,
    shape: re.Pattern[str],
    check: Callable[[str], str | None],
    tells_itself: Callable[[str], bool],
) -> Iterator[tuple[int, Datum]]:
    candidates = list(shape.finditer(text))
    passed = [(found, value) for found in candidates if (value := check(found[0])) is not None]
    company = len({value for _, value in passed}) >= ENOUGH and len(passed) >= NEARLY_ALL * len(candidates)
    for found, value in passed:
        before = text[max(0, found.start() - NEAR) : found.start()]
        if company or tells_itself(found[0]) or _WORDS[kind].search(before):
            yield found.start(), Datum(kind, value)


# -- tables ------------------------------------------------------------------------------------------------------


def _of_table(table: Table) -> Iterator[Record]:
    columns = _columns(table)
    health = any(_HEALTH.search(heading) for heading, _ in columns)
    for row in table.rows:
        data = tuple(
            datum
            for cell, (heading, kind) in zip(row, columns, strict=False)
            for datum in _of_cell(cell, heading, kind)
        )
        if data:
            yield Record(data, health=health or any(_HEALTH.search(cell) for cell in row))


def _of_cell(cell: str, heading: str, kind: Sensitive | None) -> Iterator[Datum]:
    value = None if kind is None else _in_column(cell, kind)
    if kind is not None and value is not None:
        yield Datum(kind, value)
    elif cell != heading:
        yield from (datum for _, datum in _found(f"{_spaced(heading)}: {cell}"))


def _columns(table: Table) -> list[tuple[str, Sensitive | None]]:
    """Each column's heading ("" without one) and what it holds."""
    width = max((len(row) for row in table.rows), default=0)
    return [
        _column([row[number].strip() for row in table.rows if number < len(row) and row[number].strip()])
        for number in range(width)
    ]


def _column(cells: Sequence[str]) -> tuple[str, Sensitive | None]:
    """A column's kind, by its heading or because nearly all its cells pass the check."""
    heading = cells[0] if cells and not any(character.isdigit() for character in cells[0]) else ""
    named = (kind for kind, words in _WORDS.items() if words.search(_spaced(heading)))
    body = set(cells[1:] if heading else cells)
    return heading, next(named, None) or next((kind for kind in _WORDS if _nearly_all(body, kind)), None)


def _nearly_all(body: set[str], kind: Sensitive) -> bool:
    passed = {value for cell in body if (value := _in_column(cell, kind)) is not None}
    return len(passed) >= ENOUGH and len(passed) >= NEARLY_ALL * len(body)


def _spaced(heading: str) -> str:
    """A heading like ``numero_national`` or ``telPrive`` as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading.replace("_", " ").replace("-", " "))


def _in_column(cell: str, kind: Sensitive) -> str | None:
    """The identifier of a cell whose column says its kind. A spreadsheet eats leading zeros: they are put back."""
    text = cell.strip()
    bare = text.isascii() and text.isdigit()
    match kind:
        case Sensitive.NATIONAL_NUMBER:
            return national_number(text.zfill(11) if bare and len(text) in (9, 10) else text)
        case Sensitive.BANK_ACCOUNT:
            return bank_account(text)
        case Sensitive.PHONE:
            return phone("0" + text if bare and len(text) in (8, 9) and not text.startswith("0") else text)
        case Sensitive.HEALTH:
            return None
