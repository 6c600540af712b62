"""Text messages as a GSM network takes and gives them: TPDUs in hexadecimal (3GPP TS 23.040, alphabet of TS 23.038).

A text goes in the network's own alphabet of 7 bits where that has all its characters, else as UCS-2; a long one goes
in parts that telephones join. What comes in is hostile: it is cut, and what is no SMS-DELIVER is refused.
"""

from dataclasses import dataclass

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
_EXTENDED = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]"} | {
    0x40: "|",
    0x65: "€",
}
_SEPTETS = {character: (number,) for number, character in enumerate(_BASIC) if number != _ESCAPE} | {
    character: (_ESCAPE, number) for number, character in _EXTENDED.items()
}

WHOLE, PART = 160, 153
"""Septets of a message that stands alone, and of one part of several (its header takes 7)."""
_WHOLE_UCS2, _PART_UCS2 = 140, 134
"""Bytes of the same in UCS-2."""

MOST_PARTS = 4

_SUBMIT, _HAS_HEADER, _DAY_VALID = 0x11, 0x40, 0xA7
_INTERNATIONAL = 0x91
_UCS2 = 0x08


@dataclass(frozen=True, slots=True)
class Submitted:
    """One part, ready for ``AT+CMGS``."""

    hexadecimal: str
    """With the empty length of the service centre before it: the SIM knows that one."""
    length: int
    """Bytes of the TPDU without it, as the command wants to be told."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from outside: its sender is what the network says, and can be forged."""

    sender: str
    text: str


class NotAMessage(ValueError):
    """The hexadecimal is no SMS-DELIVER."""


def fits(text: str) -> bool:
    """Whether the network's own alphabet has every character."""
    return all(character in _SEPTETS for character in text)


def parts(text: str) -> int:
    """In how many parts a text goes; more than `MOST_PARTS` are never sent."""
    return len(_split(text))


def submit(number: str, text: str, reference: int) -> tuple[Submitted, ...]:
    """The parts of a text to an international number (``+32…``). ``reference`` (0..255) joins them."""
    pieces = _split(text)
    if len(pieces) > MOST_PARTS:
        raise ValueError(f"a text of {len(pieces)} parts")
    several = len(pieces) > 1
    made = []
    for place, piece in enumerate(pieces, start=1):
        header = bytes((5, 0, 3, reference & 0xFF, len(pieces), place)) if several else b""
        tpdu = bytes((_SUBMIT | (_HAS_HEADER if several else 0), reference & 0xFF))
        tpdu += _address(number) + bytes((0, 0 if fits(text) else _UCS2, _DAY_VALID)) + _data(piece, header)
        made.append(Submitted(f"00{tpdu.hex().upper()}", len(tpdu)))
    return tuple(made)


def delivered(hexadecimal: str) -> Received:
    """What a modem listed, taken apart. Raises `NotAMessage`."""
    try:
        raw = bytes.fromhex(hexadecimal)
        tpdu = raw[1 + raw[0] :]
        if tpdu[0] & 0x03:
            raise NotAMessage("another kind of message")
        digits = tpdu[1]
        end = 3 + (digits + 1) // 2
        sender = _number(tpdu[2], tpdu[3:end], digits)
        coding, length, data = tpdu[end + 1], tpdu[end + 9], tpdu[end + 10 :]
        return Received(sender, _text(data, length, coding, header=bool(tpdu[0] & _HAS_HEADER)))
    except (IndexError, ValueError) as fault:
        raise NotAMessage(str(fault)) from fault


def _split(text: str) -> list[str]:
    """The text in pieces that fit, never within a character of two septets or two UTF-16 units."""
    seven = fits(text)
    sizes = [_size(character, seven=seven) for character in text]
    whole, part = (WHOLE, PART) if seven else (_WHOLE_UCS2, _PART_UCS2)
    if sum(sizes) <= whole:
        return [text]
    pieces, filled = [""], 0
    for character, size in zip(text, sizes, strict=True):
        if filled + size > part:
            pieces.append("")
            filled = 0
        pieces[-1] += character
        filled += size
    return pieces


def _size(character: str, *, seven: bool) -> int:
    return len(_SEPTETS[character]) if seven else len(character.encode("utf-16-be"))


def _data(piece: str, header: bytes) -> bytes:
    """TP-User-Data-Length and TP-User-Data."""
    if not fits(piece):
        body = header + piece.encode("utf-16-be")
        return bytes((len(body),)) + body
    septets = [septet for character in piece for septet in _SEPTETS[character]]
    filled = -(-len(header) * 8 // 7)  # septets that the header takes, up to the next whole one
    packed = 0
    for place, septet in enumerate(septets, start=filled):
        packed |= septet << (7 * place)
    count = filled + len(septets)
    body = packed.to_bytes(-(-count * 7 // 8), "little")
    return bytes((count,)) + header + body[len(header) :]


def _address(number: str) -> bytes:
    digits = number.removeprefix("+")
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    return bytes((len(digits), _INTERNATIONAL)) + bytes.fromhex(swapped)


def _number(kind: int, raw: bytes, digits: int) -> str:
    if kind & 0x70 == 0x50:  # a name in letters instead of a number
        return _unpack(raw, digits * 4 // 7, skip=0)
    swapped = "".join(f"{byte & 15:x}{byte >> 4:x}" for byte in raw)[:digits]
    return f"+{swapped}" if kind & 0x70 == 0x10 else swapped


def _text(data: bytes, length: int, coding: int, *, header: bool) -> str:
    skip = 1 + data[0] if header else 0
    if coding & 0x0C == _UCS2:
        return data[skip:length].decode("utf-16-be", "replace")
    if coding & 0x0C:
        raise NotAMessage("not a text")
    return _unpack(data, length, skip=-(-skip * 8 // 7))


def _unpack(raw: bytes, count: int, *, skip: int) -> str:
    packed, said, escaped = int.from_bytes(raw, "little"), "", False
    if count * 7 > len(raw) * 8:
        raise NotAMessage("it is cut off")
    for place in range(skip, count):
        septet = packed >> (7 * place) & 0x7F
        if escaped:
            said += _EXTENDED.get(septet, " ")
        elif septet != _ESCAPE:
            said += _BASIC[septet]
        escaped = septet == _ESCAPE and not escaped
    return said
