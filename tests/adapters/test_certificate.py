"""The station's own authority: good for one name, kept over renewals, believed by a real TLS client and no further."""

import ipaddress
import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from rempart.adapters.certificate import LEAF_DAYS, issue, written
from rempart.adapters.clock import SystemClock
from rempart.errors import InputRefused
from rempart.instants import after, as_datetime, hours

NAME = "rempart.home.arpa"
NOW = SystemClock().now()


def handshake(folder: Path, name: str) -> str:
    """The TLS version that a client which trusts the root gets, calling the server by that name."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "station.pem", folder / "station.key")
    trusting = ssl.create_default_context(cafile=str(folder / "root.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            try:
                with serving.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)
            except (ssl.SSLError, ConnectionError):
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with (
                socket.create_connection(listening.getsockname()) as plain,
                trusting.wrap_socket(plain, server_hostname=name) as secured,
            ):
                secured.send(b"x")
                return str(secured.version())
        finally:
            thread.join()


def test_a_client_that_trusts_the_root_believes_the_name_and_no_other(tmp_path: Path) -> None:
    written(tmp_path, NAME, NOW, None)
    assert handshake(tmp_path, NAME) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, "bank.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, "127.0.0.1")


@pytest.mark.parametrize("name", ["bank.example", "evil.home.arpa"])
def test_a_stolen_root_makes_nothing_that_is_believed_for_another_name(name: str) -> None:
    ours = issue(NAME, NOW)
    forged = issue(name, NOW, (ours.root, ours.root_key))
    leaf, root = x509.load_pem_x509_certificates(forged.chain)
    verifier = PolicyBuilder().store(Store([root])).time(as_datetime(NOW))
    with pytest.raises(VerificationError):
        verifier.build_server_verifier(x509.DNSName(name)).verify(leaf, [])
    honest, _ = x509.load_pem_x509_certificates(ours.chain)
    assert verifier.build_server_verifier(x509.DNSName(NAME)).verify(honest, [])


def test_no_address_can_be_certified() -> None:
    root = x509.load_pem_x509_certificate(issue(NAME, NOW).root)
    limits = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    excluded = {str(each.value) for each in limits.value.excluded_subtrees or ()}
    assert excluded == {str(ipaddress.ip_network("0.0.0.0/0")), str(ipaddress.ip_network("::/0"))}


def test_a_renewal_keeps_the_root_and_another_name_makes_a_new_one(tmp_path: Path) -> None:
    root = written(tmp_path, NAME, NOW, None).read_bytes()
    first = x509.load_pem_x509_certificate((tmp_path / "station.pem").read_bytes())
    later = after(NOW, hours(24 * 300))
    assert written(tmp_path, NAME, later, None).read_bytes() == root
    second = x509.load_pem_x509_certificate((tmp_path / "station.pem").read_bytes())
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert second.not_valid_after_utc - second.not_valid_before_utc == timedelta(days=LEAF_DAYS)
    assert written(tmp_path, "other.home.arpa", NOW, None).read_bytes() != root


def test_keys_are_closed_to_others(tmp_path: Path) -> None:
    written(tmp_path, NAME, NOW, None)
    assert (tmp_path / "root.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "station.key").stat().st_mode & 0o777 == 0o600


def test_a_root_that_is_damaged_is_told(tmp_path: Path) -> None:
    written(tmp_path, NAME, NOW, None)
    (tmp_path / "root.key").write_text("x")
    with pytest.raises(InputRefused, match="root"):
        written(tmp_path, NAME, NOW, None)
