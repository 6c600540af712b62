"""Recall: the state that a journal tells, from its last sealed snapshot and every fact after it."""

import logging
from collections.abc import Iterator

import msgspec

from rempart.adapters.journal import Journal
from rempart.engine.facts import FACTS, AnyFact, read
from rempart.engine.fold.fitted import fitted
from rempart.engine.fold.fold import folded
from rempart.engine.state import State, initial
from rempart.errors import JournalBroken
from rempart.site.site import Site

_log = logging.getLogger("rempart.guard")


def recall(journal: Journal, site: Site) -> State:
    """The state that the journal tells of this site: the last snapshot and every fact after it."""
    start, state = _remembered(journal, site) or (0, initial(site))
    return fitted(folded(state, site, facts_of(journal, start)), site)


def image(state: State) -> bytes:
    """The state as a snapshot seals it."""
    return msgspec.json.encode(state, enc_hook=dict)  # a `PersistentMap`: nothing else in it is unknown


def _remembered(journal: Journal, site: Site) -> tuple[int, State] | None:
    """The last snapshot. One of another version, or of a station that stood elsewhere and so held other measures, is
    left aside: the facts tell the same, only longer.
    """
    snapshot = journal.latest_snapshot()
    if snapshot is None:
        return None
    try:
        state = msgspec.json.decode(snapshot[1], type=State)
    except msgspec.MsgspecError as fault:
        _log.warning("the last snapshot is of another version, every fact is read instead: %s", fault)
        return None
    return (snapshot[0], state) if state.placement is site.placement else None


def facts_of(journal: Journal, after: int = 0) -> Iterator[AnyFact]:
    """The facts of the journal, without what it says of itself and without erased bodies."""
    for recorded in journal.entries(after):
        if recorded.body is not None and recorded.kind in FACTS:
            try:
                yield read(recorded.body)
            except msgspec.ValidationError as fault:
                raise JournalBroken(
                    f"its {recorded.kind} is not one that this version understands: {fault}",
                    where=f"{journal.path}, entry {recorded.number}",
                    now="It is sealed as it is: use the version of rempart that wrote it, or a newer one.",
                ) from fault
