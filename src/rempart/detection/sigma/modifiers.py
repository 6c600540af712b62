"""Modifiers of text as Sigma's specification has them, where pySigma's own do less.

* UTF-16 and Base64 of any letters: pySigma refuses ``wide`` for *é*, and cuts its Base64 at the wrong place.
* ``utf16`` begins with the byte order mark FF FE; pySigma writes the mark in UTF-8 (EF BB BF).
* ``windash`` takes each of its five dashes for the others; pySigma starts from two of them only.

Bytes that are no UTF-8 stand in a text as Python's *surrogateescape* has them, until Base64 makes letters of them.
"""

import re
from base64 import b64encode
from codecs import BOM_UTF16_LE
from collections.abc import Iterator
from math import prod

from sigma.exceptions import SigmaValueError
from sigma.modifiers import SigmaValueModifier, modifier_mapping
from sigma.types import Placeholder, SigmaExpansion, SigmaString

_DASHES = "-/\N{EN DASH}\N{EM DASH}\N{HORIZONTAL BAR}"
_DASH = re.compile(rf"\B[{_DASHES}]\b")
_MOST_DASHED = 5**5
"""Texts that one text may become; SigmaHQ's rules come to 25 at most."""


class Utf16(SigmaValueModifier[SigmaString, SigmaString]):
    """Little endian, with the byte order mark."""

    codec = "utf-16-le"
    mark = BOM_UTF16_LE

    def modify(self, val: SigmaString) -> SigmaString:
        """Each stretch of text encoded; wildcards stay."""
        encoded = SigmaString()
        encoded.s = [
            _text(each.encode(self.codec, "surrogatepass")) if isinstance(each, str) else each
            for each in val.s
        ]
        return _text(self.mark) + encoded if self.mark else encoded


class Utf16le(Utf16):
    """Little endian; ``wide`` is another name for it."""

    mark = b""


class Utf16be(Utf16le):
    """Big endian."""

    codec = "utf-16-be"


class Base64(SigmaValueModifier[SigmaString, SigmaString]):
    """The whole text in Base64."""

    def modify(self, val: SigmaString) -> SigmaString:
        """Raises `SigmaValueError` for wildcards: nobody knows what they would be."""
        return SigmaString.from_str(b64encode(_bytes(val)).decode())


class Base64Offset(SigmaValueModifier[SigmaString, SigmaExpansion]):
    """What is sure to stand in the Base64 of anything that holds the text, wherever in it the text begins."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        """One text for each place in a group of three bytes. Raises `SigmaValueError` where nothing would be sure."""
        found = [_sure(_bytes(val), before) for before in range(3)]
        if not any(found):
            raise SigmaValueError("an empty text has no Base64 to look for", source=self.source)
        return SigmaExpansion([SigmaString.from_str(each) for each in found if each])


def _sure(data: bytes, before: int) -> str:
    """The characters of Base64 that depend on nothing but the data, of which ``before`` bytes stand before it."""
    first = -(-8 * before // 6)
    last = 8 * (before + len(data)) // 6
    return b64encode(b"\0" * before + data).decode()[first:last]


class WindowsDash(SigmaValueModifier[SigmaString, SigmaExpansion]):
    """A dash that begins a word is any of the dashes that Windows programs take for one."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        """Every text that this may be. Raises `SigmaValueError` where there would be too many."""
        dashed = val.replace_with_placeholder(_DASH, "_windash")
        if prod(len(_DASHES) for each in dashed.s if _is_dash(each)) > _MOST_DASHED:
            raise SigmaValueError("more dashes than 'windash' can try out", source=self.source)
        return SigmaExpansion([*dashed.replace_placeholders(_every_dash)])


def _is_dash(part: object) -> bool:
    return isinstance(part, Placeholder) and part.name == "_windash"


def _every_dash(part: Placeholder) -> Iterator[str | Placeholder]:
    yield from _DASHES if _is_dash(part) else (part,)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(value: SigmaString) -> bytes:
    if not all(isinstance(each, str) for each in value.s):
        raise SigmaValueError("a text with wildcards has no Base64")
    return "".join(map(str, value.s)).encode("utf-8", "surrogateescape")


def teach() -> None:
    """Have pySigma use them."""
    modifier_mapping.update(
        base64=Base64,
        base64offset=Base64Offset,
        utf16=Utf16,
        utf16be=Utf16be,
        utf16le=Utf16le,
        wide=Utf16le,
        windash=WindowsDash,
    )
