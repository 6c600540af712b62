"""What the running proxy serves encrypted: certificates of the disk in its store, and the names that they are for."""

from collections.abc import Container, Iterable
from pathlib import Path

from rempart.adapters.enforce.certificates import Certificate
from rempart.adapters.enforce.runtime import Runtime
from rempart.containment.render.haproxy import CERTIFICATES, ENCRYPTED, USABLE, certificate_entries
from rempart.errors import EnforcementFailed
from rempart.site.site import Site


class Encryption:
    """The part of one haproxy's memory that it fills from ``folder`` when it starts, and from here while it runs."""

    def __init__(self, site: Site, runtime: Runtime, folder: Path) -> None:
        self._site = site
        self._runtime = runtime
        self._list, self._map = folder / CERTIFICATES, folder / ENCRYPTED
        self._taken_up: dict[str, int] = {}
        """Openings, and when the certificate was written that the proxy was last seen to serve for them."""

    def take_up(self, found: Iterable[Certificate], usable: Container[str]) -> None:
        """Have the proxy serve what was ``found``, as far as it is ``usable``. Raises EnforcementFailed.

        It is asked what it holds, since we may have been started after it, and each step may be done again. A service
        counts as usable, and is no longer closed for it, once everything that it needs is there.
        """
        entries = certificate_entries(self._site, usable)
        until = self._runtime.until()
        for certificate in found:
            entry = entries.get(certificate.opening)
            if entry is None or certificate.written == self._taken_up.get(certificate.opening):
                continue
            self._keep(certificate, until)
            self._name(certificate, entry, until)
            self._taken_up[certificate.opening] = certificate.written

    def _keep(self, certificate: Certificate, until: float) -> None:
        """Have it in the store; a changed one is put in the place of the earlier."""
        held = self._runtime.ask(f"show ssl cert {certificate.path}", until)
        if certificate.fingerprint not in held or certificate.opening in self._taken_up:
            self._store("cert", certificate.path, held, until)

    def _name(self, certificate: Certificate, entry: str, until: float) -> None:
        """Have it served to those who ask for its host."""
        listed = self._runtime.ask(f"show ssl crt-list {self._list}", until).splitlines()
        if not any(line.endswith(f" {certificate.host}") for line in listed):
            if signers := self._signers(certificate):
                held = self._runtime.ask(f"show ssl ca-file {signers}", until)
                self._store("ca-file", signers, held, until)
            answer = self._runtime.ask(f"add ssl crt-list {self._list} <<\n{entry}\n", until)
            _insist(answer, certificate.path)
        self._runtime.ask(f"set map {self._map} {certificate.opening} {USABLE}", until)

    def _signers(self, certificate: Certificate) -> str | None:
        publication = self._site.opening(certificate.opening).publication
        return publication.tls.clients if publication and publication.tls else None

    def _store(self, kind: str, path: str, held: str, until: float) -> None:
        """Put a file into the store of its ``kind``, where it may be already: ``held`` is what was said of it."""
        text = _lines(Path(path))
        if path not in held:
            self._runtime.ask(f"new ssl {kind} {path}", until)
        answer = self._runtime.ask(f"set ssl {kind} {path} <<\n{text}\n", until)
        answer += self._runtime.ask(f"commit ssl {kind} {path}", until)
        if "Success" not in answer:
            # What is begun and not committed would keep every other file out.
            self._runtime.ask(f"abort ssl {kind} {path}", until)
        _insist(answer, path)


def _lines(path: Path) -> str:
    """A file as the runtime socket takes it: an empty line would end it."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as fault:
        raise EnforcementFailed(
            f"it cannot be read: {fault.strerror}", where=str(path), now="Put it back; it is tried again."
        ) from fault
    return "\n".join(line for line in text.splitlines() if line.strip())


def _insist(answer: str, path: str) -> None:
    if "Success" not in answer:
        raise EnforcementFailed(
            f"the proxy does not take the certificate: {answer.strip()[-200:]}",
            where=path,
            now="What it served before stays in use. If the file is right, restart the proxy.",
        )
