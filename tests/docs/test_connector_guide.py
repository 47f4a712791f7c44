"""The connector that docs/connectors.md walks through is one that works."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from integrations.connectors import base
from integrations.connectors.base import FetchedResource, Settings
from integrations.connectors.errors import PermanentError, SchemaError
from integrations.enums import Kind, ResourceKind, Severity

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "connectors.md"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Answer:
    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, document: Any) -> None:
        self._document = document

    def json(self) -> Any:
        return self._document


class Bells:
    """Two services, three incidents in pages of two, and whoever may not read incidents is told so."""

    def __init__(self, *, lacks: str = "") -> None:
        self._lacks = lacks

    def get(self, path: str, *, params: Mapping[str, Any] | None = None, headers: Any = None) -> Answer:
        if path == self._lacks:
            raise PermanentError("Bell does not let this token read incidents.")
        if path == "/services":
            return Answer({"services": [{"id": "s1", "name": "checkout"}, {"id": "s2", "name": "search"}]})
        page = (params or {}).get("page", 1)
        shown = [incident(number) for number in ((1, 2) if page == 1 else (3,))]
        return Answer({"incidents": shown, "more": page == 1, "left": 1})

    def post(self, path: str, *, json: Any, headers: Any = None) -> Answer:
        raise AssertionError(path)

    def post_form(self, path: str, fields: Mapping[str, str]) -> Answer:
        raise AssertionError(path)

    def post_once(self, path: str, *, json: Any) -> Answer:
        raise AssertionError(path)

    def patch(self, path: str, *, json: Any) -> Answer:
        raise AssertionError(path)

    def delete(self, path: str) -> Answer:
        raise AssertionError(path)


def incident(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "changed_at": "2026-03-02T09:00:00Z",
        "created_at": "2026-03-02T08:00:00Z",
        "resolved_at": None,
        "service": {"name": "checkout"},
        "severity": "sev1",
        "status": "open",
    }


@pytest.fixture
def guide() -> Iterator[ModuleType]:
    """The file of the guide, as a module; its provider is unknown again afterwards."""
    found = re.search(r"```python\n(\"\"\"Bell.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "the guide shows a whole connector"
    module = ModuleType("integrations.connectors.bell")
    known = dict(base.registry)
    exec(compile(found[1], str(GUIDE), "exec"), module.__dict__)  # noqa: S102  # a file of this project
    yield module
    base.registry.clear()
    base.registry.update(known)


def test_the_guides_connector_reads_on_from_any_page(guide: ModuleType) -> None:
    bell = guide.Bell(Settings({"base_url": "https://bell.example.com/api/"}, {"token": "t"}))
    assert [found.name for found in bell.resources(Bells())] == ["checkout", "search"]
    resource = FetchedResource(ResourceKind.SERVICE, "s1", "checkout", {})
    first, last = bell.fetch(Bells(), resource, Kind.INCIDENT, {}, now=NOW)
    assert (len(first.records), first.left, first.complete) == (2, 1, False)
    assert (len(last.records), last.complete) == (1, True)
    (resumed,) = bell.fetch(Bells(), resource, Kind.INCIDENT, first.cursor, now=NOW)
    assert resumed.records[0].payload == last.records[0].payload
    assert resumed.cursor == last.cursor == {"since": "2026-03-02T09:55:00+00:00"}


def test_the_guides_checks_name_what_is_missing(guide: ModuleType) -> None:
    bell = guide.Bell(Settings({"base_url": "https://bell.example.com/api"}, {"token": "t"}))
    services, incidents = bell.check(Bells(lacks="/incidents"))
    assert services.works
    assert not incidents.works
    assert incidents.remedy.endswith("Grant “Incidents: read”.")


def test_the_guides_normalise_names_a_field_that_is_missing(guide: ModuleType) -> None:
    payload = incident(1)
    assert guide.normalise_incident(payload).severity == Severity.CRITICAL
    del payload["created_at"]
    with pytest.raises(SchemaError, match="created_at"):
        guide.normalise_incident(payload)
