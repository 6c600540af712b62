"""An access list of haproxy: as many lines as it needs, because haproxy reads 64 words of a line and stops at more."""

from collections.abc import Iterable, Iterator

_MOST = 50
"""Members in one line, which leaves room for the list's name and its test."""


def acl(name: str, test: str, members: Iterable[str]) -> Iterator[str]:
    """The lines of a list that holds when ``test`` finds one of ``members``; without members it never holds.

    Lines of one name are alternatives (haproxy's configuration manual, 7.1).
    """
    listed = list(members)
    if not listed:
        yield f"\tacl {name} always_false"
    for first in range(0, len(listed), _MOST):
        yield f"\tacl {name} {test} {' '.join(listed[first : first + _MOST])}"
