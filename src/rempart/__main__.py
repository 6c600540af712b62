"""The command line: one verb, one file in `rempart.cli`."""

import argparse
import errno
import importlib
import io
import os
import pkgutil
import sys
from collections.abc import Sequence
from importlib.metadata import version

import rempart.cli
from rempart.cli._parser import Parser
from rempart.cli._terminal import harmless
from rempart.errors import ExitCode, PrivilegeMissing, RempartError, kind_and_place

_LONGEST = 2_000
"""Characters of one line of an error."""

_READER_GONE = 141
"""As the shell says of a program that SIGPIPE ended: never 0, since what was not read was not said."""

_INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""

_EXIT_CODES = "exit codes: " + ", ".join(f"{code.value} {code.meaning}" for code in ExitCode)

_NOW = {errno.ENOSPC: "Make room on the disk (df -h shows it), then do it again."}
_TRY_AGAIN = "See that it is there and can be used, then do it again."


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser with every verb found in `rempart.cli`; each verb's module has ``register(verbs)``.

    With ``only``, just that verb is imported: the red button must not wait for the detection engine to load.
    """
    whole = Parser(prog="rempart", description=rempart.__doc__, epilog=_EXIT_CODES)
    whole.add_argument("--version", action="version", version=f"rempart {version('rempart')}")
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in [only] if only else _verbs():
        importlib.import_module(f"rempart.cli.{name.replace('-', '_')}").register(verbs)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; errors are told in words, never as a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _write_what_cannot_be_shown_as_escapes()
    try:
        chosen = parser(words[0] if words and words[0] in _verbs() else None).parse_args(words)
        code = int(chosen.run(chosen))
        sys.stdout.flush()  # a reader that is gone, or a full disk, is noticed here, not while we end
        return code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe went away: `rempart detect … | head`
        _say_no_more()
        return _READER_GONE
    except RempartError as error:
        failed = error
    except OSError as fault:
        failed = _refused_by_machine(fault)
    except MemoryError:
        failed = RempartError("it is more than this machine's memory holds", now="Give smaller files.")
    except Exception as defect:
        if sys.flags.dev_mode:
            raise
        failed = RempartError(
            f"a defect of Rempart: {kind_and_place(defect)}",
            now="Tell the maintainers this line and the command; `python3 -X dev -m rempart` shows them where.",
        )
    return _tell(" ".join(["rempart", *words[:1]]), failed)


def _tell(who: str, failed: RempartError) -> int:
    """Say what went wrong on standard error; the exit code for it."""
    for line in f"{who}: {failed.diagnostics()}".splitlines():
        print(harmless(line, _LONGEST), file=sys.stderr)  # noqa: T201  the edge to the terminal
    _say_no_more()
    return int(failed.exit_code)


def _refused_by_machine(fault: OSError) -> RempartError:
    """What no verb foresaw: a disk that is full while it prints, a file that goes away while it is read."""
    where = str(fault.filename) if fault.filename else ""
    if isinstance(fault, PermissionError):
        return PrivilegeMissing("this user may not do that", where=where, now="Do it as root.")
    now = _NOW.get(fault.errno or 0, _TRY_AGAIN)
    return RempartError(f"the machine refuses: {fault.strerror or fault}", where=where, now=now)


def _write_what_cannot_be_shown_as_escapes() -> None:
    """A terminal without UTF-8, and file names that are not UTF-8, must not end what is being told."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say_no_more() -> None:
    """Let go of what standard output did not take: Python would complain of it once more at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _verbs() -> list[str]:
    return [
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(rempart.cli.__path__)
        if not module.name.startswith("_")
    ]


if __name__ == "__main__":
    sys.exit(main())
