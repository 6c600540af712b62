"""How each language is printed."""

from hypothesis import given
from hypothesis import strategies as st

from rempart.site.language import Language, typeset


def test_french_punctuation_never_begins_a_line() -> None:
    assert typeset("Fermé : « dossier » ; ouvert ?", Language.FRENCH) == (
        "Fermé\u00a0: «\u00a0dossier\u00a0»\u00a0; ouvert\u00a0?"
    )
    assert typeset("geschlossen: “Akte” ?", Language.GERMAN) == "geschlossen: “Akte” ?"


@given(st.text("ab :;!?«»\u00a0{}", max_size=30))
def test_nothing_but_spaces_changes_and_once_is_enough(text: str) -> None:
    printed = typeset(text, Language.FRENCH)
    assert printed.replace("\u00a0", " ") == text.replace("\u00a0", " ")
    assert typeset(printed, Language.FRENCH) == printed
