"""Log sources: which events a rule is asked of, as pySigma's pipelines and Sigma's taxonomy have it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from sigma.filters import SigmaFilter
from sigma.pipelines.sysmon.sysmon import sysmon_pipeline
from sigma.pipelines.windows.windows import windows_logsource_pipeline
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from rempart.detection.audited import sure, widened
from rempart.detection.condition import Condition, Leaf, LeafKind, either, every
from rempart.detection.languages import in_every_language
from rempart.detection.rule import asked_by_channel
from rempart.detection.sigma.selection import ConditionReader
from rempart.events.event import LogSource

# Log sources of Sigma's taxonomy that pySigma's pipelines do not map: without this their rules would be asked of
# nothing, or, the two about files, of every Windows event. Those two are told by their provider, the rest by channel.
_KERNEL_FILE = Leaf("Provider_Name", LeafKind.EXACT, "Microsoft-Windows-Kernel-File")
_CHANNELS: dict[str, tuple[str, ...]] = {
    "application-experience": (
        "Microsoft-Windows-Application-Experience/Program-Telemetry",
        "Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant",
    ),
    "hyper-v-worker": ("Microsoft-Windows-Hyper-V-Worker", "Microsoft-Windows-Hyper-V-Worker-Admin"),
    "iis-configuration": ("Microsoft-IIS-Configuration/Operational",),
    "kernel-event-tracing": (
        "Microsoft-Windows-Kernel-EventTracing",
        "Microsoft-Windows-Kernel-EventTracing/Admin",
    ),
    "kernel-shimengine": (
        "Microsoft-Windows-Kernel-ShimEngine/Operational",
        "Microsoft-Windows-Kernel-ShimEngine/Diagnostic",
    ),
    "ldap": ("Microsoft-Windows-LDAP-Client/Debug",),
    "ntfs": ("Microsoft-Windows-Ntfs/Operational",),
    "sense": ("Microsoft-Windows-SENSE/Operational",),
    "servicebus-client": ("Microsoft-ServiceBus-Client/Operational", "Microsoft-ServiceBus-Client/Admin"),
    "smbclient-connectivity": ("Microsoft-Windows-SmbClient/Connectivity",),
    "smbserver-connectivity": ("Microsoft-Windows-SMBServer/Connectivity",),
}
_UNMAPPED: dict[str | None, Condition] = {
    "file_access": _KERNEL_FILE,
    "file_rename": _KERNEL_FILE,
    **{
        service: either(Leaf("Channel", LeafKind.EXACT, name) for name in names)
        for service, names in _CHANNELS.items()
    },
}
_PROBE = "rempart_probe"
_VHDMP = Leaf("Channel", LeafKind.EXACT, "Microsoft-Windows-VHDMP-Operational")
_NOT_WINDOWS = either(
    (
        Leaf("Channel", LeafKind.EXACT, "Linux-Sysmon/Operational"),
        every((Leaf("Channel", LeafKind.NULL), Leaf("EventID", LeafKind.NULL))),
    )
)


def logsource_of(sigma: SigmaRule | SigmaFilter) -> LogSource:
    """The words in lower case. Raises ValueError where they are no words."""
    words = (sigma.logsource.product, sigma.logsource.category, sigma.logsource.service)
    if not all(isinstance(word, str | None) for word in words):
        raise ValueError("'product', 'category' and 'service' of a log source are words")
    return LogSource(*(word and word.lower() for word in words))


def same_source(asked: LogSource, given: LogSource) -> bool:
    """Whether what a filter is for covers a rule's log source."""
    return (
        asked.product in (None, given.product)
        and asked.category in (None, given.category)
        and asked.service in (None, given.service)
    )


@lru_cache(maxsize=1)
def _pipelines() -> ProcessingPipeline:
    make: Sequence[Callable[[], ProcessingPipeline]] = (sysmon_pipeline, windows_logsource_pipeline)
    first, second = (each() for each in make)
    return first + second


@lru_cache(maxsize=1024)
def gate_of(logsource: LogSource) -> Condition | None:
    """What the pipelines ask of events for this log source; None when only the log source itself can tell.

    The two pipelines only add conditions that depend on the log source, so they are run once per log source on a rule
    that asks nothing else, not on thousands of rules.
    """
    if logsource.product != "windows":
        return None
    if logsource.category is None and logsource.service is None:
        return every(())
    named = {"product": logsource.product, "category": logsource.category, "service": logsource.service}
    probe = SigmaRule.from_dict(
        {
            "title": _PROBE,
            "logsource": {key: text for key, text in named.items() if text},
            "detection": {"probe": {_PROBE: _PROBE}, "condition": "probe"},
        }
    )
    _pipelines().apply(probe)
    whole = ConditionReader({}).condition(probe.detection.parsed_condition[0].parse())
    asked = Leaf(_PROBE, LeafKind.EXACT, _PROBE)
    added = [part for part in getattr(whole, "parts", ()) if part != asked]
    if logsource.service == "vhdmp":  # the channel has no slash in its name, unlike what pySigma maps
        return either((*added, _VHDMP))
    return every(added) if added else _UNMAPPED.get(logsource.category or logsource.service)


def told_on_windows(logsource: LogSource) -> Condition | None:
    """What a rule without product asks of a Windows event; events of other products pass. None for other rules."""
    if not asked_by_channel(logsource):
        return None
    told = gate_of(replace(logsource, product="windows"))
    return told and either((widened(told, logsource.category), _NOT_WINDOWS))


def asked_of(logsource: LogSource, condition: Condition) -> Condition:
    """What a rule or a filter of this log source asks, beyond the log source itself."""
    asked = in_every_language(condition) if logsource.product == "windows" else condition
    return every((asked, sure(asked, logsource)))
