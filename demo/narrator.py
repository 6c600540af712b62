"""Tells the story on the terminal as it happens: who does what, when."""

import sys
import time
from enum import Enum

from rich.console import Console
from rich.text import Text


class Who(Enum):
    """Who acts, and in which colour."""

    HOUSE = ("the house", "cyan")
    STAFF = ("staff", "cyan")
    PUBLIC = ("the public", "cyan")
    NOISE = ("a scanner", "bright_black")
    ATTACKER = ("attacker", "red")
    REMPART = ("Rempart", "green")
    DUTY = ("on duty", "yellow")
    TECHNICIAN = ("technician", "yellow")
    MEASURED = ("measured", "magenta")


class Narrator:
    """Writes a timeline. On anything but a terminal the lines are plain."""

    def __init__(self, console: Console, *, watched: bool) -> None:
        self._console = console
        self._watched = watched
        self._began = time.monotonic()

    def tell(self, who: Who, text: str) -> None:
        """One thing happened."""
        name, colour = who.value
        line = Text.assemble(
            (f"{self.seconds:7.1f} s  ", "bright_black"), (f"{name:<11}", f"bold {colour}"), text
        )
        self._console.print(line, soft_wrap=True)

    def show_link(self, link: str) -> None:
        """The console can be opened meanwhile."""
        if link:
            self._console.print(
                Text(f"           open the console meanwhile: {link}", style="bold"), soft_wrap=True
            )

    def aside(self, text: str) -> None:
        """What a program said."""
        for line in text.strip().splitlines():
            self._console.print(Text(f"           {line}", style="bright_black"), soft_wrap=True)

    def breathe(self) -> None:
        """Time to look at the console, when somebody does."""
        if self._watched:
            time.sleep(6)

    def linger(self) -> None:
        """The station stays as it is until somebody has seen enough."""
        if self._watched:
            self._console.print("           Enter ends the demo and removes everything.", style="bold")
            sys.stdin.readline()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began
