"""Certificates for a name on an isolated network: an authority of the station's own, good for that one name only.

Passkeys need a page that browsers trust, and an isolated network has no public authority. Whoever trusts this root (on
the desks and telephones of the house) trusts it for the station's name and nothing else: its name constraints are
critical (RFC 5280, 4.2.1.10), so that a stolen box cannot pretend to be a bank.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rempart.edge import whole
from rempart.errors import InputRefused
from rempart.instants import Instant, as_datetime, from_datetime

ROOT_DAYS = 3_650
"""How long the root is good: the desks need not be visited again for ten years."""

LEAF_DAYS = 397
"""How long the station's own certificate is good: browsers take no longer ones from public authorities."""

_ADDRESSES = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
"""No certificate under the root may be for an address."""

_BEFORE = timedelta(hours=1)
"""Clocks of telephones may be behind."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What is served: the chain and its key, in PEM; and the root that desks must trust."""

    root: bytes
    root_key: bytes
    chain: bytes
    key: bytes


def issue(name: str, now: Instant, root: tuple[bytes, bytes] | None = None) -> Issued:
    """A certificate for this host name, under the given root (certificate and key in PEM) or a fresh one."""
    authority, authority_key = _known(*root) if root else _authority(name, now)
    key = ec.generate_private_key(ec.SECP256R1())
    begun = as_datetime(now) - _BEFORE
    leaf = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=LEAF_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    return Issued(
        root=_pem(authority),
        root_key=_secret(authority_key),
        chain=_pem(leaf) + _pem(authority),
        key=_secret(key),
    )


def passing(address: str, now: Instant) -> tuple[bytes, bytes, str]:
    """A self-signed certificate for an address, good for a day: PEM, its key in PEM, and its SHA-256 fingerprint.

    For the first-run page, which comes before any name: whoever opens it compares the fingerprint.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    begun = as_datetime(now) - _BEFORE
    made = (
        x509.CertificateBuilder()
        .subject_name(_named("rempart setup"))
        .issuer_name(_named("rempart setup"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(made), _secret(key), made.fingerprint(hashes.SHA256()).hex(":").upper()


def good_until(file: Path) -> Instant | None:
    """Until when the first certificate of a file is good; None when it cannot be read."""
    try:
        return from_datetime(x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc)
    except (OSError, ValueError):
        return None


def _authority(name: str, now: Instant) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject, begun = _named(f"Rempart at {name}"[:64]), as_datetime(now) - _BEFORE
    only = x509.NameConstraints([x509.DNSName(name)], [x509.IPAddress(each) for each in _ADDRESSES])
    root = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(only, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return root, key


def _known(certificate: bytes, key: bytes) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        loaded = serialization.load_pem_private_key(key, None)
        root = x509.load_pem_x509_certificate(certificate)
    except ValueError as fault:
        raise InputRefused(
            f"the root cannot be used: {fault}", now="Remove it, and trust the new one that is then made."
        ) from fault
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise InputRefused("the root's key is of another kind", now="Remove it; a new one is then made.")
    return root, loaded


def written(folder: Path, name: str, now: Instant, owner: int | None) -> Path:
    """Make or renew the certificate in that folder; the root is kept as long as it is of the same name.

    ``owner``: the group whose process serves the pages and may read the key. Returns the root's file. Raises
    `InputRefused` when the folder cannot be written.
    """
    root_file, key_file = folder / "root.pem", folder / "root.key"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        before = folder / "name"
        same = before.exists() and before.read_text(encoding="ascii").strip() == name
        root = (root_file.read_bytes(), key_file.read_bytes()) if same else None
        issued = issue(name, now, root)
        whole.put(root_file, issued.root, mode=0o644)
        whole.put(key_file, issued.root_key)
        whole.put(folder / "station.pem", issued.chain, mode=0o644)
        whole.put(folder / "station.key", issued.key, mode=0o600 if owner is None else 0o640, group=owner)
        whole.put(before, f"{name}\n".encode(), mode=0o644)
    except OSError as fault:
        raise InputRefused(
            f"the certificate cannot be written: {fault.strerror}",
            where=str(folder),
            now="Do it as root, or name another folder with --state.",
        ) from fault
    return root_file


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _secret(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
