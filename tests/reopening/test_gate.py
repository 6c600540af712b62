"""Gates in order."""

from rempart.reopening.gate import Gate, missing


def test_what_has_not_passed_is_named_in_order() -> None:
    assert missing(["need", "evidence"]) == (
        Gate.CUT_VERIFIED,
        Gate.EVICTION,
        Gate.ASSET,
        Gate.FILTER,
        Gate.APPROVAL,
    )
    assert missing([gate.value for gate in Gate]) == ()
