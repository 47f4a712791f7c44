"""Names in code are those of docs/glossary.md: the field's terms, and nouns for what they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.servers import PROJECT_DIR

APPS = ("agent", "bench", "config", "core", "demo", "insights", "integrations", "orgtree", "programs")
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


@cache
def defined_in(path: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    """Every name that the file defines (its own, functions, classes, parameters, variables, attributes), and its
    docstrings: parsing two thousand files takes seconds.
    """
    names = {path.stem}
    texts: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                names.add(name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            texts += filter(None, [ast.get_docstring(node)])
    return frozenset(names), tuple(texts)


def sources(app: str) -> Iterator[Path]:
    return (path for path in (PROJECT_DIR / app).rglob("*.py") if "migrations" not in path.parts)


def test_names_are_those_of_the_glossary() -> None:
    said = {
        f"{path.relative_to(PROJECT_DIR)}: {name}, say {REPLACED[word.lower()]}"
        for app in (*APPS, "tests")
        for path in sources(app)
        for name in defined_in(path)[0] - ALLOWED
        for word in WORD.findall(name)
        if word.lower() in REPLACED
    }
    assert sorted(said) == []


def test_every_place_in_the_glossary_is_there() -> None:
    glossary = (PROJECT_DIR / "docs" / "glossary.md").read_text(encoding="utf-8")
    places = re.findall(rf"`((?:{'|'.join(APPS)})/[\w/.]*)`", glossary)
    assert len(places) > 30
    assert [place for place in places if not (PROJECT_DIR / place).exists()] == []


# A text that opens with one of these is half a sentence, which its name has to complete: "Of a ticket".
_HALVES = "of|into|by|none|raises|that|their|those|to|what|when|where|which|who|whom|whose|how|with|without"
OPENING_OF_A_HALF = re.compile(rf"\W*({_HALVES})\b", re.IGNORECASE)
# The description of a field may be such a half, beside its name: "For durations."
OPENING_OF_A_DOCSTRING = re.compile(
    rf"\W*({_HALVES}|as|at|because|empty|for|from|if|in|its|on|only|per|since|until)\b", re.IGNORECASE
)
MOST_OPENED_SO = 0.02  # of an app's docstrings


@pytest.mark.parametrize("app", APPS)
def test_docstrings_say_what_a_thing_is_or_does(app: str) -> None:
    texts = [(path.relative_to(PROJECT_DIR), text) for path in sources(app) for text in defined_in(path)[1]]
    opened_so = [f"{path}: {text.splitlines()[0]}" for path, text in texts if OPENING_OF_A_DOCSTRING.match(text)]
    assert len(opened_so) <= MOST_OPENED_SO * len(texts), opened_so


def descriptions(document: object) -> Iterator[str]:
    """Every description and summary of the OpenAPI document."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in ("description", "summary") and isinstance(value, str) and value.strip():
                yield value
            else:
                yield from descriptions(value)
    elif isinstance(document, list):
        for value in document:
            yield from descriptions(value)


@pytest.mark.django_db
def test_the_api_document_says_what_a_thing_is_or_does() -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    texts = list(descriptions(document))
    assert len(texts) > 500
    assert [text for text in texts if OPENING_OF_A_HALF.match(text)] == []
