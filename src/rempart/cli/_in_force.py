"""The rules in force on this box: Rempart's own, and the set that was installed (`rempart rules install`)."""

from rempart.adapters import shipped
from rempart.adapters.supply import Supply
from rempart.config import Places


def folders(places: Places) -> list[str]:
    """Where they lie. Raises `RempartError` when the installed set is not whole."""
    installed = Supply(places.installed_rules).current
    return [str(shipped.rules()), *([str(installed.folder)] if installed else [])]
