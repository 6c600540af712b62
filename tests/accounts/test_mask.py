"""Masks: the same within an incident, unlinkable across incidents and stations."""

from hypothesis import given
from hypothesis import strategies as st

from rempart.accounts.mask import mask

KEY, OTHER = bytes(32), bytes([1]) * 32


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_mask_says_nothing_of_the_account(incident: str, account: str) -> None:
    made = mask(KEY, incident, account)
    assert made == mask(KEY, incident, account)
    assert made.startswith("person-")
    assert len(made) == 15
    assert made != mask(OTHER, incident, account)


def test_nobody_is_followed_from_one_incident_to_the_next() -> None:
    assert mask(KEY, "inc-1", "anne") != mask(KEY, "inc-2", "anne")
    assert mask(KEY, "inc-1", "1anne") != mask(KEY, "inc-11", "anne")


def test_nobody_stays_nobody() -> None:
    assert mask(KEY, "inc-1", "") == ""
