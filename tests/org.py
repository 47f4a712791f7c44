"""A builder for test scenarios in the product's terms; it drives the real intake.

    org.session(by="ada", on="2026-03-02", tokens=1000, output=200, model="claude-sonnet-4-5")
    assert org.metric("ai.tokens", week="2026-W10").value == 1200

Sessions are posted to the in-process OTLP receiver and folded before the first metric is read; commits are created in a
repository and then imported; people come from a file, and units are edited as on the tree page.
"""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.test import Client
from google.protobuf.message import Message

from insights.query.query import Answer, Dimension, Granularity, MetricValue, Query, Scope, Statistic, Window
from tests.code.git.repositories import Repo
from tests.code.git.repositories import lines as text_of
from tests.confirmed import confirm
from tests.otlp import Attribute, Increment, LogEvent, logs_request, metrics_request

if TYPE_CHECKING:
    from orgtree.models import Unit

DEFAULT_MODEL = "claude-sonnet-4-5"


class Org:
    """An organisation as its agents, commits and people files tell of it; `new_folder` is for its repository."""

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self._confirmed: set[str] = set()

    def session(
        self,
        *,
        by: str,
        on: str | date,
        at: str = "10:00",
        minutes: float = 10,
        tokens: int = 1000,
        cache_read: int = 0,
        cache_write: int = 0,
        output: int = 0,
        measured: int = 0,
        requests: int = 1,
        model: str = DEFAULT_MODEL,
        lines: int = 0,
        tool_calls: Mapping[str, int] | None = None,
        failures: Mapping[str, int] | None = None,
        refusals: Mapping[str, int] | None = None,
        reported_cost: float | None = 0.0,
        session_id: str | None = None,
        confirmed: bool = True,
    ) -> str:
        """One Claude Code session; its id.  An empty one is sent as none.

        It lasts from `at` (UTC) for `minutes`.  The tokens are its sum, spread over `requests` requests of which the
        first carries the remainder, `measured` the tokens sent that metrics report at its end; `tool_calls` are those
        that succeeded, by tool, `refusals` those that the person refused.
        """
        session = str(uuid.uuid4()) if session_id is None else session_id
        start = datetime.combine(_day(on), time.fromisoformat(at), UTC)
        moments = [start + timedelta(minutes=minutes) * step / max(1, requests) for step in range(1, requests + 1)]
        events = [LogEvent("user_prompt", start, {"prompt_length": "42"})]
        for number, moment in enumerate(moments):
            share = {
                kind: amount // requests + (amount % requests if number == 0 else 0)
                for kind, amount in {
                    "input_tokens": tokens,
                    "cache_read_tokens": cache_read,
                    "cache_creation_tokens": cache_write,
                    "output_tokens": output,
                }.items()
            }
            request: dict[str, Attribute] = {
                "model": model,
                "request_id": f"req_{uuid.uuid4().hex}",
                **({} if reported_cost is None else {"cost_usd": reported_cost / requests}),
            }
            events.append(LogEvent("api_request", moment, {**request, **share, "duration_ms": 1500}))
        for outcome, calls in (("true", tool_calls or {}), ("false", failures or {})):
            for tool, count in calls.items():
                events += [
                    LogEvent(
                        "tool_result",
                        start + timedelta(seconds=number + 1),
                        {"tool_name": tool, "tool_use_id": f"toolu_{uuid.uuid4().hex}", "success": outcome},
                    )
                    for number in range(count)
                ]
        for tool, count in (refusals or {}).items():
            refused: dict[str, Attribute] = {"tool_name": tool, "decision": "reject", "source": "user_reject"}
            events += [
                LogEvent("tool_decision", start, {**refused, "tool_use_id": f"toolu_{uuid.uuid4().hex}"})
                for _ in range(count)
            ]
        email = _email(by)
        if confirmed:  # by something else than this telemetry
            self._confirmed.add(email.lower())
        self.send("/v1/logs", logs_request(email, session, events))
        metrics = {
            "lines_of_code.count": (lines, {"type": "added", "model": model}),
            "token.usage": (measured, {"type": "input", "model": model}),
        }
        increments = [
            Increment(name, moments[-1], float(amount), attributes)
            for name, (amount, attributes) in metrics.items()
            if amount
        ]
        if increments:
            self.send("/v1/metrics", metrics_request(email, session, increments))
        return session

    def commit(self, *, by: str, on: str | date, at: str = "10:00", lines: int = 1) -> None:
        """A commit of the person that adds so many lines to a file of its own."""
        moment = datetime.combine(_day(on), time.fromisoformat(at), UTC)
        self._commits += 1
        self._repository.commit(
            {f"part{self._commits}.py": text_of(lines)}, by=f"{by.title()} <{_email(by)}>", at=moment
        )
        self._unread = True

    def people(self, *rows: Mapping[str, str], on: str | date | None = None) -> None:
        """A people file with these rows, by column, applied from that day on."""
        from orgtree.people_import.rows import drafts_of
        from orgtree.people_import.store import store_people

        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
        store_people(drafts_of(text.getvalue().encode()), effective=None if on is None else _day(on))

    def tree(self, name: str, kind: str = "hand_built", *, levels: tuple[str, ...] = ()) -> None:
        """An Org Tree; the slug of its root is its name in small letters."""
        from orgtree.models import Attribute, TreeKind
        from orgtree.trees.trees import create_tree

        attributes = [Attribute.objects.get(slug=slug) for slug in levels]
        create_tree(name, TreeKind(kind), attributes=attributes)

    def unit(self, name: str, *, below: str) -> None:
        """A unit of a hand-built tree, on all days."""
        from orgtree.trees.units import add_unit

        add_unit(_unit(below), name)

    def join(self, person: str, unit: str, *, on: str | date | None = None) -> None:
        """Make the person, known or new, a member of a unit of a hand-built tree."""
        from orgtree.models import Person
        from orgtree.trees.units import move_person

        if not Person.objects.filter(email=_email(person)).exists():
            self.people({"full_name": person.title(), "email": _email(person)})
        move_person(Person.objects.get(email=_email(person)), _unit(unit), None if on is None else _day(on))

    def move(self, person: str, *, from_: str, to: str, on: str | date) -> None:
        """Move a person from one unit of a hand-built tree to another."""
        from orgtree.models import Membership

        was_there = Membership.objects.filter(
            person__email=_email(person), unit=_unit(from_), during__contains=_day(on) - timedelta(days=1)
        )
        assert was_there.exists(), f"{person} was not in {from_} before {on}"
        self.join(person, to, on=on)

    def move_unit(self, unit: str, *, to: str, on: str | date) -> None:
        """Move a unit of a hand-built tree below another one."""
        from orgtree.trees.units import move_unit

        move_unit(_unit(unit), _unit(to), _day(on))

    def push(self, kind: str, *records: Mapping[str, object]) -> None:
        """Push records of a kind, as build machines do; all of them must be taken."""
        answer = self._agent.post(
            f"/ingest/v1/{kind}/",
            data={"records": records},
            content_type="application/json",
            headers={"Authorization": f"Bearer {self._push_token}"},
        )
        assert answer.status_code == 200, answer.content[:500]
        refused = [result for result in answer.json()["results"] if result["error"]]
        assert not refused, refused

    def report(self, kind: str, file: str, **about: str) -> None:
        """Push a report of tests, coverage or code scanning, as a pipeline does."""
        answer = self._agent.post(
            f"/ingest/v1/{kind}/?{urlencode(about)}",
            data=file,
            content_type="application/octet-stream",
            headers={"Authorization": f"Bearer {self._push_token}"},
        )
        assert answer.status_code == 200, answer.content[:500]
        assert not [result for result in answer.json()["results"] if result["error"]], answer.content[:500]

    def own(self, resource: str, unit: str, *, from_: str | date | None = None, to: str | date | None = None) -> None:
        """Let the unit own a repository, service, project or board."""
        from integrations.delivery.ownership.find import find_owned, find_unit
        from integrations.delivery.ownership.give import own

        start, end = (None if moment is None else _day(moment) for moment in (from_, to))
        own(find_owned(resource), find_unit(unit), start=start, end=end)

    def send(self, path: str, message: Message) -> None:
        """Post one OTLP request to the receiver."""
        answer = self._agent.post(
            path,
            data=message.SerializeToString(),
            content_type="application/x-protobuf",
            headers={"Authorization": f"Bearer {self._ingest_token}"},
        )
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.content[:500]!r}"
        self._unfolded = True

    def metric(
        self,
        key: str,
        *,
        week: str | None = None,
        month: str | None = None,
        from_: str | date | None = None,
        to: str | date | None = None,
        statistic: Statistic | None = None,
        unit: str | None = None,
        **facets: str | tuple[str, ...],
    ) -> MetricValue:
        """The metric's figure over one week ("2026-W10"), month ("2026-03") or range [from_, to)."""
        window = _window(week, month, from_, to)
        answer = self.series(key, window=window, facets=facets, statistic=statistic, unit=unit)
        (figure,) = answer.total
        return figure

    def series(
        self,
        key: str,
        *,
        window: Window,
        granularity: Granularity = Granularity.WEEK,
        segments: tuple[Dimension, ...] = (),
        facets: Mapping[str, str | tuple[str, ...]] | None = None,
        statistic: Statistic | None = None,
        unit: str | None = None,
    ) -> Answer:
        from insights.engine.read import read_series

        self.fold()
        query = Query(
            key=key,
            window=window,
            granularity=granularity,
            scope=Scope(unit=unit),
            facets={
                Dimension(name): (value,) if isinstance(value, str) else value for name, value in (facets or {}).items()
            },
            segments=segments,
            statistic=statistic,
        )
        return read_series([query])[0]

    def fold(self) -> None:
        """Do what the worker does with received telemetry and new commits."""
        if self._unread:
            from integrations.sync.git.connect import connect_git
            from integrations.sync.git.read_source import sync_source

            sync_source(connect_git(self._repository.path))
            self._unread = False
        if self._unfolded:
            from integrations.telemetry.tasks import fold_received

            fold_received()
            self._unfolded = False
            confirm(self._confirmed)

    _unfolded = _unread = False
    _commits = 0

    @cached_property
    def _repository(self) -> Repo:
        return Repo.create(self._new_folder("org") / "shop")

    @cached_property
    def _agent(self) -> Client:
        return Client()

    @cached_property
    def _ingest_token(self) -> str:
        from integrations.telemetry.otlp.ingest_tokens import create_ingest_token

        return create_ingest_token("org")[1]

    @property
    def _push_token(self) -> str:
        """A new one each time: what is stored once for many tests outlives a token that one of them made."""
        from integrations.models import IngestScope
        from integrations.telemetry.otlp.ingest_tokens import create_ingest_token

        return create_ingest_token("org", scope=IngestScope.PUSH, changes_all=True)[1]


def _email(name: str) -> str:
    return name if "@" in name else f"{name}@example.com"


def _unit(slug: str) -> Unit:
    from orgtree.models import Unit

    return Unit.objects.get(slug=slug)


def _day(on: str | date) -> date:
    return on if isinstance(on, date) else date.fromisoformat(on)


def _window(week: str | None, month: str | None, from_: str | date | None, to: str | date | None) -> Window:
    if week:
        year, number = re.fullmatch(r"(\d{4})-W(\d{2})", week).groups()  # type: ignore[union-attr]
        monday = date.fromisocalendar(int(year), int(number), 1)
        return Window(monday, monday + timedelta(weeks=1))
    if month:
        first = date.fromisoformat(f"{month}-01")
        return Window(first, (first + timedelta(days=32)).replace(day=1))
    assert from_ is not None
    assert to is not None, "say week=, month=, or from_= and to="
    return Window(_day(from_), _day(to))
