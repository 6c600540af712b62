"""The data files that travel inside the package, as text."""

from importlib import resources


def text(name: str) -> str:
    """The text of a shipped file, e.g. ``duties/words.toml``. Raises FileNotFoundError when there is none."""
    return resources.files("rempart").joinpath(name).read_text(encoding="utf-8")
