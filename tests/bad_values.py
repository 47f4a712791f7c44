"""Malformed values, and the parameters and fields of each route, for tests/test_bad_input.py."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from django import forms
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

from core.list_page import ListPage

DEEP = "[" * 100_000
HUGE = "9" * 400

# As they stand in an address, percent-encoded.
IN_ADDRESSES: Mapping[str, str] = {
    "NUL": "a%00b",
    "half a character": "%ED%A0%80",
    "not UTF-8": "%FF%FE",
    "400 digits": HUGE,
    "more than 64 bits": str(2**63),
    "no float": "1e400",
    "no number": "nan",
    "no date": "0000-13-45",
    "the year 99999": "99999-01-01",
    "the last day": "9999-12-31",
    "the first day": "0001-01-01",
    "overlong": "x" * 20_000,
    "negative": "-1",
    "brackets": quote("[" * 2_000),
    "control characters": "%0D%0A%1B%7F",
    "other digits": quote("٣"),
    "an attribute": "team%3Da%FFb",
    "nothing": "",
}
# As they stand in JSON.
IN_JSON: Mapping[str, str] = {
    "NUL": r'"a\u0000b"',
    "half a character": r'"\ud800"',
    "no float": "1e400",
    "no number": "NaN",
    "400 digits": HUGE,
    "more than 64 bits": str(2**63),
    "less than 64 bits": str(-(2**63) - 1),
    "no date": '"0000-13-45"',
    "the year 99999": '"99999-01-01"',
    "the last day": '"9999-12-31"',
    "the first moment": '"0001-01-01T00:00:00+14:00"',
    "overlong": json.dumps("x" * 100_000),
    "deep": DEEP + "]" * 100_000,
    "nested": "[" * 30 + "]" * 30,
    "a list": "[]",
    "a list of lists": "[[1], [null]]",
    "an object": "{}",
    "an object of objects": r'{"a": {"": {}}}',
    "a name with NUL": r'{"\u0000": 1}',
    "true": "true",
    "nothing": "null",
    "a number as text": '"1e400"',
}
# Whole bodies of a request that says that it is JSON.
BODIES: Mapping[str, bytes] = {
    "empty": b"",
    "broken off": b'{"a": ',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "NUL": b"\x00",
    "deep": DEEP.encode(),
    "a list": b"[]",
    "a list of nothing": b"[null, 1, [], {}]",
    "a text": b'"x"',
    "a number": b"1e400",
    "nothing": b"null",
    "a name that is none": rb'{"\ud800": 1, "\u0000": {}}',
}
# Beside what the code of a view reads by name, every page reads its filters together (insights/ui/filters.py).
FILTERS = (
    *("unit", "person", "where", "range", "from", "to", "through", "granularity", "segment", "statistic", "facet"),
    *("agent", "model", "repository", "work_type", "size_class", "service", "project"),
    *("page", "size", "sort", "search", "q", "tree"),
)
_BY_NAME = r"""(?:\.|request, *)(?:getlist|get)?[(\[]? *["'](\w+)["']"""
_QUERY = re.compile(rf"(?:GET|query_params|parameter\(request, |_whole\(request, ){_BY_NAME}")
_FORM = re.compile(r"""POST(?:\.get(?:list)?\(|\[)["'](\w+)["']""")
_FIELDS = re.compile(r"""given(?:\.get\(|\[)["'](\w+)["']|needed=\(["'](\w+)["']""")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

View = Callable[..., Any]


def views_by_route(resolver: URLResolver | None = None, prefix: str = "") -> dict[str, View]:
    """Every route of the application's own, with its view."""
    views: dict[str, View] = {}
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            views[route] = entry.callback
        elif not route.startswith("admin/"):
            views |= views_by_route(entry, route)
    return views


def filled(route: str, arguments: Mapping[str, Any], **bad: str) -> str:
    """The route's address with these arguments, of which `bad` are percent-encoded already."""
    return "/" + _PARAMETER.sub(lambda match: bad.get(match[1]) or quote(str(arguments[match[1]])), route)


def parameters_of(route: str, view: View) -> list[str]:
    """The query parameters that a route knows."""
    named = [name for name in _QUERY.findall(_source_of(view)) if name]
    described = [
        parameter["name"]
        for operation in _described(route).values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    ]
    page = getattr(inspect.unwrap(view), "view_class", None)
    of_list = [*page.own, *page.filters.base_filters] if page and issubclass(page, ListPage) else []
    return list(dict.fromkeys([*described, *named, *of_list, *(() if described else FILTERS)]))


def form_fields_of(view: View) -> list[str]:
    """The fields of the forms that a page reads."""
    module = sys.modules[_class_or_function(view).__module__]
    of_forms = [
        name
        for form in vars(module).values()
        if inspect.isclass(form) and issubclass(form, forms.BaseForm)
        for name in getattr(form, "base_fields", ())
    ]
    return list(dict.fromkeys([*_FORM.findall(_source_of(view)), *of_forms]))


def json_fields_of(route: str, method: str, view: View) -> list[str]:
    """The fields of the object that an operation of the API takes."""
    content = _described(route).get(method, {}).get("requestBody", {}).get("content", {})
    described = list(_properties(content.get("application/json", {}).get("schema", {})))
    return described or [name for pair in _FIELDS.findall(_source_of(view)) for name in pair if name]


def methods_of(view: View) -> Iterable[str]:
    """Those of an API's view by which something is written."""
    methods = getattr(view, "actions", None) or dir(getattr(view, "cls", None))
    return [name for name in ("post", "put", "patch", "delete") if name in methods]


def _described(route: str) -> Mapping[str, Any]:
    operations: Mapping[str, Any] = _document()["paths"].get("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route), {})
    return operations


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _properties(_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "items" in schema:
        return _properties(schema["items"])
    properties: Mapping[str, Any] = schema.get("properties", {})
    return properties


@cache
def _document() -> Mapping[str, Any]:
    document: Mapping[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


def _class_or_function(view: View) -> Any:
    return getattr(view, "cls", inspect.unwrap(view))


@cache
def _source_of(view: View) -> str:
    try:
        return inspect.getsource(sys.modules[_class_or_function(view).__module__])
    except (OSError, TypeError):
        return ""
