"""Passwords, one-time codes and passkeys: the one module that knows argon2, pyotp and webauthn."""

import asyncio
import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import argon2
import pyotp
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from rempart.accounts.credential import Passkey, Totp
from rempart.instants import Instant

_STEP = 30
"""Seconds of one TOTP time step (RFC 6238)."""

_ACCEPTED_STEPS = (0, -1, 1)
"""The present step, the one before (slow fingers) and the one after (a telephone's clock)."""

STRANGERS = 4
"""Hashings that may wait at once for browsers the account does not know."""

ACQUAINTANCES = 16
"""Hashings that may wait at once for those it does."""


class Busy(Exception):
    """So many passwords are being checked that this one is not taken on."""


class Passwords:
    """Checks passwords on a thread of its own, away from the guard's loop and less pressing than anything else.

    argon2id (RFC 9106) with 19 MiB, two passes and one lane, OWASP's least: some 30 ms on a small box. A flood of
    strangers waits in a short queue of its own, so that somebody on a known browser waits four hashings at most.
    """

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._thread = ThreadPoolExecutor(1, "passwords", initializer=_step_back)
        self._waiting = {True: 0, False: 0}
        self._nobodys = self._hasher.hash(os.urandom(16).hex())

    async def made(self, password: str) -> str:
        """The hash of a new password."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._hasher.hash, password)

    async def right(self, password: str, hashed: str | None, *, known: bool) -> bool:
        """Whether this is the password. Nobody's hash takes as long to be wrong as somebody's. Raises `Busy`."""
        if self._waiting[known] >= (ACQUAINTANCES if known else STRANGERS):
            raise Busy
        self._waiting[known] += 1
        try:
            check = asyncio.get_running_loop().run_in_executor(
                self._thread, self._matches, hashed or self._nobodys, password
            )
            return await check and hashed is not None
        finally:
            self._waiting[known] -= 1

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except argon2.exceptions.VerificationError:
            return False

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    """Only this thread: deciding and cutting go first whatever is being guessed (setpriority(2) takes a thread)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)


def totp_secret() -> str:
    """A fresh secret for a code generator: 160 bits in base32 (RFC 4226, section 4)."""
    return pyotp.random_base32()


def totp_address(secret: str, person: str, station: str) -> str:
    """The ``otpauth:`` address that code generators read."""
    return pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=station)


def totp_step(totp: Totp, code: str, now: Instant) -> int | None:
    """The time step that this code is of, when it is right, fresh and later than any used before."""
    generator = pyotp.TOTP(totp.secret)
    present = now // 1_000_000 // _STEP
    wanted = "".join(code.split())
    for shift in _ACCEPTED_STEPS:
        step = present + shift
        if step > totp.used and pyotp.utils.strings_equal(generator.generate_otp(step), wanted):
            return step
    return None


# -- passkeys ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """The station as passkeys know it: a host name (never an address) and where its pages may be."""

    id: str = "localhost"
    name: str = "Rempart"
    origins: tuple[str, ...] = ()


class PasskeyRefused(Exception):
    """The passkey's answer does not verify: another challenge, origin, key, or a copy whose count goes back."""


def registration(
    party: RelyingParty, person: str, name: str, challenge: bytes, held: Iterable[Passkey] = ()
) -> str:
    """What the browser needs to make a passkey, as JSON. It must be able to tell who holds it (PIN, finger, face).

    A device that has one of those ``held`` makes no other: it would put it in that one's place (level 2, 6.3.2).
    """
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_name=person,
        user_id=person.encode(),
        user_display_name=name,
        challenge=challenge,
        exclude_credentials=_described(held),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return webauthn.options_to_json(options)


def registered(
    party: RelyingParty, person: str, challenge: bytes, answer: str, *, label: str, now: Instant
) -> Passkey:
    """The passkey that the browser made. Raises `PasskeyRefused`."""
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    except Exception as fault:  # hostile bytes: whatever the parser fails with, it is refused
        raise PasskeyRefused(str(fault)) from fault
    return Passkey(
        person=person,
        id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        label=label,
        made=now,
    )


def question(party: RelyingParty, challenge: bytes, passkeys: list[Passkey]) -> str:
    """What the browser needs to sign this challenge, as JSON; with no passkeys named, any of this station's will do."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=_described(passkeys),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def _described(passkeys: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.id)) for each in passkeys]


def named(answer: str) -> str:
    """The id of the passkey that an answer says it is of. Raises `PasskeyRefused`."""
    try:
        return webauthn.helpers.parse_authentication_credential_json(answer).id
    except Exception as fault:  # hostile bytes: whatever the parser fails with, it is refused
        raise PasskeyRefused("it is no answer of a passkey") from fault


def verified(party: RelyingParty, passkey: Passkey, challenge: bytes, answer: str) -> int:
    """The passkey's new sign count, when it signed exactly this challenge for us. Raises `PasskeyRefused`."""
    try:
        said = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except Exception as fault:  # hostile bytes: whatever the parser fails with, it is refused
        raise PasskeyRefused(str(fault)) from fault
    return said.new_sign_count
