"""Rule collections: documents of one file that share keys, as Sigma had them before 2.0 and old rules still do.

``action: global`` gives keys to all rules behind it, ``reset`` takes them back, ``repeat`` is the rule before with some
keys changed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Document = Mapping[Any, Any]
_ALONE = frozenset({"correlation", "filter"})
"""Documents with one of these keys are no rules, and share nothing with them."""


def gathered(documents: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """(position from 1, document) of every document that says something by itself, with what it shares written out.

    A second rule of one shared id has its number behind it. An ``action`` that is none of the three is left in.
    """
    shared: Document = {}
    before: Document = {}
    given: Counter[str] = Counter()
    for position, document in enumerate(documents, 1):
        if not isinstance(document, Mapping) or not _ALONE.isdisjoint(document):
            yield position, document
            continue
        action = document.get("action")
        own = {key: value for key, value in document.items() if key != "action"}
        match action:
            case "global":
                shared = _merged(shared, own)
                continue
            case "reset":
                shared = {}
                continue
            case "repeat":
                before = _merged(before, own)
            case None:
                before = _merged(shared, own)
            case _:
                before = document
        identifier = str(before.get("id"))
        given[identifier] += 1
        again = given[identifier] > 1 and "id" in before and "id" not in own
        yield position, {**before, "id": f"{identifier}-{given[identifier]}"} if again else before


def _merged(under: Document, over: Document) -> Document:
    """Both, maps within maps too; where they differ, what is over counts."""
    both = {
        key: _merged(under[key], value)
        for key, value in over.items()
        if isinstance(value, Mapping) and isinstance(under.get(key), Mapping)
    }
    return {**under, **over, **both}
