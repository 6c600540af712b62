"""Facts about casework: whom an incident was given to, what people wrote about it, the files they attached."""

from rempart.engine.facts.fact import Fact


class IncidentAssigned(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody with an account looks after an incident from now on; ``person`` empty: nobody in particular."""

    incident: str
    person: str
    by: str


class IncidentCommented(Fact, frozen=True, tag=True, kw_only=True):
    """Somebody wrote something down about an incident."""

    incident: str
    text: str
    by: str


class FileAttached(Fact, frozen=True, tag=True, kw_only=True):
    """A file is kept beside the journal with an incident; here is its hash."""

    incident: str
    name: str
    size: int
    sha256: str
    note: str
    by: str


class FileErased(Fact, frozen=True, tag=True, kw_only=True):
    """The bytes of an attached file were erased, wherever it is attached. What was sealed of it stays."""

    incident: str
    sha256: str
    by: str
    reason: str


CaseworkFact = IncidentAssigned | IncidentCommented | FileAttached | FileErased
