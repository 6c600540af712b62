"""Single sign-on: which identity provider may say who somebody is, and whose account that then is."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOn:
    """An OpenID provider. It signs in people who have an account here, and gives nobody an account or a role."""

    issuer: str
    """Its name as its tokens say it (OpenID Connect Core 1.0, 2: ``iss``)."""
    client: str
    """What it knows this station by."""
    secret_file: str = ""
    """A file of the console's own with the secret that goes with it; empty: the provider asks for none."""
    keys_file: str = "/etc/rempart/provider.json"
    """Where ``rempart provider`` keeps the provider's keys and addresses; only root writes it."""
    claim: str = "sub"
    """The claim that names the person."""
    accounts: Mapping[str, str] = field(default_factory=dict)
    """What that claim says, to the account that it may sign in."""
