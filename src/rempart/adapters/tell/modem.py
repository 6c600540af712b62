"""Sends and reads text messages by a GSM modem on a serial port (AT commands of 3GPP TS 27.005 and 27.007, PDU mode).

A modem is slow, forgets, and says things nobody asked for; every step has its own patience. What is never done twice is
to tell a PIN: three wrong ones lock the card.
"""

import itertools
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import serial

from rempart.adapters.tell.secret import secret
from rempart.errors import NotHandedOver
from rempart.site.telling import Modem
from rempart.telling import pdu
from rempart.telling.message import Letter
from rempart.telling.pdu import NotAMessage, Received

_log = logging.getLogger("rempart.teller")

_AWAKE = 2.0
"""Seconds for the first answer."""
_ANSWER = 5.0
"""Seconds for an ordinary answer."""
_SENT = 60.0
"""Seconds in which the network takes a message over."""
_REGISTERED = 60.0
"""Seconds until the modem has found its network."""
_AGAIN = 1.0
_LONGEST = 1_024
"""Bytes of a line: what is longer is noise."""

_FINAL = re.compile(r"OK|ERROR|\+CM[ES] ERROR: ?.*")
_HOME_OR_ROAMING = re.compile(r"\+CREG: ?\d,[15]\b")
_LASTING = frozenset({"1", "28", "29"})
"""Causes of TS 24.011 that trying again does not mend: no such number, unknown or unable subscriber."""


class GsmModem:
    """One modem, used by one thread at a time."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self._lock = threading.Lock()
        self._reference = 0
        self._refused_pin = ""

    def carry(self, address: str, letter: Letter) -> None:
        """Send the short text to that number."""
        with self._lock, self._open() as line:
            self._ready(line)
            self._reference = self._reference % 255 + 1
            for part in pdu.submit(address, letter.short, self._reference):
                line.send(f"AT+CMGS={part.length}")
                line.prompt()
                line.send(f"{part.hexadecimal}\x1a", end="")
                line.answer(_SENT)

    def replies(self) -> list[Received]:
        """What has come in, taken off the card. Raises `NotHandedOver` when the modem does not answer.

        What was read is told even when the card keeps it: it comes again then, and an alert is taken once.
        """
        with self._lock, self._open() as line:
            self._ready(line)
            line.send("AT+CMGL=4")
            listed = line.answer(_ANSWER * 4)
            came = []
            for place, text in itertools.pairwise(listed):
                if found := re.match(r"\+CMGL: ?(\d{1,5}),", place):
                    try:
                        came.append(pdu.delivered(text))
                    except NotAMessage as fault:
                        _log.warning("a text message could not be read: %s", fault)
                    try:
                        line.ask(f"AT+CMGD={found[1]}")
                    except NotHandedOver as fault:
                        _log.warning("a text message stays on the card: %s", fault)
                        break
            return came

    @contextmanager
    def _open(self) -> Iterator["_Line"]:
        device = self._modem.device
        try:
            with serial.Serial(
                device, self._modem.speed, timeout=0.1, write_timeout=_ANSWER, exclusive=True
            ) as port:
                yield _Line(port, device)
        except (OSError, serial.SerialException) as fault:
            raise NotHandedOver(
                f"the modem cannot be used: {fault}",
                where=device,
                now="Is it plugged in, and may the user rempart-teller use it (group dialout)?",
            ) from fault

    def _ready(self, line: "_Line") -> None:
        """Awake, unlocked, in its network, in PDU mode."""
        line.wake()
        line.ask("ATE0")
        line.ask("AT+CMEE=1")
        self._unlock(line)
        until = time.monotonic() + _REGISTERED
        while not any(_HOME_OR_ROAMING.match(said) for said in line.ask("AT+CREG?")):
            if time.monotonic() > until:
                raise NotHandedOver("the modem finds no network", where=self._modem.device)
            time.sleep(_AGAIN)
        line.ask("AT+CMGF=0")

    def _unlock(self, line: "_Line") -> None:
        said = " ".join(line.ask("AT+CPIN?"))
        if "READY" in said:
            return
        if "SIM PIN" not in said:
            raise NotHandedOver(
                f"the card is locked: {said[:60]}", where=self._modem.device, now="Use its PUK."
            )
        if not self._modem.pin:
            raise NotHandedOver("the card asks for a PIN", where=self._modem.device, now="Set pin_file.")
        pin = secret(self._modem.pin)
        if not re.fullmatch(r"\d{4,8}", pin) or pin == self._refused_pin:
            raise NotHandedOver(
                "this PIN was refused before, or is none; it is not tried again, three wrong ones lock the card",
                where=self._modem.pin,
                now="Write the right one.",
            )
        self._refused_pin = pin
        line.ask(f"AT+CPIN={pin}")
        self._refused_pin = ""


class _Line:
    """What is said to a modem and what it answers, line by line."""

    def __init__(self, port: serial.Serial, device: str) -> None:
        self._port, self._device = port, device

    def wake(self) -> None:
        """Get its attention: an escape ends a message that was begun, and what was said before is forgotten."""
        for attempt in range(3):
            self._port.reset_input_buffer()
            self.send("\x1bAT" if attempt else "AT")
            try:
                self.answer(_AWAKE)
            except NotHandedOver:
                continue
            return
        raise NotHandedOver("the modem does not answer", where=self._device)

    def ask(self, command: str) -> list[str]:
        """Say a command and take its answer."""
        self.send(command)
        return self.answer(_ANSWER)

    def send(self, text: str, end: str = "\r") -> None:
        """Say something."""
        self._port.write(f"{text}{end}".encode("ascii"))

    def answer(self, patience: float) -> list[str]:
        """The lines up to the final one. Raises `NotHandedOver` when it is an error, or does not come."""
        until, said = time.monotonic() + patience, list[str]()
        while time.monotonic() < until:
            line = self._port.read_until(b"\n", _LONGEST).decode("ascii", "replace").strip()
            if not line:
                continue
            if _FINAL.fullmatch(line):
                if line == "OK":
                    return said
                cause = line.rpartition(":")[2].strip()
                raise NotHandedOver(
                    f"the modem answers {line[:60]}",
                    where=self._device,
                    lasting=line.startswith("+CMS") and cause in _LASTING,
                )
            said.append(line)
        raise NotHandedOver(f"the modem does not answer within {patience:.0f} s", where=self._device)

    def prompt(self) -> None:
        """Wait for the sign that the message may be said."""
        until, said = time.monotonic() + _ANSWER, b""
        while time.monotonic() < until:
            said += self._port.read(1)
            if said.endswith(b">"):
                return
            if b"ERROR" in said and said.endswith(b"\n"):
                cause = said.decode("ascii", "replace").split()[-1]
                raise NotHandedOver(
                    f"the modem refuses the message ({cause[:20]})",
                    where=self._device,
                    lasting=cause in _LASTING,
                )
        raise NotHandedOver("the modem does not take the message", where=self._device)
