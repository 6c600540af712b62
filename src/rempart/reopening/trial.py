"""A trial: an opening is open for a while, falls back by itself, and at once on a relapse."""

from ipaddress import ip_address, ip_network

from rempart.detection.finding import Finding, Kind, Level, Outcome
from rempart.events.observable import ObservableKind
from rempart.site.opening import Opening, OpeningState

_HARM = frozenset({Kind.INTRUSION, Kind.COMMAND, Kind.EXFILTRATION, Kind.RECORDS})
"""What shows that an attack succeeds; scans, probes and guessing are noise that never stops."""

_NAMES = frozenset({ObservableKind.HOST, ObservableKind.DOMAIN})


def falls_to(opening: Opening) -> OpeningState:
    """The state after a trial that nobody confirmed: a lifeline is never shut by a clock."""
    return OpeningState.FILTERED if opening.lifeline else OpeningState.CLOSED


def shows_success(finding: Finding) -> bool:
    """True when the finding by itself shows that harm was done."""
    return finding.outcome is Outcome.SUCCESS and finding.kind in _HARM


def shows_alarm(finding: Finding) -> bool:
    """True when the finding is enough against an opening on trial, though no harm is shown yet.

    Only what a machine inside does counts so (the caller sees to it): who knocks from outside would otherwise hold
    every door shut by knocking.
    """
    inside_harm = finding.kind in (Kind.COMMAND, Kind.EXFILTRATION, Kind.RECORDS)
    return inside_harm and finding.level >= Level.MEDIUM and finding.outcome is not Outcome.BLOCKED


def concerns(finding: Finding, opening: Opening) -> bool:
    """True when what was seen passed through this opening: by the published name or server, or by its hosts."""
    values = {observable.value for observable in finding.observables}
    if opening.publication:
        named = {o.value for o in finding.observables if o.kind in _NAMES}
        # Several services may share one server: the name decides where there is one.
        return bool({opening.publication.host} & named) if named else opening.publication.address in values
    return any(_within(value, host) for host in opening.hosts if host != "*" for value in values)


def _within(value: str, host: str) -> bool:
    try:
        return ip_address(value) in ip_network(host, strict=False)
    except ValueError:  # a name on either side
        return value == host
