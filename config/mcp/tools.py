"""The six tools: each combines one or several GET operations of the API, with the response that the API would give the
caller.

A tool computes nothing and decides nothing about rights: the same views authenticate the same request again.  It adds
to the response the link of the page that shows it, and the definition of its metric.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch, resolve, reverse
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from config.mcp import schemas
from core.page_links import url_with

Document = dict[str, Any]
Arguments = Mapping[str, object]
LARGEST_ANSWER = 1_000_000  # bytes: more than an assistant can read at once
LONGEST_ARGUMENT = 400


class ToolError(Exception):
    """The tool cannot answer this; the message says how to proceed."""


@dataclass(frozen=True)
class Operation:
    """A GET operation of the API, by the name of its URL, with the parameters that the tool always sends."""

    route: str
    fixed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """A tool; `operations` are those whose responses make up its own, by field, or a single one without a field.

    `link` is the path of the page that shows the same data.
    """

    name: str
    title: str
    description: str
    operations: Mapping[str, Operation]
    link: Callable[[Document], str]
    is_of_metric: bool = False
    takes: tuple[str, ...] | None = None  # parameters; None: all of its operation

    @property
    def main(self) -> Operation:
        return next(iter(self.operations.values()))

    @property
    def parameters(self) -> Mapping[str, schemas.Schema]:
        known = schemas.parameters_of(self.main.route)
        return {
            name: schema
            for name, schema in known.items()
            if name not in self.main.fixed and (self.takes is None or name in self.takes)
        }


def _metric_page(answer: Document) -> str:
    pairs = [
        ("unit", answer["scope"]["unit"]),
        *(("where", f"{name}={value}") for name, values in answer["scope"]["where"].items() for value in values),
        *((name, value) for name, values in answer["facets"].items() for value in values),
        ("from", answer["from"]),
        ("to", answer["to"]),
    ]
    return url_with(reverse("metric_page", args=[answer["key"]]), pairs)


def _program_page(answer: Document) -> str:
    return url_with(reverse("program"), {"unit": answer["overview"]["unit"]})


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "catalogue",
            "Metrics and units",
            "What can be asked about: each metric with key, meaning, unit of measure and better direction, the units "
            "(teams, groups) that you may see with their slugs, today's date and the days of this and the previous "
            "fiscal quarter. Call it first, and again with `q` to find a metric or a unit.",
            {"": Operation("api_catalogue")},
            lambda _answer: reverse("metric_catalogue"),
        ),
        Tool(
            "figure",
            "One figure",
            "The value of a metric for a unit and a range of days, the value of the range before, and whether the "
            "change is better, worse or within the usual. `value` is null where there is no data or too few people "
            "contribute: `reason` says which. Durations are in seconds; `text` is the value in words to quote.",
            {"": Operation("api_figure")},
            _metric_page,
            is_of_metric=True,
        ),
        Tool(
            "series",
            "A figure over time, or split",
            "The values of a metric by day, week, month or quarter, and with `segment` split by a dimension of the "
            "catalogue such as repository, agent or size_class: `total` has each segment's value for all the days.",
            {"": Operation("api_series")},
            _metric_page,
            is_of_metric=True,
        ),
        Tool(
            "rows",
            "The rows behind a figure",
            "The pull requests, deployments, work items or sessions that a figure is computed from, each with its "
            "contribution, so that a number can be checked. Rows of other people are shown as the organisation's "
            "policy allows; `note` says what is left out.",
            {"": Operation("api_rows")},
            _metric_page,
            is_of_metric=True,
        ),
        Tool(
            "findings",
            "Findings",
            "Changes and differences that are more than chance: what changed where, with its size, 95 % interval, "
            "cost in hours of waiting a month, another reading, and what to try. They are hypotheses.",
            {"": Operation("api_findings")},
            lambda _answer: reverse("findings"),
        ),
        Tool(
            "program",
            "The improvement program",
            "How a unit improves: its progress through the program, the bottlenecks by people, process and tooling, "
            "this quarter's objectives with key results and status, the action tickets to do, the experiments with "
            "their verdicts, and the executive report of the last quarter: highlights, delivery in words, bottlenecks "
            "in hours, early warnings, and recommendations with effort and expected effect, each with its facts.",
            {
                "overview": Operation("api_overview"),
                "bottlenecks": Operation("api_bottlenecks"),
                "objectives": Operation("api_objectives", {"size": "50"}),
                "tickets": Operation("api_tickets", {"size": "50", "state": "standing"}),
                "experiments": Operation("api_experiments", {"size": "20"}),
                "report": Operation("api_report"),
            },
            _program_page,
            takes=("unit",),
        ),
    )
}


@cache
def listed() -> list[Document]:
    """The tools as `tools/list` returns them."""
    return [
        {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": {
                "type": "object",
                "properties": dict(tool.parameters),
                "required": schemas.required_of(tool.main.route),
                "additionalProperties": False,
            },
            "outputSchema": _output_schema(tool),
            "annotations": {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False},
        }
        for tool in TOOLS.values()
    ]


def _output_schema(tool: Tool) -> schemas.Schema:
    answers = {name: schemas.answer_of(operation.route) for name, operation in tool.operations.items()}
    properties: schemas.Schema = {"link": {"type": "string", "description": "The page that shows it."}}
    if tool.is_of_metric:
        properties["definition"] = schemas.answer_of("api_metric")
    named = schemas.definitions(*answers.values(), properties)
    if "" in answers:
        whole = named[answers.pop("")["$ref"].removeprefix(schemas.DEFINITIONS)]
        properties = {**whole["properties"], **properties}
        required = [*whole.get("required", ()), "link"]
    else:
        properties = {**answers, **properties}
        required = [*answers, "link"]
    return {"type": "object", "properties": properties, "required": required, "$defs": dict(named)}


def call(tool: Tool, arguments: Arguments, request: HttpRequest) -> Document:
    """The tool's result for the caller who sent the request.  Raises ToolError."""
    parameters = _parameters(tool, arguments)
    answers = {name: _get(operation, parameters, request) for name, operation in tool.operations.items()}
    answer: Document = answers.get("", answers)
    answer["link"] = settings.BASE_URL + tool.link(answer)
    if tool.is_of_metric:
        answer["definition"] = _get(Operation("api_metric"), {"key": [answer["key"]]}, request)
    if tool.name == "findings":
        for finding in answer["findings"]:
            finding["link"] = url_with(answer["link"], {"finding": finding["id"]})
    size = len(json.dumps(answer))
    if size > LARGEST_ANSWER:
        raise ToolError(
            f"The answer has {size / 1e6:.1f} MB, and at most {LARGEST_ANSWER / 1e6:.0f} MB are sent. Ask for fewer "
            "days, a coarser granularity, one segment, or a smaller page."
        )
    return answer


def _parameters(tool: Tool, arguments: Arguments) -> dict[str, list[str]]:
    known = tool.parameters
    parameters: dict[str, list[str]] = {}
    for name, value in arguments.items():
        if name not in known:
            raise ToolError(f"{tool.name} takes no “{name[:40]}”. It takes {', '.join(known) or 'nothing'}.")
        is_list = isinstance(value, list)
        if is_list and known[name].get("type") != "array":
            raise ToolError(f"{name}: give one value, not a list.")
        values = [one for one in (value if isinstance(value, list) else [value]) if one is not None]
        if any(isinstance(one, bool) or not isinstance(one, str | int) for one in values):
            raise ToolError(
                f"{name}: give a text{' or a list of texts' if known[name].get('type') == 'array' else ''}."
            )
        parameters[name] = [str(one) for one in values]
        if any(len(one) > LONGEST_ARGUMENT for one in parameters[name]):
            raise ToolError(f"{name}: give at most {LONGEST_ARGUMENT} characters.")
    missing = [name for name in schemas.required_of(tool.main.route) if not any(parameters.get(name, ()))]
    if missing:
        raise ToolError(f"{tool.name} needs {missing[0]}: the catalogue lists what there is.")
    return parameters


def _get(operation: Operation, parameters: Mapping[str, list[str]], request: HttpRequest) -> Document:
    """The API's response to a GET by the same caller: same session or token, same views, same rights."""
    named = schemas.required_of(operation.route)
    try:
        path = reverse(operation.route, args=[parameters[name][0] for name in named])
    except NoReverseMatch:
        raise ToolError(f"There is no {named[0]} “{parameters[named[0]][0][:40]}”.") from None
    given = QueryDict(mutable=True)
    for name, values in parameters.items():
        if name not in named:
            given.setlist(name, list(values))
    given.update(operation.fixed)
    asking = copy.copy(request)
    asking.method, asking.path, asking.path_info = "GET", path, path
    asking.META = {**request.META, "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": given.urlencode()}
    asking.GET = given  # type: ignore[assignment]  # the stubs say that it cannot be set
    view, args, kwargs = resolve(path)
    response: Response = view(asking, *args, **kwargs)
    document: Document = json.loads(JSONRenderer().render(response.data))
    if response.status_code >= 400:
        raise ToolError(document["error"]["message"])
    return document
