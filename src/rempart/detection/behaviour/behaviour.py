"""All behaviour detectors as one value: an event goes in, the findings that it brings about come out."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from rempart.detection.behaviour.beaconing import Beaconing
from rempart.detection.behaviour.country import Countries
from rempart.detection.behaviour.first_seen import FirstDestination, FirstMachine, FirstSignIn
from rempart.detection.behaviour.records import Records
from rempart.detection.behaviour.rewriting import Rewriting
from rempart.detection.behaviour.scanning import Scanning
from rempart.detection.behaviour.sighting import Eyes, Sighting
from rempart.detection.behaviour.volume import Volume
from rempart.detection.finding import Finding
from rempart.detection.memory import recall, written
from rempart.detection.surroundings import Surroundings
from rempart.events.event import Event
from rempart.instants import Duration, Instant


class Detector(Protocol):
    """One kind of behaviour. It takes what concerns it and passes over the rest."""

    @property
    def memory(self) -> Duration:
        """How much is fed again after a restart where its past was not kept: the hour that runs."""
        ...

    def see(self, sighting: Sighting, event: Event, time: Instant) -> Iterator[Finding]:
        """The findings that a sighting brings about; ``event`` showed it at ``time``."""
        ...


class Behaviour:
    """Detectors and what they remember. The same events in the same order give the same findings with the same ids."""

    def __init__(self, surroundings: Surroundings | None = None, countries: Countries | None = None) -> None:
        """``surroundings``: the site; without it private addresses are inside. ``countries``: a table, if there is
        one.
        """
        self._surroundings = surroundings or Surroundings()
        self._countries = countries or Countries()
        self._forget()

    def _forget(self) -> None:
        self._eyes = Eyes.of(self._surroundings)
        # Where the site says which machines it knows, a shipped rule tells of the others from the first one on.
        machines = () if self._surroundings.known_devices else (FirstMachine(),)
        self._detectors: tuple[Detector, ...] = (
            *machines,
            Beaconing(),
            Volume(),
            Scanning(),
            FirstDestination(self._countries),
            FirstSignIn(self._countries),
            Records(),
            Rewriting(),
        )

    def afresh(self) -> "Behaviour":
        """The same with nothing remembered."""
        return Behaviour(self._surroundings, self._countries)

    @property
    def memory(self) -> Duration:
        """Events of how long are to be fed again after a restart without `recalled`. Pasts reach further back: they
        begin anew then.
        """
        return max(detector.memory for detector in self._detectors)

    def written(self) -> bytes:
        """All that is remembered. It names accounts, addresses and places."""
        return written(self._detectors)

    def recalled(self, data: bytes) -> "Behaviour":
        """The same with what was `written`: feeding the events after that gives the findings it would have given.

        Raises ValueError when the data is not understood.
        """
        other = self.afresh()
        recall(other._detectors, data)
        return other

    def passes_over(self, event: Event) -> bool:
        """Whether no event of this EventID is of interest, so that `feed` need not be given any."""
        return self._eyes.pass_over(event)

    def feed(self, event: Event, time: Instant) -> Iterable[Finding]:
        """The findings that this event brings about; ``event`` as `Surroundings.describe` gives it."""
        sightings = self._eyes.sightings(event, time)
        return self._found(sightings, event, time) if sightings else ()

    def _found(self, sightings: Iterable[Sighting], event: Event, time: Instant) -> Iterator[Finding]:
        for sighting in sightings:
            for detector in self._detectors:
                yield from detector.see(sighting, event, time)
