"""A parser of arguments that asks "did you mean …?" instead of listing every word that it knows."""

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn


class Parser(argparse.ArgumentParser):
    """As argparse's; the parsers of verbs and steps below it are of this kind too."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.register("action", "parsers", _Steps)

    def parse_known_args(  # type: ignore[override]  # of its overloads, argparse itself uses this one
        self, args: Any = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse what is left over where the verb's own usage can be shown, not at the top."""
        known, strange = super().parse_known_args(args, namespace)
        if strange:
            self.error(_unknown(strange[0], self._option_string_actions))
        return known, strange

    def error(self, message: str) -> NoReturn:
        """Usage, what is wrong, and where to read on; exit code 2."""
        super().error(f"{message}\n`{self.prog} --help` says more.")

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError:
            if action.type is int:
                raise argparse.ArgumentError(action, f"{arg_string!r} is no whole number") from None
            if isinstance(action.type, type) and issubclass(action.type, Enum):
                words = [str(each.value) for each in action.type]
                raise argparse.ArgumentError(action, _unknown(arg_string, words)) from None
            raise

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, _unknown(str(value), map(str, action.choices)))


if TYPE_CHECKING:
    _SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]
else:  # generic to type checkers only
    _SubParsers = argparse._SubParsersAction


class _Steps(_SubParsers):
    """Verbs, or steps of a verb: the help of each begins with what its list of siblings says of it."""

    def add_parser(self, name: str, **more: Any) -> argparse.ArgumentParser:
        summary, rest = more["help"], more.get("description", "")
        more["description"] = f"{summary[:1].upper()}{summary[1:].rstrip('.')}.\n\n{rest}".rstrip()
        return super().add_parser(name, **more)


_ALIKE = 0.7
"""From here on, of 1, difflib calls two words alike enough to be asked about: contian, not hope for reopen."""

_FEW = 8
"""Words that are all listed; of more only the likeliest is told."""


def _unknown(word: str, known: Iterable[str]) -> str:
    words = list(known)
    if close := get_close_matches(word, words, 1, _ALIKE):
        return f"{word!r} is unknown; did you mean {close[0]}?"
    return f"{word!r} is unknown" + (f"; known are: {', '.join(words)}" if 0 < len(words) <= _FEW else "")
