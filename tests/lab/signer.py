"""An authority that signs certificates for servers and visitors of the lab."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


class Signer:
    """An authority of the lab: signs names for servers and for visitors."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._built(self.name, self.key, authority=True)

    def write_authority(self, path: Path) -> Path:
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def write_self(self, path: Path) -> Path:
        """The authority's own certificate with its key: signed by nobody else."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM) + _pem(self.key))
        return path

    def write(self, path: Path, name: str, ends: timedelta = 60 * _DAY) -> Path:
        """Certificate and key for ``name`` in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed = self._built(subject, key, ends=ends)
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + b"\n" + _pem(key))
        return path

    def write_lineage(self, folder: Path, name: str, ends: timedelta = 60 * _DAY) -> Path:
        """A folder as an ACME client keeps it: the certificate with this authority's, and its key."""
        folder.mkdir(exist_ok=True)
        both = self.write(folder / "both", name, ends).read_bytes()
        own, begin, key = both.partition(b"-----BEGIN PRIVATE")
        (folder / "both").unlink()
        (folder / "fullchain.pem").write_bytes(
            own + self.certificate.public_bytes(serialization.Encoding.PEM)
        )
        (folder / "privkey.pem").write_bytes(begin + key)
        return folder

    def _built(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        ends: timedelta = 60 * _DAY,
        authority: bool = False,
    ) -> x509.Certificate:
        name = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([_subject(str(name))]),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _subject(name: str) -> x509.GeneralName:
    """What the certificate is for: an address, or a name."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name.lower().replace(" ", "-"))
