"""Names in code are those of docs/glossary.md: the field's terms, and nouns for what they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.servers import PROJECT_DIR

APPS = ("bench", "config", "core", "demo", "insights", "integrations", "orgtree", "programs")
# A word of a name → what this field says instead.
REPLACED = {
    "asked": "params",
    "told": "what it holds: provided, message, answer",
    "untold": "missing",
    "telling": "update",
    "tellings": "updates",
    "each": "what it holds",
    "begun": "started",
    "stint": "membership",
    "stints": "memberships",
    "stretch": "date_range",
    "stretches": "date_ranges",
    "hull": "bounding_window",
    "letter": "email",
    "letters": "emails",
    "muted": "opted_out",
    "crowded": "rate_limited",
    "heeded": "ignored",
    "looks": "access_log",
}
API_KEYS = frozenset(("told",))  # of the overview's steps: public
ENGLISH = frozenset(("each_of", "first_of_each_day", "looks_like_content"))
ALLOWED = API_KEYS | ENGLISH
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def names_in(path: Path) -> Iterator[str]:
    """Every name that the file defines: its own, functions, classes, parameters, variables, attributes."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def test_names_are_those_of_the_glossary() -> None:
    said = {
        f"{path.relative_to(PROJECT_DIR)}: {name}, say {REPLACED[word.lower()]}"
        for app in (*APPS, "tests")
        for path in (PROJECT_DIR / app).rglob("*.py")
        if "migrations" not in path.parts
        for name in names_in(path)
        if name not in ALLOWED
        for word in WORD.findall(name)
        if word.lower() in REPLACED
    }
    assert sorted(said) == []


def test_every_place_in_the_glossary_is_there() -> None:
    glossary = (PROJECT_DIR / "docs" / "glossary.md").read_text(encoding="utf-8")
    places = re.findall(rf"`((?:{'|'.join(APPS)})/[\w/.]*)`", glossary)
    assert len(places) > 30
    assert [place for place in places if not (PROJECT_DIR / place).exists()] == []
