"""The command line: one verb, one file in `rempart.cli`."""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

import rempart.cli
from rempart.cli._terminal import harmless
from rempart.errors import ExitCode, RempartError

_LONGEST = 2_000
"""Characters of one line of an error."""

_READER_GONE = 141
"""As the shell says of a program that SIGPIPE ended: never 0, since what was not read was not said."""

_INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""

_EXIT_CODES = "exit codes: " + ", ".join(f"{code.value} {code.name.lower()}" for code in ExitCode)


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser with every verb found in `rempart.cli`; each verb's module has ``register(verbs)``.

    With ``only``, just that verb is imported: the red button must not wait for the detection engine to load.
    """
    whole = argparse.ArgumentParser(prog="rempart", description=rempart.__doc__, epilog=_EXIT_CODES)
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in [only] if only else _verbs():
        importlib.import_module(f"rempart.cli.{name.replace('-', '_')}").register(verbs)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; errors are told in words, never as a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = parser(words[0] if words and words[0] in _verbs() else None).parse_args(words)
    try:
        code = int(chosen.run(chosen))
        sys.stdout.flush()  # a reader that is gone is noticed here, not while we end
        return code
    except RempartError as error:
        for line in f"rempart {chosen.verb}: {error.diagnostics()}".splitlines():
            print(harmless(line, _LONGEST), file=sys.stderr)  # noqa: T201  the edge to the terminal
        return int(error.exit_code)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe went away: `rempart detect … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_GONE


def _verbs() -> list[str]:
    return [
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(rempart.cli.__path__)
        if not module.name.startswith("_")
    ]


if __name__ == "__main__":
    sys.exit(main())
