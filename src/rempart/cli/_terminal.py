"""Text from logs and names, made harmless for a terminal."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that move the cursor, reorder the line or show nothing (CVE-2021-42574, Trojan Source)."""


def harmless(text: str, longest: int = 200) -> str:
    """The text with control and format characters written out, cut at ``longest`` characters."""
    shown = "".join(
        f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in _HIDDEN else char for char in text[:longest]
    )
    return shown + "…" if len(text) > longest else shown
