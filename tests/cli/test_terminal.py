"""Hostile text on a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from rempart.cli._terminal import harmless


@given(st.text())
def test_nothing_that_moves_or_hides_reaches_the_terminal(text: str) -> None:
    shown = harmless(text)
    assert all(char.isprintable() or char in "\u00a0\u202f" for char in shown)


def test_what_is_hidden_is_written_out() -> None:
    assert harmless("\x1b[31mred\u202edesrever") == "\\u{1b}[31mred\\u{202e}desrever"
    assert harmless("x" * 300) == "x" * 200 + "…"
    assert harmless("Élodie 李") == "Élodie 李"
