"""Values that stand in a rule without quotes: what is written, and what YAML makes of it.

Sigma's specification names YAML 1.2 and calls all values texts; its tools read YAML 1.1. The two differ: ``yes`` is
true in 1.1 and a word in 1.2, ``1:30`` is ninety, ``010`` eight. ``0x17`` is 23 in both, where the event says ``0x17``.
No reading is left out: such a value is kept as both, so that whoever asks for it can look for both.
"""

from dataclasses import dataclass
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Unquoted:
    """A value of which YAML makes something else than what is written."""

    written: str
    read: bool | int | float


class RuleLoader(yaml.CSafeLoader):
    """YAML's plain kinds, read by hand where 1.1 and 1.2 differ; keys are texts, and none stands twice in a map."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Raises `yaml.YAMLError`, with the line, for a key that stands twice, of which only the last would count, and
        for a merge key, which YAML 1.2 does not know and a few lines of which can stand for millions.
        """
        seen: set[str | None] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.tag == _MERGE:
                raise _wrong("a merge key (<<): write the keys out", key)
            key.tag = key.tag if key.tag == _NULL else _TEXT
            name = None if key.tag == _NULL else key.value
            if name in seen:
                raise _wrong(f"Duplicate key {key.value!r}", key)
            seen.add(name)
        constructed: dict[Any, Any] = super().construct_mapping(node, deep)
        return constructed


def _wrong(what: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


def _text(loader: RuleLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _either(kind: str) -> Any:
    construct = getattr(yaml.constructor.SafeConstructor, f"construct_yaml_{kind}")

    def constructed(loader: RuleLoader, node: yaml.ScalarNode) -> Any:
        try:
            value = construct(loader, node)
        except (ValueError, LookupError):  # tagged ``!!int``, and none
            raise _wrong(f"{node.value!r} is no {kind}", node) from None
        whole = isinstance(value, float) and value.is_integer()  # ``1.0`` is read as 1
        same = not whole and node.value.lower() == str(value).lower()
        return value if same else Unquoted(node.value, value)

    return constructed


for _kind in ("bool", "int", "float"):
    RuleLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _either(_kind))
for _kind in ("timestamp", "value", "merge"):  # texts: a day, ``=``, and ``<<`` where it is no key
    RuleLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _text)


def written(value: Any) -> Any:
    """The value with every `Unquoted` in it as it is written."""
    return _replaced(value, "written")


def read(value: Any) -> Any:
    """The value with every `Unquoted` in it as YAML 1.1 reads it."""
    return _replaced(value, "read")


def _replaced(value: Any, which: str) -> Any:
    match value:
        case Unquoted():
            return getattr(value, which)
        case dict():
            return {key: _replaced(each, which) for key, each in value.items()}
        case list():
            return [_replaced(each, which) for each in value]
    return value
