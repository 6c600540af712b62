"""A map that never changes and from which another is made in constant time, whatever its size.

The newest map holds the items; an older one holds what it has otherwise than the one made from it. So a fold over
100,000 facts, which leaves each map behind, takes time with their number and not with its square, and an older map
still says what it always said (H. Baker, "Shallow binding makes functional arrays fast", SIGPLAN Notices 26(8), 1991).
"""

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Generic, TypeVar, cast

_V = TypeVar("_V")
_ABSENT = object()


class PersistentMap(Mapping[str, _V], Generic[_V]):
    """A map of names, in the order in which they came. Not for use by two threads: making a map moves the items.

    Reading an older map takes as many steps as maps were made since; going through it, a copy.
    """

    __slots__ = ("_births", "_items", "_key", "_newer", "_next", "_was")

    def __init__(self, items: Mapping[str, _V]) -> None:
        """A copy of these items."""
        self._items: dict[str, _V] | None = dict(items)
        self._births = {key: number for number, key in enumerate(items)}
        """By name, a number that grows: a name that went and is back in an older map has its old place."""
        self._next = len(self._births)
        self._newer: PersistentMap[_V] = self
        self._key = ""
        self._was: tuple[object, int] = (_ABSENT, 0)
        """What this one has under ``_key`` when it is no longer the newest, and its birth; `_ABSENT`: nothing."""

    @classmethod
    def of(cls, mapping: Mapping[str, _V]) -> "PersistentMap[_V]":
        """The mapping itself when it is persistent, or a copy that is."""
        return mapping if isinstance(mapping, PersistentMap) else cls(mapping)

    def with_item(self, key: str, value: _V) -> "PersistentMap[_V]":
        """The map with this item, in the place of another of that name if there is one."""
        newer = self._succeeded(key)
        newer._births.setdefault(key, newer._next)
        newer._next += 1
        newer._own()[key] = value
        return newer

    def without(self, key: str) -> "PersistentMap[_V]":
        """The map less one name, which it may not have."""
        if key not in self:
            return self
        newer = self._succeeded(key)
        del newer._own()[key], newer._births[key]
        return newer

    def _succeeded(self, key: str) -> "PersistentMap[_V]":
        """A map that takes over the items. This one remembers what it has under the name that is about to change."""
        items = self._own()
        newer: PersistentMap[_V] = PersistentMap({})
        newer._items, newer._births, newer._next = items, self._births, self._next
        self._newer, self._key = newer, key
        self._was = (items[key], self._births[key]) if key in items else (_ABSENT, 0)
        self._items, self._births = None, {}
        return newer

    def _own(self) -> dict[str, _V]:
        """The items. An older map gets a copy back, and is from then on one that nothing was made from."""
        if self._items is None:
            self._items = self._restored()
        return self._items

    def _restored(self) -> dict[str, _V]:
        since: list[PersistentMap[_V]] = []
        at = self
        while at._items is None:
            since.append(at)
            at = at._newer
        items, births = dict(at._items), dict(at._births)
        for older in reversed(since):
            value, birth = older._was
            if value is _ABSENT:
                items.pop(older._key, None)
                births.pop(older._key, None)
            else:
                items[older._key], births[older._key] = cast(_V, value), birth
        self._births, self._next, self._newer = births, at._next, self
        return {key: items[key] for key in sorted(items, key=births.__getitem__)}

    def __getitem__(self, key: str) -> _V:
        at = self
        while at._items is None:
            if at._key == key:
                if at._was[0] is _ABSENT:
                    raise KeyError(key)
                return cast(_V, at._was[0])
            at = at._newer
        return at._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own())

    def __len__(self) -> int:
        return len(self._own())

    # A dictionary's own views: going through 100,000 items one by one takes ten times as long.

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._own().keys()

    def items(self) -> ItemsView[str, _V]:
        """The names with what is under them."""
        return self._own().items()

    def values(self) -> ValuesView[_V]:
        """What is under the names."""
        return self._own().values()

    def __repr__(self) -> str:
        return f"PersistentMap({self._own()!r})"
