from collections.abc import Callable

import pytest

from rempart.adapters import shipped
from rempart.duties import answers as given
from rempart.duties import duty
from rempart.duties.duty import Applies, ClockState, Duty, Obligations, duties_for
from rempart.incidents.incident import Incident
from rempart.instants import Instant, after, hours, parse_rfc3339
from rempart.site.language import Language

AWARE = parse_rfc3339("2026-11-20T16:00:00Z")
Ask = Callable[..., dict[str, Duty]]


@pytest.fixture
def ask(incident: Incident, obligations: Obligations) -> Ask:
    """The duties by id, for answers written as TOML, so many hours after awareness."""

    def duties(text: str = "", *, after_hours: float = 1) -> dict[str, Duty]:
        told = given.parse(text, "answers.toml", questions=obligations.questions, duties=obligations.duties)
        now = after(AWARE, hours(after_hours))
        return {each.obligation.id: each for each in duties_for(incident, told, now, obligations)}

    return duties


def said(question: str, answer: str) -> str:
    return (
        f'[[answers]]\nquestion = "{question}"\nanswer = {answer}\nby = "Anne"\n'
        "at = 2026-11-20T16:30:00Z\nsince = 2026-11-20T16:00:00Z\n"
    )


SCOPED = said("nis2-scope", '"yes"') + said("significant-incident", '"yes"')
BREACH = said("personal-data-breach", '"yes"') + said("risk-to-persons", '"yes"')


def test_nothing_applies_before_somebody_answered(ask: Ask) -> None:
    duties = ask()
    assert {each.applies for name, each in duties.items() if name != "aviq"} == {Applies.ASK}
    assert duties["aviq"].applies is Applies.NO  # no such duty was found in published material
    assert duties["gdpr-authority"].clock is ClockState.NOT_STARTED
    assert duties["gdpr-authority"].due_at is None
    assert duties["nis2-intermediate-report"].clock is ClockState.ON_REQUEST


def test_a_clock_nobody_started_is_reckoned_from_the_first_sign_as_a_precaution(
    ask: Ask, incident: Incident
) -> None:
    assert ask()["gdpr-authority"].cautious_due_at == after(incident.opened, hours(72))


@pytest.mark.parametrize(
    ("figures", "hint"),
    [
        ("", "hint.scope-missing"),
        (said("fte", "62"), "hint.scope-above"),
        (said("turnover-eur", "12_000_000"), "hint.scope-above"),
        (said("fte", "49") + said("turnover-eur", "4e6") + said("balance-eur", "3e6"), "hint.scope-below"),
    ],
)
def test_figures_hint_at_the_scope_but_never_settle_it(ask: Ask, figures: str, hint: str) -> None:
    warning = ask(figures)["nis2-early-warning"]
    assert warning.applies is Applies.ASK
    assert [one.key for one in warning.hints] == [hint]
    assert "nis2-scope" in {question.id for question in warning.open_questions}


def test_out_of_scope_means_no_nis2_duty_and_no_clock(ask: Ask) -> None:
    duties = ask(said("nis2-scope", '"no"') + said("significant-incident", '"yes"'))
    assert duties["nis2-early-warning"].applies is Applies.NO
    assert duties["nis2-early-warning"].due_at is None


def test_both_clocks_run_apart_in_calendar_hours(ask: Ask) -> None:
    duties = ask(SCOPED + BREACH)
    assert duties["nis2-early-warning"].due_at == after(AWARE, hours(24))
    assert duties["nis2-notification"].due_at == after(AWARE, hours(72))
    assert duties["gdpr-authority"].due_at == after(AWARE, hours(72))
    assert duties["gdpr-register"].due_at is None
    assert duties["gdpr-register"].clock is ClockState.RUNNING


@pytest.mark.parametrize(
    ("elapsed", "state"),
    [
        (17.9, ClockState.RUNNING),
        (18, ClockState.DUE_SOON),
        (24, ClockState.DUE_SOON),
        (24.001, ClockState.OVERDUE),
    ],
)
def test_a_day_runs_is_due_soon_and_overdue(ask: Ask, elapsed: float, state: ClockState) -> None:
    assert ask(SCOPED, after_hours=elapsed)["nis2-early-warning"].clock is state


def test_the_final_report_counts_a_month_from_the_notification_not_from_awareness(ask: Ask) -> None:
    assert ask(SCOPED)["nis2-final-report"].clock is ClockState.NOT_STARTED
    sent = '[[sent]]\nduty = "nis2-notification"\nat = 2026-11-22T09:00:00+01:00\nby = "Anne"\nproof = "A1"\n'
    duties = ask(SCOPED + sent)
    assert duties["nis2-notification"].clock is ClockState.SENT
    assert duties["nis2-final-report"].due_at == parse_rfc3339("2026-12-22T08:00:00Z")


def test_a_correction_is_appended_and_counts(ask: Ask) -> None:
    later = said("personal-data-breach", '"yes"').replace("since = 2026-11-20T16", "since = 2026-11-20T18")
    assert ask(BREACH + later)["gdpr-authority"].started_at == parse_rfc3339("2026-11-20T18:00:00Z")
    assert ask(BREACH + said("personal-data-breach", '"no"'))["gdpr-authority"].applies is Applies.NO


def test_the_insurer_s_limit_is_the_policy_s(ask: Ask, incident: Incident) -> None:
    duties = ask(said("insurance-policy", '"yes"') + said("insurance-hours", "48"))
    asked = ask(said("insurance-policy", '"yes"'))["insurer"]
    assert [question.id for question in asked.open_questions] == ["insurance-hours"]
    assert duties["insurer"].due_at == Instant(incident.opened + hours(48))


def test_what_was_seen_is_a_hint_for_the_person_not_an_answer(ask: Ask) -> None:
    breach = ask()["gdpr-authority"]
    assert breach.applies is Applies.ASK
    assert [dict(one.arguments) for one in breach.hints] == [{"persons": 1180}]
    assert ask(said("personal-data-breach", '"unknown"'))["gdpr-authority"].hints == ()


def test_every_source_and_confidence_is_kept(obligations: Obligations) -> None:
    for each in obligations.duties.values():
        assert each.confidence in {"S", "G", "I"}
        assert each.sources or each.confidence != "S"
        for words in (each.name, each.recipient, each.fields, each.law):
            assert set(words) == set(Language)
            assert all(words.values()) or not any(words.values())
    for question in obligations.questions.values():
        assert set(question.text) == set(Language)
        assert set(question.why) == set(Language)
        assert all(question.text.values())
        assert all(question.why.values())
        assert len(set(question.why.values())) == len(Language), question.id


def test_a_question_without_one_of_the_languages_is_refused() -> None:
    text = shipped.text("duties/obligations.toml")
    assert "\nde = " in text
    with pytest.raises(KeyError, match="de"):
        duty.parse(text.replace("\nde = ", "\nde-is-gone = ", 1))
    with pytest.raises(KeyError, match="nl"):
        duty.parse(text.replace("\nname.nl = ", "\nname.gone = ", 1))
    with pytest.raises(KeyError, match="fr"):
        duty.parse(text.replace("\nwhy.fr = ", "\nwhy.gone = ", 1))
