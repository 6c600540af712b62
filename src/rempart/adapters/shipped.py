"""The data files that travel with the package: texts inside it, and Rempart's own rules."""

from importlib import resources
from pathlib import Path


def text(name: str) -> str:
    """The text of a shipped file, e.g. ``duties/words.toml``. Raises FileNotFoundError when there is none."""
    return resources.files("rempart").joinpath(name).read_text(encoding="utf-8")


def rules() -> Path:
    """The folder of Rempart's own rules: inside an installed package, beside ``src`` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "rules"
    return installed if installed.is_dir() else package.parents[1] / "rules"
