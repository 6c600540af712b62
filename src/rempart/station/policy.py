"""The policy that the station decides by: the operator's file, or the one that ships with Rempart."""

from importlib import resources
from pathlib import Path

from rempart.adapters.site_file import read_text
from rempart.containment import policy
from rempart.containment.policy import Policy


def read_policy(path: Path | None) -> Policy:
    """The policy of that file; the one that ships with Rempart when there is none. Raises `InputRefused`."""
    if path is None:
        shipped = resources.files("rempart.containment").joinpath("policy.toml")
        return policy.parse(shipped.read_text(encoding="utf-8"), "policy.toml")
    return policy.parse(read_text(path), str(path))
