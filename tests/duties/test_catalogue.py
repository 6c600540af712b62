from rempart.adapters import shipped
from rempart.duties import duty
from rempart.duties.catalogue import INSTITUTION, DutyId, QuestionId


def test_the_names_are_those_of_the_data() -> None:
    obligations = duty.parse(shipped.text("duties/obligations.toml"))
    assert {each.value for each in QuestionId} == obligations.questions.keys()
    assert {each.value for each in DutyId} == obligations.duties.keys()
    numbers = {each for each in QuestionId if each.number}
    assert numbers == {name for name, asked in obligations.questions.items() if asked.number}
    assert set(QuestionId) >= INSTITUTION
