import pytest

from rempart.duties import answers
from rempart.errors import InputRefused

QUESTIONS, DUTIES = ("fte", "nis2-scope"), ("police-complaint",)


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    text = """
[[answers]]
question = "ftee"
answer = 62
by = "Anne"
at = 2026-11-20T16:30:00Z

[[answers]]
question = "nis2-scope"
answer = "maybe"
at = "yesterday"

[[posted]]
duty = "police-complaint"
"""
    with pytest.raises(InputRefused) as refused:
        answers.parse(text, "answers.toml", questions=QUESTIONS, duties=DUTIES)
    said = str(refused.value)
    assert "answers no. 1: question 'ftee' is not known" in said
    assert "answers no. 2: answer is not an answer" in said
    assert "answers no. 2: by is missing" in said
    assert "answers no. 2: at is not a moment" in said
    assert "unknown section 'posted'" in said


def test_text_that_is_no_toml_names_the_line() -> None:
    with pytest.raises(InputRefused, match="at line 2"):
        answers.parse("\n[[answers]", "answers.toml", questions=QUESTIONS, duties=DUTIES)
