"""A certificate that an ACME client obtained, and the one file from which the proxy reads it with its key.

Nothing reaches that file that would keep the proxy from starting or tell visitors a wrong name: the key fits, each
certificate is signed by the next, the names cover every service that reads the file, and it is good now. The file is
root's, so that neither proxy nor guard, taken over, can put another key there; both read it through their group.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from rempart.edge import whole
from rempart.errors import InputRefused
from rempart.instants import Instant, from_datetime
from rempart.site.site import Site

CHAIN, KEY = "fullchain.pem", "privkey.pem"
"""Names of the files in the folder that an ACME client keeps of one certificate (certbot: its lineage)."""

_AGAIN = "The file in use stays. Ask the authority for a new one, and look at what the ACME client logged."


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A certificate with those above it and its key, which were found to fit one another."""

    names: frozenset[str]
    """The host names it is for (RFC 6125: a star stands for one label)."""
    expires: Instant
    pem: bytes = field(repr=False)
    """Certificates, then the key, as haproxy reads them from one file."""

    def covers(self, host: str) -> bool:
        """Whether visitors who ask for that host accept it."""
        return not self.names.isdisjoint({host, f"*.{host.partition('.')[2]}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One file of site.toml and the hosts of the services that read it."""

    file: Path
    hosts: frozenset[str]


def obtained(folder: Path, now: Instant) -> Renewal:
    """What lies in an ACME client's folder. Raises InputRefused when it must not be used."""
    try:
        chain = x509.load_pem_x509_certificates((folder / CHAIN).read_bytes())
        key = load_pem_private_key((folder / KEY).read_bytes(), password=None)
    except OSError as fault:
        where = str(fault.filename or folder)
        raise InputRefused(
            f"it cannot be read: {fault.strerror}", where=where, now="Name the folder; run it as root."
        ) from fault
    except (ValueError, TypeError) as fault:
        raise InputRefused(
            f"{CHAIN} and {KEY} are not certificates and an open key in PEM", where=str(folder), now=_AGAIN
        ) from fault
    own = chain[0]
    if own.public_key() != key.public_key():
        raise InputRefused("the key is another certificate's", where=str(folder), now=_AGAIN)
    if not all(_signed(lower, upper) for lower, upper in pairwise(chain)):
        raise InputRefused("one of the certificates is not signed by the next", where=str(folder), now=_AGAIN)
    if not from_datetime(own.not_valid_before_utc) <= now < from_datetime(own.not_valid_after_utc):
        raise InputRefused(
            f"it is good from {own.not_valid_before_utc:%Y-%m-%d} until {own.not_valid_after_utc:%Y-%m-%d}, not now",
            where=str(folder),
            now="The file in use stays. Check the clock of this box, then ask for a new one.",
        )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Renewal(
        names=frozenset(_names(own)),
        expires=from_datetime(own.not_valid_after_utc),
        pem=b"".join([*(each.public_bytes(Encoding.PEM) for each in chain), secret]),
    )


def destinations(site: Site, renewal: Renewal) -> Iterator[Destination]:
    """The files of services that it is for. Raises InputRefused when a file serves a host that it does not cover."""
    hosts: dict[str, set[str]] = {}
    for opening in site.published():
        publication = opening.publication
        if publication and publication.tls:
            hosts.setdefault(publication.tls.certificate, set()).add(publication.host)
    for file, wanted in hosts.items():
        covered = set(filter(renewal.covers, wanted))
        if covered == wanted:
            yield Destination(file=Path(file), hosts=frozenset(wanted))
        elif covered:
            raise InputRefused(
                f"it is for {', '.join(sorted(covered))}, but not for {', '.join(sorted(wanted - covered))}",
                where=file,
                now="The file in use stays. Ask for one certificate with all these names, or name a file for each.",
            )


def previous(file: Path) -> Path:
    """Where the file that was in use before is kept."""
    return file.with_name(f"{file.name}.previous")


def put(renewal: Renewal, file: Path, readers: int | None) -> bool:
    """Put it in its place, whole or not at all; False when it lay there already. Raises InputRefused.

    ``readers``: the group of the proxy and the guard; None: whoever runs this runs them too. The earlier file is kept
    as `previous`.
    """
    try:
        if file.exists() and file.read_bytes() == renewal.pem:
            return False
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        if file.exists():
            _keep(file)
        whole.put(file, renewal.pem, mode=0o600 if readers is None else 0o640, group=readers)
    except OSError as fault:
        raise InputRefused(
            f"it cannot be written: {fault.strerror}",
            where=str(fault.filename or file),
            now="The file in use stays. Run it as root, and make room.",
        ) from fault
    return True


def _keep(file: Path) -> None:
    """A second name for the file in use, which is never gone meanwhile."""
    aside = file.with_name(f".{file.name}.previous.new")
    aside.unlink(missing_ok=True)
    aside.hardlink_to(file)
    aside.replace(previous(file))
    aside.unlink(missing_ok=True)  # rename(2) leaves it when both were the same file already


def _signed(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in said.value.get_values_for_type(x509.DNSName)]
