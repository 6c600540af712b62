"""What a signed token must say: everything else is refused, one by one."""

from typing import Any

import pytest

from rempart.accounts.identity import SKEW, IdentityRefused, account
from rempart.instants import Instant
from rempart.site.sign_on import SignOn

NOW = Instant(1_800_000_000_000_000)
SECONDS = NOW // 1_000_000
SIGN_ON = SignOn(issuer="https://login.example", client="rempart", accounts={"s-1": "anne"})
RIGHT: dict[str, Any] = {
    "iss": "https://login.example",
    "aud": "rempart",
    "exp": SECONDS + 300,
    "iat": SECONDS - 1,
    "nonce": "n",
    "sub": "s-1",
}


@pytest.mark.parametrize("aud", ["rempart", ["rempart"]])
def test_somebody_known_is_let_in(aud: object) -> None:
    assert account(SIGN_ON, {**RIGHT, "aud": aud}, "n", NOW) == "anne"
    assert account(SIGN_ON, {**RIGHT, "aud": ["rempart", "other"], "azp": "rempart"}, "n", NOW) == "anne"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://login.example/"}, "another provider"),
        ({"iss": None}, "another provider"),
        ({"aud": "other"}, "somebody else"),
        ({"aud": ["other"]}, "somebody else"),
        ({"aud": []}, "somebody else"),
        ({"aud": None}, "somebody else"),
        ({"aud": "rempart-of-another-house"}, "somebody else"),
        ({"aud": ["rempart", "other"]}, "for several"),
        ({"azp": "other"}, "asked for by somebody else"),
        ({"exp": SECONDS - SKEW // 1_000_000}, "over"),
        ({"exp": "tomorrow"}, "no time"),
        ({"exp": True}, "no time"),
        ({"exp": float("inf")}, "no time"),
        ({"exp": None}, "no time"),
        ({"iat": None}, "no time"),
        ({"iat": SECONDS + 121}, "to come"),
        ({"nbf": SECONDS + 121}, "not good yet"),
        ({"nonce": "m"}, "another question"),
        ({"nonce": None}, "another question"),
        ({"sub": "s-2"}, "nobody"),
        ({"sub": ["s-1"]}, "nobody"),
        ({"sub": None}, "nobody"),
    ],
)
def test_anything_else_is_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(IdentityRefused, match=why):
        account(SIGN_ON, {**RIGHT, **changed}, "n", NOW)


def test_no_nonce_answers_no_question_and_roles_are_not_looked_at() -> None:
    with pytest.raises(IdentityRefused):
        account(SIGN_ON, {**RIGHT, "nonce": ""}, "", NOW)
    assert account(SIGN_ON, {**RIGHT, "roles": ["technician"], "groups": ["root"]}, "n", NOW) == "anne"


@pytest.mark.parametrize("checked", [None, False, "true", 1])
def test_an_address_that_the_provider_did_not_check_names_nobody(checked: object) -> None:
    by_mail = SignOn(
        issuer=SIGN_ON.issuer, client="rempart", claim="email", accounts={"anne@tilleuls.example": "anne"}
    )
    told = {**RIGHT, "email": "anne@tilleuls.example"}
    assert account(by_mail, {**told, "email_verified": True}, "n", NOW) == "anne"
    with pytest.raises(IdentityRefused, match="did not check"):
        account(by_mail, {**told, "email_verified": checked}, "n", NOW)
