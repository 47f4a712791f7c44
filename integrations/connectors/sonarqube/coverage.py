"""Coverage, duplication, ratings and quality gate of a project's main branch: one report for each analysis.

https://next.sonarqube.com/sonarqube/web_api/api/project_analyses/search and …/api/measures/search_history
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.drafts import CoverageReportDraft
from integrations.connectors.errors import SchemaError, TransientError
from integrations.connectors.reader import Reader
from integrations.connectors.sonarqube.lists import list_page
from integrations.connectors.unchecked import fields_of, object_of, objects_of, record_of, text_of, time_of

SOURCE = "analysis"
VALID, UNCOVERED = "lines_to_cover", "uncovered_lines"
LINES, DUPLICATED, GATE = "lines", "duplicated_lines", "alert_status"
RATINGS = {"reliability": "reliability_rating", "security": "security_rating", "maintainability": "sqale_rating"}
METRICS = (VALID, UNCOVERED, LINES, DUPLICATED, GATE, *RATINGS.values())
_GATES = {"OK": True, "WARN": True, "ERROR": False}  # a warning, which old servers have, does not fail it
RATED = ("1", "2", "3", "4", "5")  # A to E
NAME = "SonarQube"
HISTORY = 1000  # values of a metric in one answer, the most that the API gives
_OVERLAP = timedelta(hours=1)  # an analysis appears once it was processed, with the time at which it was made


def normalise_analysis(payload: Json) -> list[CoverageReportDraft]:
    """`analysis`, its `measures` by metric, and the project with its `repository`."""
    reader = Reader(payload)
    analysis = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    measured_at = analysis.time("date")
    valid, uncovered = _number(reader, VALID), _number(reader, UNCOVERED)
    if uncovered is not None and valid is not None and uncovered > valid:
        raise SchemaError(f"measures.{UNCOVERED}", f"is more than the {valid} lines that it is a part of")
    lines, duplicated = _part(reader, LINES), _part(reader, DUPLICATED)
    if duplicated is not None and lines is not None and duplicated > lines:
        reader.leave_out(f"measures.{DUPLICATED}")
        duplicated = None
    is_covered = valid is not None and uncovered is not None
    return [
        CoverageReportDraft(
            external_id=analysis.text("key"),
            updated_at=measured_at,
            repository=reader.text("repository", default=""),
            name=f"{NAME}: {reader.text('project', default='')}"[:200],
            sha=analysis.text("revision", default=""),
            branch=reader.text("branch", default=""),
            run="",
            url=reader.text("page", default=""),
            lines_valid=valid if is_covered else None,
            lines_covered=valid - uncovered if valid is not None and uncovered is not None else None,
            lines=lines,
            duplicated_lines=duplicated,
            passes_gate=_GATES.get(reader.text(f"measures.{GATE}", default="")),
            measured_at=measured_at,
            reliability=_rating(reader, RATINGS["reliability"]),
            security=_rating(reader, RATINGS["security"]),
            maintainability=_rating(reader, RATINGS["maintainability"]),
            left_out=tuple(reader.left_out),
        )
    ]


def _number(reader: Reader, metric: str) -> int | None:
    """The value of a metric, which the API writes as text; None if it was not measured."""
    value = reader.text(f"measures.{metric}", default="")
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise SchemaError(f"measures.{metric}", "should be a whole number")
    return int(value)


def _part(reader: Reader, metric: str) -> int | None:
    """The value of a metric without which the report still counts: left out if it is no number."""
    try:
        return _number(reader, metric)
    except SchemaError:
        reader.leave_out(f"measures.{metric}")
        return None


def _rating(reader: Reader, metric: str) -> int | None:
    """1.0 is A, 5.0 is E; left out if it is neither."""
    number = reader.text(f"measures.{metric}", default="").removesuffix(".0")
    if number in RATED:
        return RATED.index(number) + 1
    if number:
        reader.leave_out(f"measures.{metric}")
    return None


def fetch_coverage(
    http: Http, resource: FetchedResource, about: Mapping[str, str], cursor: Cursor, *, now: datetime
) -> Iterator[Page]:
    """Read the analyses newest first, and what each of a page measured; later those since the last one."""
    since = time_of(cursor, "since")
    number, newest = int(cursor.get("page", 1)), str(cursor.get("newest", ""))
    while True:
        params = {"project": resource.external_id}
        if since is not None:
            params["from"] = _written(since - _OVERLAP)
        page = list_page(http, "api/project_analyses/search", "analyses", params, number)
        newest = newest or max((text_of(entry, "date") for entry in page.entries), default=str(cursor.get("since", "")))
        records = list(_records(http, resource, about, page.entries))
        if not page.left:
            yield Page(records, {"since": newest}, left=0, complete=since is None and not cursor.get("since"))
            return
        number += 1
        way = {"page": number, "newest": newest}
        yield Page(records, {**way, "since": cursor["since"]} if since is not None else way, left=page.left)


def _records(
    http: Http, resource: FetchedResource, about: Mapping[str, str], analyses: list[Json]
) -> Iterator[RawRecord]:
    dates = [date for entry in analyses if (date := text_of(entry, "date"))]
    measures = _measures(http, resource, min(dates), max(dates)) if dates else {}
    for entry in analyses:
        of_entry = measures.get(text_of(entry, "date"), {})
        if of_entry:  # others measured nothing
            known = fields_of(entry, ("key", "date", "revision"))
            yield record_of(SOURCE, normalise_analysis, known, id_field="key", measures=of_entry, **about)


def _measures(http: Http, resource: FetchedResource, first: str, last: str) -> Mapping[str, Mapping[str, str]]:
    """Time of an analysis → metric → value."""
    params = {
        "component": resource.external_id,
        "metrics": ",".join(METRICS),
        "from": first,
        "to": last,
        "ps": HISTORY,
    }
    document = http.get("api/measures/search_history", params=params).json()
    listed = object_of(document).get("measures")
    if not isinstance(listed, list):
        raise TransientError("SonarQube answered without measures.")
    by_time: dict[str, dict[str, str]] = {}
    for measure in objects_of(listed):
        for entry in objects_of(measure.get("history")):
            if value := text_of(entry, "value"):
                by_time.setdefault(text_of(entry, "date"), {})[text_of(measure, "metric")] = value
    return by_time


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S%z")
