"""Limits of a visit: from which address it comes, which machines inside it reaches, which certificate it shows."""

from dataclasses import dataclass

from rempart.site.opening import Opening
from rempart.site.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one visit may do: reach ``hosts`` alone, or, where the proxy stands between, show ``certificate``."""

    source: str
    """The one address outside from which it comes."""
    hosts: tuple[str, ...] = ()
    """Addresses inside, of the source's family, sorted; empty: the opening is published by the proxy."""
    certificate: str = ""
    """SHA-256 of the client certificate's DER form, in 64 lower-case digits; empty: the opening is not published."""

    def allow(self, other: "Limits | None") -> bool:
        """Whether all that ``other`` lets through may pass; None lets the whole opening through."""
        return (
            other is not None
            and (self.source, self.certificate) == (other.source, other.certificate)
            and set(self.hosts) >= set(other.hosts)
        )


def limited_by_kernel(site: Site) -> tuple[Opening, ...]:
    """The openings for visits that do not pass the proxy: who reaches which machine is a matter of addresses."""
    return tuple(each for each in site.openings if each.takes_visits and not each.publication)


def limited_by_proxy(site: Site) -> tuple[Opening, ...]:
    """The openings for visits that pass the proxy, which can ask for a certificate."""
    return tuple(each for each in site.published() if each.takes_visits)
