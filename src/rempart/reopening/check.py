"""What a machine can check of a gate. Its no stands against a person's yes; its yes never passes a gate by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rempart.instants import Instant, hours
from rempart.phrase import Phrase, phrase
from rempart.reopening.dossier import Dossier, ProofKind
from rempart.reopening.gate import Gate
from rempart.reopening.profile import exact
from rempart.site.opening import Opening
from rempart.site.site import Asset, Site


class Verdict(StrEnum):
    """What a check says. Unknown: there is nothing to go by."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One machine check of one gate, and what it found."""

    gate: Gate
    verdict: Verdict
    detail: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the checks go by."""

    now: Instant
    cut_since: Instant
    attacked: Instant | None
    """The first finding of the incidents that the site is contained for; None: no incident is named."""
    last_beacon: Instant | None
    leaks: tuple[str, ...]
    """Probes that were answered through a closed opening."""
    silent: int
    """Probes through closed openings that got no answer."""
    isolated: frozenset[str]
    dossier: Dossier


def checks(site: Site, opening: Opening, ground: Ground) -> tuple[Check, ...]:
    """Every check that concerns this opening."""
    return (
        _beacons(site, ground),
        _cut(ground),
        _secrets(ground),
        *_machines(site, opening, ground),
        _restore(ground),
        _filter(opening),
    )


def unproven_core(site: Site, ground: Ground) -> tuple[Asset, ...]:
    """Stage 0: machines of the trusted core that were not checked since the attack began."""
    return tuple(
        asset for asset in site.assets if asset.core and not _since(ground, ProofKind.SCAN, asset.id)
    )


def _beacons(site: Site, ground: Ground) -> Check:
    quiet = hours(site.quiet_hours)
    if not quiet:
        return Check(Gate.CUT_VERIFIED, Verdict.UNKNOWN, phrase("found-no-quiet"))
    if ground.last_beacon is not None and ground.now - ground.last_beacon < quiet:
        ago = (ground.now - ground.last_beacon) // hours(1)
        told = phrase("found-beacon", ago=ago, hours=site.quiet_hours)
        return Check(Gate.CUT_VERIFIED, Verdict.NO, told)
    if ground.now - ground.cut_since < quiet:
        told = phrase("found-too-soon", hours=site.quiet_hours)
        return Check(Gate.CUT_VERIFIED, Verdict.UNKNOWN, told)
    return Check(Gate.CUT_VERIFIED, Verdict.YES, phrase("found-no-beacon", hours=site.quiet_hours))


def _cut(ground: Ground) -> Check:
    if ground.leaks:
        return Check(Gate.CUT_VERIFIED, Verdict.NO, phrase("found-leaks", probes=ground.leaks))
    if not ground.silent:
        return Check(Gate.CUT_VERIFIED, Verdict.UNKNOWN, phrase("found-no-probe"))
    return Check(Gate.CUT_VERIFIED, Verdict.YES, phrase("found-silent", count=ground.silent))


def _secrets(ground: Ground) -> Check:
    renewed = ground.dossier.proofs.get(ProofKind.SECRETS.value, {})
    late = [name for name, proof in renewed.items() if ground.attacked and proof.on < ground.attacked]
    if late:
        told = phrase("found-old-secrets", secrets=sorted(late))
        return Check(Gate.EVICTION, Verdict.NO, told)
    if not renewed:
        return Check(Gate.EVICTION, Verdict.UNKNOWN, phrase("found-no-secret"))
    return Check(Gate.EVICTION, Verdict.YES, phrase("found-secrets", secrets=sorted(renewed)))


def _machines(site: Site, opening: Opening, ground: Ground) -> Iterator[Check]:
    """The machines behind a published service."""
    if opening.publication is None:
        return
    for asset in (a for a in site.assets if opening.publication.address in a.addresses):
        if asset.id in ground.isolated:
            yield Check(Gate.ASSET, Verdict.NO, phrase("found-isolated", asset=asset.id))
        elif _since(ground, ProofKind.SCAN, asset.id):
            yield Check(Gate.ASSET, Verdict.YES, phrase("found-checked", asset=asset.id))
        else:
            yield Check(Gate.ASSET, Verdict.UNKNOWN, phrase("found-unchecked", asset=asset.id))


def _restore(ground: Ground) -> Check:
    tested = ground.dossier.proofs.get(ProofKind.RESTORE.value, {})
    good = sorted(name for name in tested if _since(ground, ProofKind.RESTORE, name))
    if good:
        return Check(Gate.ASSET, Verdict.YES, phrase("found-restored", backups=good))
    return Check(Gate.ASSET, Verdict.UNKNOWN, phrase("found-no-restore"))


def _filter(opening: Opening) -> Check:
    if opening.publication:
        return Check(Gate.FILTER, Verdict.UNKNOWN, phrase("found-proxy"))
    if exact(opening):
        return Check(Gate.FILTER, Verdict.YES, phrase("found-exact"))
    return Check(Gate.FILTER, Verdict.UNKNOWN, phrase("found-wide"))


def _since(ground: Ground, kind: ProofKind, subject: str) -> bool:
    """Whether it was proven after the attack began."""
    proof = ground.dossier.proof(kind, subject)
    return proof is not None and (ground.attacked is None or proof.on >= ground.attacked)
