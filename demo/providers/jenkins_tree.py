"""Jenkins' `tree`: which fields of a document are sent, and which range of a list: jobs[name,builds[number]{0,10}]."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"[A-Za-z_]\w*|[\[\],]|\{\d*,\d*\}")


@dataclass(frozen=True, slots=True)
class _Branch:
    """The fields of what is below; None: all.  Of a list the entries from `start` on, before `end`."""

    below: dict[str, _Branch] | None = None
    start: int = 0
    end: int | None = None


def projected(document: Any, tree: str) -> Any:
    """ValueError where the tree cannot be read."""
    tokens = _TOKEN.findall(tree)
    if "".join(tokens) != tree:
        raise ValueError(f"No tree: {tree}")
    fields = _fields(tokens)
    if tokens:
        raise ValueError(f"No tree: {tree}")
    return _kept(document, _Branch(fields))


def _fields(tokens: list[str]) -> dict[str, _Branch]:
    fields: dict[str, _Branch] = {}
    while tokens and tokens[0] != "]":
        name = tokens.pop(0)
        below, start, end = None, 0, None
        if tokens and tokens[0] == "[":
            tokens.pop(0)
            below = _fields(tokens)
            if not tokens or tokens.pop(0) != "]":
                raise ValueError("A bracket is missing.")
        if tokens and tokens[0].startswith("{"):
            first, _, last = tokens.pop(0).strip("{}").partition(",")
            start, end = int(first or 0), int(last) if last else None
        fields[name] = _Branch(below, start, end)
        if tokens and tokens[0] == ",":
            tokens.pop(0)
    return fields


def _kept(value: Any, branch: _Branch) -> Any:
    if isinstance(value, list):
        return [_kept(item, _Branch(branch.below)) for item in value[branch.start : branch.end]]
    if not isinstance(value, dict) or branch.below is None:
        return value
    return {
        name: _kept(item, branch.below.get(name, _Branch()))
        for name, item in value.items()
        if name == "_class" or name in branch.below
    }
