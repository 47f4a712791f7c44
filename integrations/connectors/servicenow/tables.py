"""ServiceNow's tables: rows of a query, with their values and displayed values, by time of change or by id.

https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html

A row has {"value", "display_value"} for each field (`sysparm_display_value=all`).  Values are in UTC and the same for
every user; displayed values follow the user's language and time zone, and serve only as labels.  Rows that an access
rule hides are left out of a page, which then has fewer than requested, so X-Total-Count shows whether there are more,
not the number of rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.base import Http, Json
from integrations.connectors.changes import Changes, ListedPage
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import object_of, text_of

PER_PAGE = 200
GRAIN = timedelta(seconds=2)  # times of change are whole seconds: a younger row may change again within its own
SERVICES, INCIDENTS, CHANGE_REQUESTS = "cmdb_ci_service", "incident", "change_request"
CHANGED, ID = "sys_updated_on", "sys_id"
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_WRITTEN = "%Y-%m-%d %H:%M:%S"


def list_page(http: Http, table: str, query: str, fields: Sequence[str], *, offset: int = 0) -> ListedPage:
    """The rows from `offset` on.

    Raises TransientError if ServiceNow aborted the query: it then sends the rows found so far, with status 200 and an
    error.
    """
    params = {
        "sysparm_query": query,
        "sysparm_fields": ",".join(fields),
        "sysparm_display_value": "all",
        "sysparm_exclude_reference_link": "true",
        "sysparm_limit": PER_PAGE,
        "sysparm_offset": offset,
    }
    answer = http.get(f"api/now/table/{table}", params=params)
    document = answer.json()
    if error := object_of(document, "error"):
        raise TransientError(f"ServiceNow cut off its answer to {table}: {text_of(error, 'message') or 'no reason'}.")
    rows = [clean_row(row) for row in list_in(document, "result", f"ServiceNow answered {table}")]
    total = _total(answer.headers)
    is_last = not rows if total is None else offset + PER_PAGE >= total
    return ListedPage(rows, is_last, answer.headers, None if total is None else max(total - offset, 0))


def list_all(http: Http, table: str, query: str, fields: Sequence[str]) -> Iterator[Json]:
    """All rows, each page from the last id on, so that none is missed if rows are added or deleted meanwhile."""
    after = ""
    while True:
        conditions = [query, f"{ID}>{after}" if after else "", f"ORDERBY{ID}"]
        page = list_page(http, table, all_of(*conditions), fields)
        rows = [row for row in page.items if isinstance(row, dict) and value_of(row, ID)]
        yield from rows
        if page.is_last:
            return
        last = value_of(rows[-1], ID) if rows else ""
        if last <= after:
            raise TransientError(f"ServiceNow answered {table} with a page that was read before.")
        after = last


def changed_rows(table: str, query: str, fields: Sequence[str], **reading: Any) -> Changes:
    """The rows of a table that match, by last change; entries are {"id", "changed_at", "row"}."""

    def listed(http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        conditions = [
            f"{CHANGED}>={_written(datetime.fromisoformat(since))}" if since else "",
            f"{CHANGED}<={_written(before)}" if before is not None else "",
            query,
            f"ORDERBYDESC{CHANGED}",
            f"ORDERBYDESC{ID}",
        ]
        page = list_page(http, table, all_of(*conditions), fields, offset=(number - 1) * PER_PAGE)
        return ListedPage([_entry(row) for row in page.items], page.is_last, page.headers, page.total)

    return Changes(
        list_page=listed,
        answered=f"ServiceNow answered {table}",
        time_field="changed_at",
        batch=PER_PAGE,
        settles=GRAIN,
        **reading,
    )


def all_of(*conditions: str) -> str:
    """An encoded query of conditions that all hold, and its order."""
    return "^".join(filter(None, conditions))


def of_service(service: str) -> str:
    """The condition of records about this service; an OR belongs only to the condition before it."""
    return f"business_service={service}^ORcmdb_ci={service}"


def clean_row(row: Any) -> Any:
    """The row without its empty fields, and with the zone of its times, which ServiceNow leaves out."""
    if not isinstance(row, dict):
        return row
    fields = {name.replace(".", "_"): _in_utc(field) for name, field in row.items()}
    return {name: field for name, field in fields.items() if field not in ("", None) and field.get("value") != ""}


def value_of(row: Any, field: str) -> str:
    return text_of(object_of(row, field), "value")


def _in_utc(field: Any) -> Any:
    """A field as an object: instances that ignore `all` send the value itself, without a displayed value."""
    if not isinstance(field, dict):
        return field if field in ("", None) else _in_utc({"value": field})
    value = field.get("value")
    return {**field, "value": f"{value}Z"} if isinstance(value, str) and _TIME.fullmatch(value) else field


def _entry(row: Any) -> Json:
    return {"id": value_of(row, ID), "changed_at": value_of(row, CHANGED), "row": row}


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_WRITTEN)


def _total(headers: Mapping[str, str]) -> int | None:
    written = headers.get("x-total-count", "")
    return int(written) if written.isdecimal() and len(written) < 10 else None
