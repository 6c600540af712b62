"""Where in its file a rule stands, and where what is wrong with it: the line to go to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import yaml

from rempart.detection.notation import unmarked
from rempart.detection.rule import RuleCard
from rempart.errors import Problem

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHERE = re.compile(r"(?P<path>.*?)(?: \(document (?P<document>\d+)\))?", re.DOTALL)
_SAID = re.compile(r"\bline (\d+)")
_SHORTEST = 3
"""Characters of a text that is looked for in a message; shorter ones stand in too many."""


def placed(problems: Iterable[Problem], files: Mapping[str, str]) -> tuple[Problem, ...]:
    """The problems of `rempart.detection.sigma.load`, with the line added where it can be known.

    ``files``: path to text, as they were loaded.
    """
    return tuple(_placed(problem, files) for problem in problems)


def line_of(card: RuleCard, text: str) -> int:
    """The line, from 1, on which the rule's document begins to say who it is."""
    at = next((at for said in (card.id, card.title) if (at := text.find(said)) >= 0), 0)
    return text.count("\n", 0, at) + 1


def _placed(problem: Problem, files: Mapping[str, str]) -> Problem:
    where = _WHERE.fullmatch(problem.where)
    if where is None or (text := files.get(where["path"])) is None:
        return problem
    line = _line(problem.what, text, int(where["document"] or 0))
    return replace(problem, where=f"{where['path']}, line {line}")


def _line(what: str, text: str, document: int) -> int:
    """The line that the message names; else that of the text of the document that it quotes best; else its first."""
    if said := _SAID.findall(what):
        return int(said[-1])
    try:
        documents = [
            each for each in yaml.compose_all(unmarked(text), Loader=_LOADER) if _holds_something(each)
        ]
    except (yaml.YAMLError, RecursionError, ValueError):
        return 1
    meant = documents[document - 1 : document] if document else documents
    scalars = [node for each in meant for node in _scalars(each)]
    best = max(scalars, key=lambda node: _spoken_of(what, node.value), default=None)
    spoken = best is not None and _spoken_of(what, best.value) > (0, 0)
    node = best if spoken else next(iter(meant), None)
    return node.start_mark.line + 1 if node else 1


def _spoken_of(what: str, text: str) -> tuple[int, int]:
    """How surely the message speaks of this key or value: it stands there in quotes, or in part; then its length."""
    if f"'{text}'" in what or f'"{text}"' in what:
        return 3, len(text)
    if "expression" in what and re.search(r"\|re(\||$)", text):
        return 2, len(text)
    words = [word for word in (text, *text.split("|")) if len(word) >= _SHORTEST]
    found = [len(word) for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", what)]
    return (1, max(found)) if found else (0, 0)


def _holds_something(node: yaml.Node | None) -> bool:
    return node is not None and node.tag != "tag:yaml.org,2002:null"


def _scalars(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Every key and value below, each once: an alias may lead in a circle."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
