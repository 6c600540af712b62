"""Facts about listening: logs, and watch itself, that fall silent and are heard again."""

from rempart.engine.facts.fact import Fact
from rempart.instants import Instant


class LogsTurned(Fact, frozen=True, tag=True, kw_only=True):
    """Logs fell silent, or were heard again (or are followed no more): their paths, or names of the station's own."""

    silent: list[str]
    heard: list[str]


class WatchMuted(Fact, frozen=True, tag=True, kw_only=True):
    """Watch, which detects, says nothing since then: whether logs are followed at all is not known."""

    since: Instant


class WatchHeard(Fact, frozen=True, tag=True, kw_only=True):
    """Watch speaks again."""


ListeningFact = LogsTurned | WatchMuted | WatchHeard
