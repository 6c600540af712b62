"""The certificates of published services as they lie on the disk: whether they can be used, and until when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from rempart.instants import Instant, from_datetime
from rempart.site.site import Site

SOON = 21 * 86_400_000_000
"""Microseconds before its end from which a certificate is spoken of: a client renews 30 days before, weeks are left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One file: of which service, until when, and what is wrong with it (empty: nothing)."""

    opening: str
    host: str
    path: str
    expires: Instant | None
    written: int
    """When the file was last changed, in nanoseconds since the epoch; 0: it is not there."""
    fingerprint: str = ""
    """As haproxy tells it: SHA-1, in capital hexadecimals. It tells files apart, nothing more."""
    trouble: str = ""

    def ends_soon(self, now: Instant) -> bool:
        """Whether somebody has to see to it."""
        return self.expires is not None and self.expires - now < SOON


def certificates(site: Site) -> Iterator[Certificate]:
    """The certificate of each published service that has one."""
    for opening in site.published():
        publication = opening.publication
        if publication and publication.tls:
            yield _read(opening.id, publication.host, Path(publication.tls.certificate))


def usable_files(site: Site, found: Iterable[Certificate]) -> frozenset[str]:
    """The files that the proxy can start with: of the certificates ``found``, and those that sign visitors'."""
    signers = {o.publication.tls.clients for o in site.published() if o.publication and o.publication.tls}
    return frozenset(
        [certificate.path for certificate in found if not certificate.trouble]
        + [path for path in signers if path and fingerprints(Path(path))]
    )


def fingerprints(path: Path) -> frozenset[str]:
    """Of the certificates in a file, as `Certificate.fingerprint`; none when it cannot be read."""
    try:
        return frozenset(map(_fingerprint, x509.load_pem_x509_certificates(path.read_bytes())))
    except (OSError, ValueError):
        return frozenset()


def written(path: Path) -> int:
    """When a file was last changed, in nanoseconds since the epoch; 0: it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(opening: str, host: str, path: Path) -> Certificate:
    try:
        written = path.stat().st_mtime_ns
        text = path.read_bytes()
        own = x509.load_pem_x509_certificates(text)[0]
        key = load_pem_private_key(_private(text), password=None)
    except (OSError, ValueError, TypeError) as fault:
        said = fault.strerror if isinstance(fault, OSError) else "it holds no certificate with its key"
        return Certificate(
            opening=opening, host=host, path=str(path), expires=None, written=0, trouble=said or "unreadable"
        )
    fits = own.public_key() == key.public_key()
    return Certificate(
        opening=opening,
        host=host,
        path=str(path),
        expires=from_datetime(own.not_valid_after_utc),
        written=written,
        fingerprint=_fingerprint(own),
        trouble="" if fits else "its key is another certificate's",
    )


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  haproxy's runtime socket tells no other


def _private(text: bytes) -> bytes:
    """The private key's part of a file that holds both. Raises ValueError."""
    start = text.find(b"-----BEGIN ")
    while start >= 0:
        line = text[start : text.find(b"\n", start)]
        if b"PRIVATE KEY" in line:
            return text[start:]
        start = text.find(b"-----BEGIN ", start + 1)
    raise ValueError("no private key")
