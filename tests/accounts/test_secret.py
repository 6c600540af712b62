"""Secrets: readable by those who type them, masked everywhere else."""

from dataclasses import fields

import pytest

from rempart.accounts.credential import Password, Totp, key_of
from rempart.accounts.secret import CODE_BYTES, Secret, code, digest, token, typed


def test_a_secret_never_shows() -> None:
    secret = token(bytes(range(32)))
    assert secret.text not in f"{secret} {secret!r} {[secret]}"
    assert "…" in repr(Secret("x"))


@pytest.mark.parametrize(
    "kept", [Password(person="a", hash="$argon2id$xyz"), Totp(person="a", secret="JBSWY3DPEHPK3PXP")]
)
def test_what_is_kept_masks_its_secret(kept: Password | Totp) -> None:
    secret = next(getattr(kept, each.name) for each in fields(kept) if each.name in {"hash", "secret"})
    assert secret not in repr(kept)
    assert key_of(kept) == (type(kept).__name__, "a")


def test_a_code_is_read_however_it_was_typed() -> None:
    printed = code(bytes(range(CODE_BYTES))).text
    assert printed == "AAAQ-EAYE-AUDA-OCAJ"
    for written in (printed.lower(), printed.replace("-", ""), f"  {printed.replace('-', ' ')} "):
        assert digest(typed(written)) == digest(printed)
