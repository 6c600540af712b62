"""A GSM modem behind a pseudo-terminal, as stubborn as real ones: it echoes, chatters, is slow, refuses."""

import os
import pty
import re
import select
import threading
import tty
from dataclasses import dataclass, field


@dataclass
class SimulatedModem:
    """What a modem of 3GPP TS 27.005 says. Everything it was told is in ``heard``."""

    pin: str = ""
    """The card's PIN; empty: it asks for none."""
    searching: int = 0
    """How often it is still looking for its network when asked."""
    refusals: list[str] = field(default_factory=list)
    """What it answers to the next messages instead of taking them, e.g. ``+CMS ERROR: 28``."""
    inbox: dict[int, str] = field(default_factory=dict)
    stuck: set[int] = field(default_factory=set)
    """Places of the card that it cannot empty."""
    deaf: bool = False
    heard: list[str] = field(default_factory=list)
    sent: list[tuple[int, str]] = field(default_factory=list)
    """Length as told, and hexadecimal, of every message it took."""
    wrong_pins: int = 0

    def __post_init__(self) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.device = os.ttyname(slave)
        self._slave = slave  # kept open, so that the terminal outlives its users
        self._echo, self._open, self._stop = True, not self.pin, False
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        os.close(self._slave)
        os.close(self._master)

    # -- the line ------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        said, message = b"", None
        while not self._stop:
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            for byte in os.read(self._master, 4096):
                if self.deaf:
                    continue
                if message is not None:
                    if byte == 0x1A:
                        self._take(message, said.decode())
                        said, message = b"", None
                    elif byte == 0x1B:
                        said, message = b"", None
                        self._say("OK")
                    else:
                        said += bytes((byte,))
                elif byte == 0x0D:
                    message = self._command(said.decode(errors="replace").strip("\x1b "))
                    said = b""
                elif byte != 0x0A:
                    said += bytes((byte,))

    def _say(self, *lines: str) -> None:
        os.write(self._master, "".join(f"\r\n{line}\r\n" for line in lines).encode())

    def _command(self, command: str) -> int | None:
        """Answer; the length told when a message follows."""
        self.heard.append(command)
        if self._echo:
            os.write(self._master, f"{command}\r".encode())
        self._say("^RSSI: 17")  # modems tell of their signal, asked or not
        upper = command.upper()
        if found := re.fullmatch(r"AT\+CMGS=(\d+)", upper):
            if not self._open:
                self._say("+CMS ERROR: 311")
                return None
            os.write(self._master, b"\r\n> ")
            return int(found[1])
        self._say(*self._answer(upper))
        return None

    def _answer(self, command: str) -> list[str]:
        match command:
            case "AT" | "AT+CMEE=1":
                return ["OK"]
            case "ATE0":
                self._echo = False
                return ["OK"]
            case "AT+CPIN?":
                locked = "SIM PUK" if self.wrong_pins >= 3 else "SIM PIN"
                return [f"+CPIN: {'READY' if self._open else locked}", "OK"]
            case "AT+CREG?":
                self.searching -= 1
                return [f"+CREG: 0,{2 if self.searching >= 0 else 1}", "OK"]
            case "AT+CMGF=0":
                return ["OK"] if self._open else ["+CME ERROR: 11"]
            case "AT+CMGL=4":
                listed = [line for n, pdu in self.inbox.items() for line in (f"+CMGL: {n},0,,23", pdu)]
                return [*listed, "OK"]
        if found := re.fullmatch(r"AT\+CMGD=(\d+)", command):
            if int(found[1]) in self.stuck:
                return ["+CMS ERROR: 500"]
            return ["OK"] if self.inbox.pop(int(found[1]), None) else ["+CMS ERROR: 321"]
        if found := re.fullmatch(r"AT\+CPIN=(\d+)", command):
            self._open = found[1] == self.pin
            self.wrong_pins += not self._open
            return ["OK"] if self._open else ["+CME ERROR: 16"]
        return ["ERROR"]

    def _take(self, length: int, hexadecimal: str) -> None:
        if self.refusals:
            self._say(self.refusals.pop(0))
        elif len(hexadecimal) // 2 != length + 1:  # the empty service centre is not counted
            self._say("+CMS ERROR: 304")
        else:
            self.sent.append((length, hexadecimal))
            self._say(f"+CMGS: {len(self.sent)}", "OK")
