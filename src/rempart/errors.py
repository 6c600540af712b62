"""What can go wrong, split by who must act.

    RempartError               carries: what happened, where, what to do now
     |-- InputRefused          the operator: a file or argument cannot be used (exit 2)
     |    |-- SiteInvalid      ... site.toml, all mistakes at once
     |    |-- RuleInvalid      ... the rule author
     |    `-- DecodeError      ... one line of a log is not of the kind its decoder reads
     |-- OrderRefused          the operator: a safeguard, a gate or a right stands against the order (exit 5)
     |-- JournalBroken         the evidence does not verify, names the first bad entry (exit 1)
     |-- StationUnreachable    the machine: no guard answers (exit 4)
     |-- JournalUnwritable     the machine: nothing can be sealed, the disk is full or failing (exit 6)
     |-- NotHandedOver         the machine: a message to a person could not be handed over (exit 6)
     `-- EnforcementFailed     the machine: the kernel or the proxy refused (exit 6)

Every exit code of the command line is an `ExitCode`; each verb's help lists those it can give.
"""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePath
from typing import TypeVar

from rempart.phrase import Argument, Phrase, advice, phrase


class ExitCode(IntEnum):
    """What the command line answers to the shell."""

    OK = 0
    FOUND = 1
    USAGE = 2
    PARTIAL = 3
    UNREACHABLE = 4
    REFUSED = 5
    MACHINE = 6
    PRIVILEGE = 7

    @property
    def meaning(self) -> str:
        """What it says, in the words of the help."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FOUND: "a check said no",  # findings above --fail-on, a journal that does not verify
    ExitCode.USAGE: "an argument or a file cannot be used",
    ExitCode.PARTIAL: "some could not be done, the rest was",
    ExitCode.UNREACHABLE: "no station answers",
    ExitCode.REFUSED: "understood and refused",
    ExitCode.MACHINE: "the kernel, the proxy or the disk refused",
    ExitCode.PRIVILEGE: "a privilege or a program is missing",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one input: what, where, and how to mend it."""

    what: str
    where: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n    {self.mend}"


class RempartError(Exception):
    """The root. ``what`` happened, ``where``, and what to do ``now``, in words for the person on call."""

    exit_code = ExitCode.MACHINE
    said: Phrase | None = None
    """``what`` as a phrase, which has words in every language; None: it is said in English only."""

    def __init__(self, what: str, *, where: str = "", now: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.now = now

    def diagnostics(self) -> str:
        """The error as a person should read it, on at most three lines."""
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.now:
            lines.append(self.now)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.diagnostics()


_Fault = TypeVar("_Fault", bound=RempartError)


def phrased(
    kind: type[_Fault], key: str, *, where: str = "", **arguments: Argument | Iterable[str]
) -> _Fault:
    """An error of this kind that whoever reads it is told in their language, with what to do now."""
    said = phrase(key, because=(), **arguments)
    fault = kind(said.text, where=where, now=advice(said))
    fault.said = said
    return fault


class InputRefused(RempartError):
    """A file or an argument cannot be used; nothing was changed."""

    exit_code = ExitCode.USAGE

    def __init__(
        self, what: str, *, where: str = "", now: str = "", problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(what, where=where, now=now)
        self.problems = problems

    def diagnostics(self) -> str:
        """The message, then every problem."""
        return "\n".join([super().diagnostics(), *(str(problem) for problem in self.problems)])


class SiteInvalid(InputRefused):
    """The description of the site has mistakes; all of them are listed."""


class RuleInvalid(InputRefused):
    """A detection rule cannot be loaded."""


class DecodeError(InputRefused):
    """A line of a log is not of the kind its decoder reads; the line is kept and counted, the rest goes on."""


class DecoderFailed(DecodeError):
    """A decoder met a line that it should have refused and did not expect: a defect of ours, and one line's only.

    ``__cause__`` is what was raised. The message names where in our code, never the line or what is in it.
    """


class OrderRefused(RempartError):
    """The order was understood; a safeguard, a gate or a right stands against it. ``said`` is why, as a phrase."""

    exit_code = ExitCode.REFUSED

    def __init__(
        self,
        key: str,
        *,
        where: str = "",
        because: Iterable[Phrase] = (),
        **arguments: Argument | Iterable[str],
    ) -> None:
        said = phrase(key, because=because, **arguments)
        super().__init__(said.text, where=where, now=advice(said))
        self.said: Phrase = said


def kind_and_place(defect: BaseException) -> str:
    """A defect as it may be told anywhere: its kind and its place in the code. What it says may quote hostile bytes."""
    frames = traceback.extract_tb(defect.__traceback__)
    where = f" in {PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(defect).__name__}{where}"


def require(
    holds: bool,  # noqa: FBT001  reads as a sentence
    key: str,
    *,
    because: Iterable[Phrase] = (),
    **arguments: Argument | Iterable[str],
) -> None:
    """Raise `OrderRefused` with the words of ``key`` unless it holds."""
    if not holds:
        raise OrderRefused(key, where="", because=because, **arguments)


class JournalBroken(RempartError):
    """The journal does not verify; ``where`` names the first bad entry."""

    exit_code = ExitCode.FOUND


class JournalUnwritable(RempartError):
    """Nothing can be sealed now: the disk is full or failing. The journal is as it was before."""

    exit_code = ExitCode.MACHINE


class StationUnreachable(RempartError):
    """No guard answers on its socket."""

    exit_code = ExitCode.UNREACHABLE


class NotHandedOver(RempartError):
    """A message to a person could not be handed over. ``lasting``: trying again will not help."""

    exit_code = ExitCode.MACHINE

    def __init__(self, what: str, *, where: str = "", now: str = "", lasting: bool = False) -> None:
        super().__init__(what, where=where, now=now)
        self.lasting = lasting


class EnforcementFailed(RempartError):
    """The kernel or the proxy refused what was asked, or does not hold what it accepted."""

    exit_code = ExitCode.MACHINE


class PrivilegeMissing(RempartError):
    """A privilege or a program is missing; the message names the cure."""

    exit_code = ExitCode.PRIVILEGE
