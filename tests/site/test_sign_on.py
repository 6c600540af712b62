"""What site.toml says of an identity provider."""

from pathlib import Path

import pytest

from rempart.errors import SiteInvalid
from rempart.site.description import parse

HOME = (Path(__file__).parents[1] / "console" / "tilleuls.toml").read_text()
SAID = """
[sign_on]
issuer = "https://login.example/realms/home"
client = "rempart"

[[sign_on.accounts]]
subject = "5a3c"
account = "anne.dupont"
"""


def test_a_provider_and_whose_account_each_of_its_people_is() -> None:
    assert parse(HOME, "x").sign_on is None
    told = parse(HOME + SAID, "x").sign_on
    assert told
    assert (told.issuer, told.claim, told.accounts) == (
        "https://login.example/realms/home",
        "sub",
        {"5a3c": "anne.dupont"},
    )


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("https://", "http://"),
        ("anne.dupont", "Anne Dupont"),
        ('client = "rempart"', ""),
        ("subject", "roles"),
    ],
)
def test_what_is_no_provider_is_refused(right: str, wrong: str) -> None:
    with pytest.raises(SiteInvalid):
        parse(HOME + SAID.replace(right, wrong), "x")
