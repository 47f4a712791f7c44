"""JSON Schemas of the tools, taken from the API's OpenAPI document: a tool takes and returns what its operations do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.urls import get_resolver

from insights.api.views import openapi_document

Schema = dict[str, Any]
COMPONENTS, DEFINITIONS = "#/components/schemas/", "#/$defs/"


@cache
def operation_of(route: str) -> Mapping[str, Any]:
    """The GET operation of the URL with that name, as the OpenAPI document describes it."""
    [(pattern, _names)] = get_resolver().reverse_dict.getlist(route)[0][0]
    path = "/" + pattern.replace("%(", "{").replace(")s", "}")
    operation: Mapping[str, Any] = openapi_document()["paths"][path]["get"]
    return operation


def parameters_of(route: str) -> Mapping[str, Schema]:
    """The schema of each parameter by name."""
    return {
        one["name"]: with_null(
            {**one["schema"], **({"description": one["description"]} if "description" in one else {})}
        )
        for one in operation_of(route).get("parameters", ())
    }


def required_of(route: str) -> list[str]:
    return [one["name"] for one in operation_of(route).get("parameters", ()) if one.get("required")]


def answer_of(route: str) -> Schema:
    """The schema of the response, which refers to its definitions; `definitions` returns them."""
    answer: Schema = with_null(operation_of(route)["responses"]["200"]["content"]["application/json"]["schema"])
    return answer


def definitions(*schemas: Schema) -> Mapping[str, Schema]:
    """The definitions that the schemas refer to, directly or through each other."""
    components = openapi_document()["components"]["schemas"]
    named: dict[str, Schema] = {}
    waiting = [name for schema in schemas for name in _names_in(schema)]
    while waiting:
        name = waiting.pop()
        if name not in named:
            named[name] = with_null(components[name])
            waiting += _names_in(named[name])
    return dict(sorted(named.items()))


def with_null(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema 2020-12, where null is a type and definitions are in `$defs`."""
    if isinstance(schema, list):
        return [with_null(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain = {name: with_null(value) for name, value in schema.items() if name not in ("nullable", "readOnly")}
    if "$ref" in plain:
        plain["$ref"] = plain["$ref"].replace(COMPONENTS, DEFINITIONS)
    if not schema.get("nullable"):
        return plain
    return {"anyOf": [plain, {"type": "null"}]}


def _names_in(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for one in schema:
            yield from _names_in(one)
    elif isinstance(schema, Mapping):
        for name, value in schema.items():
            if name == "$ref":
                yield value.removeprefix(DEFINITIONS)
            else:
                yield from _names_in(value)
