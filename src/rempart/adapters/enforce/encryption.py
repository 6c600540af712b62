"""What the running proxy serves encrypted: certificates of the disk in its store, and the names that they are for."""

import re
from collections.abc import Container, Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from rempart.adapters.enforce.certificates import Certificate, fingerprints, written
from rempart.adapters.enforce.runtime import Runtime
from rempart.containment.render.haproxy import CERTIFICATES, ENCRYPTED, USABLE, certificate_entries
from rempart.errors import EnforcementFailed
from rempart.site.site import Site

_FINGERPRINT = re.compile("SHA1 FingerPrint: ([0-9A-F]{40})")


class Encryption:
    """The part of one haproxy's memory that it fills from ``folder`` when it starts, and from here while it runs."""

    def __init__(self, site: Site, runtime: Runtime, folder: Path) -> None:
        self._site = site
        self._runtime = runtime
        self._list, self._map = folder / CERTIFICATES, folder / ENCRYPTED
        self._taken_up: dict[str, tuple[int, int]] = {}
        """Openings, and when their certificate and its visitors' authority were written that the proxy was last seen to
        hold."""

    def take_up(self, found: Iterable[Certificate], usable: Container[str]) -> None:
        """Have the proxy serve what was ``found``, as far as it is ``usable``. Raises EnforcementFailed.

        It is asked what it holds, since we may have been started after it, and each step may be done again. A service
        counts as usable, and is no longer closed for it, once everything that it needs is there.
        """
        entries = certificate_entries(self._site, usable)
        until = self._runtime.until()
        for certificate in found:
            entry, signers = entries.get(certificate.opening), self._signers(certificate)
            came = (certificate.written, written(Path(signers)) if signers else 0)
            if entry is None or came == self._taken_up.get(certificate.opening):
                continue
            again = certificate.opening in self._taken_up
            self._keep("cert", certificate.path, {certificate.fingerprint}, until, again=again)
            if signers:
                self._keep("ca-file", signers, fingerprints(Path(signers)), until, again=again)
            self._name(certificate, entry, until)
            self._taken_up[certificate.opening] = came

    def _signers(self, certificate: Certificate) -> str | None:
        publication = self._site.opening(certificate.opening).publication
        return publication.tls.clients if publication and publication.tls else None

    def _keep(self, kind: str, path: str, wanted: AbstractSet[str], until: float, *, again: bool) -> None:
        """Have a file in the store of its ``kind``; put it there when it differs, or ``again``: the chain may too."""
        held = self._runtime.ask(f"show ssl {kind} {path}", until)
        if again or set(_FINGERPRINT.findall(held)) != wanted:
            self._store(kind, path, held, until)

    def _name(self, certificate: Certificate, entry: str, until: float) -> None:
        """Have it served to those who ask for its host."""
        listed = self._runtime.ask(f"show ssl crt-list {self._list}", until).splitlines()
        if not any(line.endswith(f" {certificate.host}") for line in listed):
            answer = self._runtime.ask(f"add ssl crt-list {self._list} <<\n{entry}\n", until)
            _insist(answer, certificate.path)
        self._runtime.ask(f"set map {self._map} {certificate.opening} {USABLE}", until)

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
