"""Tests read the clock when they run, not at import: midnight may pass in between."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

CLOCKS = {"local_today", "localdate", "now", "today", "utcnow", "time_ns"}
UNTIL_TODAY = {"trailing", "passed", "current_quarter"}  # the program's, where no `today` is given
MAY_ASK = {
    # Agents that tell a record twice give it the same time.  What tests say of days follows from this time alone.
    "tests/telemetry/intake.py",
}


class Module:
    def __init__(self, path: str, source: str) -> None:
        self.path, self.tree = path, ast.parse(source)
        name = path.removesuffix(".py").replace("/", ".")
        self.functions = {
            f"{name}.{statement.name}": statement
            for statement in self.tree.body
            if isinstance(statement, ast.FunctionDef)
        }
        self._means = {full.rpartition(".")[2]: full for full in self.functions}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self._means |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}

    def asks(self, call: ast.Call, asking: set[str]) -> bool:
        match call.func:
            case ast.Attribute(value=ast.Name(id="time"), attr="time"):
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name):
                of_today = name in UNTIL_TODAY and all(keyword.arg != "today" for keyword in call.keywords)
                own = isinstance(call.func, ast.Name) and self._means.get(name) in asking
                return name in CLOCKS or of_today or own
        return False


def calls_of_importing(tree: ast.Module) -> Iterator[ast.Call]:
    """Also those in classes, decorators and defaults."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        match node := waiting.pop():
            case ast.FunctionDef(args=given) | ast.AsyncFunctionDef(args=given) | ast.Lambda(args=given):
                waiting += [*given.defaults, *filter(None, given.kw_defaults), *getattr(node, "decorator_list", ())]
                continue
            case ast.Call():
                yield node
        waiting += ast.iter_child_nodes(node)


def read_at_import(sources: Mapping[str, str]) -> list[str]:
    """The places by file and line; `sources` by path."""
    modules = [Module(path, source) for path, source in sources.items()]
    asking: set[str] = set()
    functions = [
        (name, module, [node for node in ast.walk(function) if isinstance(node, ast.Call)])
        for module in modules
        for name, function in module.functions.items()
    ]
    while more := {
        name
        for name, module, calls in functions
        if name not in asking and any(module.asks(call, asking) for call in calls)
    }:
        asking |= more
    return [
        f"{module.path}:{call.lineno}"
        for module in modules
        for call in sorted(calls_of_importing(module.tree), key=lambda call: call.lineno)
        if module.asks(call, asking)
    ]


def test_no_module_of_tests_asks_when_it_is_imported() -> None:
    tests = Path(__file__).resolve().parent
    sources = {str(path.relative_to(tests.parent)): path.read_text(encoding="utf-8") for path in tests.rglob("*.py")}
    assert {place for place in read_at_import(sources) if place.partition(":")[0] not in MAY_ASK} == set()


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("TODAY = windows.local_today()", True),
        ("NOON = datetime.now(UTC).replace(hour=12)", True),
        ("class Told:\n    at = time.time()", True),
        ("def told(day=date.today()): ...", True),
        ("def told(*, day=timezone.localdate()): ...", True),
        ("@pytest.mark.parametrize('day', [local_today()])\ndef test(day): ...", True),
        ("QUERY = MetricQuery('wip.age', trailing(4))", True),
        ("from tests.days import before\nDAY = before(3)", True),
        ("from tests.days import before\ndef week(): return before(7)\nWEEK = week()", True),
        ("from tests.days import before\nDAYS = [lambda: before(3)]", False),
        ("def today(): return windows.local_today()", False),
        ("QUERY = MetricQuery('wip.age', trailing(4, today=date(2026, 3, 2)))", False),
        ("NINE = time(9)", False),
    ],
)
def test_the_places_are_found(source: str, asks: bool) -> None:
    days = {"tests/days.py": "def before(days): return local_today() - timedelta(days)"}
    assert bool(read_at_import({**days, "tests/test_told.py": source})) is asks
