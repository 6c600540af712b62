"""Text from logs and names, made harmless for a terminal."""

_SPACES = "\u00a0\u202f"
"""The narrow and wide no-break spaces that French puts between a number and its unit."""


def harmless(text: str, longest: int = 200) -> str:
    """The text with everything unprintable written out, cut at ``longest`` characters.

    That takes in control characters, which move the cursor, and format characters, which reorder or hide what is read
    (CVE-2021-42574, Trojan Source).
    """
    shown = "".join(
        char if char.isprintable() or char in _SPACES else f"\\u{{{ord(char):x}}}" for char in text[:longest]
    )
    return shown + "…" if len(text) > longest else shown
