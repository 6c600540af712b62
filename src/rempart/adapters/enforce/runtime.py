"""Speaking with a running haproxy over its runtime socket: what its maps hold, and commands that change it."""

import errno
import socket
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from rempart.edge import whole
from rempart.errors import EnforcementFailed
from rempart.site.opening import OpeningState

_PATIENCE = 1.0
"""Seconds for a whole exchange, a hundred times what it takes: whoever waits for it, orders wait for."""

_LONGEST_ANSWER = 1 << 20
"""Bytes; a site's map has a few thousand."""

_AT_ONCE = 40
"""Commands in one line."""


class Runtime:
    """One haproxy, ``called`` so in messages, and its maps; it may start after us, and restart."""

    def __init__(self, called: str, control: Path, maps: tuple[Path, ...]) -> None:
        self._called = called
        self._control = control
        self._maps = maps
        self._known: Mapping[str, str] = {}

    def until(self) -> float:
        """When an exchange that begins now must be over, by `time.monotonic`."""
        return monotonic() + _PATIENCE

    def hold(self, wanted: Mapping[Path, Mapping[str, str]], *deeds: str) -> Mapping[str, str]:
        """Have its maps hold that, by map, then do the deeds; what all maps hold after it. Raises EnforcementFailed.

        One exchange, in which what it held after the last one is changed and read back; a second when it held
        something else: it was restarted, or somebody else spoke with it.
        """
        until = self.until()
        for _ in range(2):
            changes = [
                f"set map {path} {name} {value}"
                for path, values in wanted.items()
                for name, value in values.items()
                if self._known.get(name) != value
            ]
            self._known = self.held(until, *changes, *deeds)
            if all(self._known.items() >= values.items() for values in wanted.values()):
                break
        return self._known

    def held(self, until: float, *commands: str) -> Mapping[str, str]:
        """What all maps hold after these commands. Raises EnforcementFailed."""
        every = [*commands, *(f"show map {path}" for path in self._maps)]
        # Split at spaces only: those that do not break belong to a notice.
        lines = [
            line.split(" ")
            for start in range(0, len(every), _AT_ONCE)
            for line in self.ask("; ".join(every[start : start + _AT_ONCE]), until).splitlines()
        ]
        return {words[1]: words[2] for words in lines if len(words) == 3 and words[0].startswith("0x")}

    def insist(self, held: Mapping[str, str], goal: Mapping[str, str]) -> None:
        """Raises EnforcementFailed when it does not hold these values."""
        if unheard := differing(held, goal):
            raise EnforcementFailed(
                f"{self._called} does not hold {', '.join(f'{name}={state}' for name, state in unheard)}",
                where=str(self._control),
                now=f"The kernel holds what was decided. Restart {self._called}: it starts in the wanted state.",
            )

    def ask(self, command: str, until: float) -> str:
        """The answer to one command. Raises EnforcementFailed."""
        try:
            return _converse(self._control, command, until)
        except OSError as error:
            raise EnforcementFailed(
                f"{self._called} does not answer: {error.strerror or error}",
                where=str(self._control),
                now=f"The kernel holds what was decided. Start {self._called}: it starts in the wanted state.",
            ) from error


def opening_states(held: Mapping[str, str]) -> dict[str, OpeningState]:
    """Those entries of maps that are states."""
    known = {state.value: state for state in OpeningState}
    return {name: known[value] for name, value in held.items() if value in known}


def differing(held: Mapping[str, str], goal: Mapping[str, str]) -> list[tuple[str, str]]:
    """The values that are not held."""
    return [(name, value) for name, value in goal.items() if held.get(name) != value]


def write(path: Path, text: str) -> None:
    """Leave the old file or the new one, never half; an unchanged file is not touched."""
    if path.exists() and path.read_text() == text:
        return
    whole.put(path, text.encode(), mode=0o644, lasting=False)  # in memory, and written anew after a boot


def _converse(path: Path, command: str, until: float) -> str:
    """One command, one answer, over haproxy's runtime socket, until that instant of `time.monotonic`.

    The other end may have been taken over: it can neither drip its answer for ever nor fill our memory. Raises OSError.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        _hurry(channel, until)
        channel.connect(str(path))
        channel.sendall(f"{command}\n".encode())
        answer = bytearray()
        while piece := channel.recv(65536):
            answer += piece
            if len(answer) > _LONGEST_ANSWER:
                raise OSError(errno.EMSGSIZE, "its answer does not end")
            _hurry(channel, until)
    return answer.decode(errors="replace")


def _hurry(channel: socket.socket, until: float) -> None:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError(errno.ETIMEDOUT, "it takes too long")
    channel.settimeout(left)
