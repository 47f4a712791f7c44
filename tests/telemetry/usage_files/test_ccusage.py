"""Files of ccusage: what they say counts once, and only where nothing else tells of it."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count, Sum

from integrations.models import AgentSession, AgentSessionDay, Enrolment, ImportedUsage
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.calendar import apply_time_zone
from integrations.telemetry.sessions.fold import fold_received_batches
from integrations.telemetry.usage_files.counted import recompute_usage
from integrations.telemetry.usage_files.store import Imported, import_ccusage
from tests.telemetry.raw_rows import Event, at, days_cut_in, receive
from tests.telemetry.usage_files import reports

pytestmark = pytest.mark.django_db
ADA = "ada@example.com"
DAY_COST = Decimal("0.47175")  # 0.1 M × 3 + 0.01 M × 0.3 + 0.025 M × 3.75 + 0.005 M × 15


def imported(document: Any, *, email: str = ADA, **more: Any) -> Imported:
    return import_ccusage(json.dumps(document).encode(), email=email, **more)


def native_session(when: str, *, session: str = "session-1", email: str = ADA, tokens: int = 7) -> None:
    receive(
        [
            Event(
                at(when),
                session=session,
                email=email,
                kind=EventKind.REQUEST,
                model="claude-sonnet-4-5",
                key=f"{session} {when}",
                tokens=(tokens, 0, 0, 0),
            )
        ]
    )
    fold_received_batches()
    recompute_usage()


def counted() -> list[tuple[date, str, str, Decimal | None]]:
    days = AgentSessionDay.objects.filter(counted=True).order_by("day", "source", "model")
    return list(days.values_list("day", "source", "model", "spend"))


def test_days_are_priced_by_model_and_the_readers_own_cost_stands_beside() -> None:
    result = imported(reports.CLAUDE_DAILY)
    assert (result.applied, result.added, result.counted, result.errors) == (True, 3, 3, [])
    assert counted() == [
        (date(2026, 3, 9), "files", "claude-haiku-4-5", Decimal("0.025")),
        (date(2026, 3, 9), "files", "claude-sonnet-4-5", DAY_COST),
        (date(2026, 3, 10), "files", "claude-sonnet-4-5", DAY_COST),
    ]
    day = AgentSessionDay.objects.filter(model="claude-sonnet-4-5").first()
    assert day is not None
    assert (day.reported_cost, day.compared_cost, day.compared_spend) == (DAY_COST, DAY_COST, DAY_COST)
    assert AgentSession.objects.filter(from_usage_file=True, has_work=True).count() == 2
    assert Enrolment.objects.get().first_at.date() == date(2026, 3, 9)


def test_a_repetition_changes_nothing_and_a_later_export_replaces() -> None:
    imported(reports.CLAUDE_DAILY)
    before = (counted(), list(AgentSession.objects.values_list("pk", flat=True)))
    again = imported(reports.CLAUDE_DAILY)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 3)
    assert (counted(), list(AgentSession.objects.values_list("pk", flat=True))) == before
    later = json.loads(json.dumps(reports.CLAUDE_DAILY))
    later["daily"][1]["modelBreakdowns"][0]["inputTokens"] = 200_000
    assert (imported(later).changed, counted()[2][3]) == (1, DAY_COST + Decimal("0.3"))


def test_a_file_does_not_count_on_days_with_the_agents_own_telemetry() -> None:
    native_session("2026-03-09 10:00")
    result = imported(reports.CLAUDE_DAILY)
    assert (result.added, result.counted) == (3, 1)
    assert [(day, source) for day, source, *_ in counted()] == [
        (date(2026, 3, 9), "events"),
        (date(2026, 3, 10), "files"),
    ]


def test_telemetry_that_comes_later_takes_the_days_place() -> None:
    imported(reports.CLAUDE_DAILY)
    native_session("2026-03-09 10:00")
    assert [(day, source) for day, source, *_ in counted()] == [
        (date(2026, 3, 9), "events"),
        (date(2026, 3, 10), "files"),
    ]
    assert AgentSession.objects.filter(from_usage_file=True).count() == 1


def test_telemetry_of_somebody_else_or_of_another_day_takes_nothing() -> None:
    imported(reports.CLAUDE_DAILY)
    native_session("2026-03-09 10:00", email="ben@example.com")
    native_session("2026-03-11 10:00")
    assert sum(source == "files" for _, source, *_ in counted()) == 3


def test_a_session_counts_once_whoever_tells_of_it_first() -> None:
    identifier = reports.CLAUDE_SESSIONS["sessions"][0]["sessionId"]
    imported(reports.CLAUDE_SESSIONS)
    session = AgentSession.objects.get()
    assert (session.external_id, session.from_usage_file, session.started_on) == (identifier, True, date(2026, 3, 9))
    assert counted() == [(date(2026, 3, 10), "files", "claude-sonnet-4-5", DAY_COST)]
    native_session("2026-03-09 10:00", session=identifier)
    session.refresh_from_db()
    assert not session.from_usage_file
    assert [(day, source) for day, source, *_ in counted()] == [(date(2026, 3, 9), "events")]
    assert imported(reports.CLAUDE_SESSIONS).counted == 0


def test_sessions_win_over_days_and_days_over_blocks() -> None:
    imported(reports.BLOCKS)
    assert counted() == [(date(2026, 3, 9), "files", "claude-sonnet-4-5", DAY_COST)]
    imported(reports.CLAUDE_DAILY)
    assert len(counted()) == 3
    imported(reports.CLAUDE_SESSIONS)  # it reaches over both days
    assert counted() == [(date(2026, 3, 10), "files", "claude-sonnet-4-5", DAY_COST)]


def test_a_codex_session_is_known_by_the_id_in_its_path() -> None:
    result = imported(reports.CODEX_SESSIONS, agent="codex")
    assert result.added == 2
    session = AgentSession.objects.get()
    assert (session.agent, session.external_id) == ("codex", "01a1f79f-8d3e-7710-b87e-42dd09705a90")
    # 750 × 1.75 + 250 × 0.175 + 125 × 14, a million; the other 2,000, 500 and 300: as ccusage itself reckons
    assert sum(spend or 0 for *_, spend in counted()) == Decimal("0.01089375")


@pytest.mark.parametrize(
    "folder",
    [
        "-Users-ev-projects-shop",
        "C--Users-ev-shop",
        "D:\\work\\shop",
        "project-1/src",  # of Codex, relative
        "-tmp-0f55df90-0882-4546-b159-26cafde226b1",  # a folder that is named by a UUID
        "0f55df90-0882-4546-b159-26cafde226b1/shop",
    ],
)
def test_a_folder_is_no_session_and_its_name_is_stored_nowhere(folder: str) -> None:
    document = json.loads(json.dumps(reports.CLAUDE_SESSIONS))
    document["sessions"][0]["sessionId"] = folder
    result = imported(document)
    [problem] = result.errors
    assert (result.applied, problem.field) == (False, "sessions[0].sessionId")
    assert "ccusage@latest session --json" in problem.message
    assert folder not in problem.message
    assert not ImportedUsage.objects.exists()
    assert not AgentSession.objects.exists()


def test_sessions_that_are_grouped_by_project_are_refused_as_folders() -> None:
    entry = {**reports.CLAUDE_SESSIONS["sessions"][0], "sessionId": "-Users-ev-shop"}
    [problem] = imported({"projects": {"-Users-ev-shop": [entry]}}).errors
    assert "ccusage daily --json" in problem.message


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("-Users-ev-shop/0F55DF90-0882-4546-B159-26cafde226b1", "0F55DF90-0882-4546-B159-26cafde226b1"),
        ("a" * 200 + "\\0f55df90-0882-4546-b159-26cafde226b1.jsonl", "0f55df90-0882-4546-b159-26cafde226b1"),
        ("T-0f55df90-0882-4546-b159-26cafde226b1", "0f55df90-0882-4546-b159-26cafde226b1"),  # Amp
        ("ses_4f8a1c2d3ffeAbCdEfGhIjKlMn", "ses_4f8a1c2d3ffeAbCdEfGhIjKlMn"),  # opencode
    ],
)
def test_of_a_session_s_path_its_id_alone_is_stored(sent: str, stored: str) -> None:
    document = json.loads(json.dumps(reports.CLAUDE_SESSIONS))
    document["sessions"][0]["sessionId"] = sent
    assert imported(document).applied
    assert AgentSession.objects.get().external_id == stored


def test_a_date_without_a_time_is_a_day_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TIME_ZONE", "America/Los_Angeles")
    document = json.loads(json.dumps(reports.CLAUDE_SESSIONS))
    document["sessions"][0] |= {"firstActivity": "2026-03-08", "lastActivity": "2026-03-10"}
    with days_cut_in("America/Los_Angeles"):
        imported(document)
        assert [day for day, *_ in counted()] == [date(2026, 3, 10)]
        assert AgentSession.objects.get().started_on == date(2026, 3, 8)
        assert imported(document).unchanged == 1


def test_a_session_that_ends_before_it_begins_is_refused() -> None:
    document = json.loads(json.dumps(reports.CLAUDE_SESSIONS))
    document["sessions"][0] |= {"firstActivity": "2026-03-11", "lastActivity": "2026-03-10T09:00:00Z"}
    assert imported(document).errors[0].field == "sessions[0].firstActivity"


def everything_imported() -> list[list[tuple[Any, ...]]]:
    """The rows of imported files in all tables, without their ids and times."""
    own = {"id", "session_id", "session", "identity_id"}
    tables = (
        ImportedUsage.objects.all(),
        AgentSessionDay.objects.all(),
        AgentSession.objects.all(),
    )
    return [sorted(tuple((k, v) for k, v in row.items() if k not in own) for row in table.values()) for table in tables]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_another_time_zone_loses_nothing_of_a_file_and_the_old_one_restores_it(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_zone(to: str) -> None:
        monkeypatch.setattr(settings, "TIME_ZONE", to)
        apply_time_zone()

    by_day = json.loads(json.dumps(reports.CLAUDE_SESSIONS))
    by_day["sessions"][0] |= {
        "sessionId": "1f55df90-0882-4546-b159-26cafde226b1",
        "firstActivity": "2026-05-01",
        "lastActivity": "2026-05-02",
    }
    late = {**reports.BLOCKS["blocks"][0], "startTime": "2026-06-02T03:00:00Z", "actualEndTime": "2026-06-02T04:00:00Z"}
    files = [
        (ADA, reports.CLAUDE_SESSIONS),
        (ADA, by_day),
        (ADA, {"blocks": [late]}),
        ("ben@example.com", reports.CLAUDE_DAILY),
    ]
    apply_time_zone()
    for email, document in files:
        imported(document, email=email)
    before = everything_imported()
    tokens = AgentSessionDay.objects.aggregate(Sum("input_tokens"), Sum("output_tokens"), Sum("spend"), Count("id"))
    assert tokens["id__count"] == 6

    with days_cut_in(zone):
        change_zone(zone)
        assert tokens == AgentSessionDay.objects.aggregate(
            Sum("input_tokens"), Sum("output_tokens"), Sum("spend"), Count("id")
        )
        days = AgentSessionDay.objects.filter(session__started_on__gte="2026-05-01").order_by("day")
        assert [figures.day for figures in days] == [
            date(2026, 5, 2),  # the file said the day
            date(2026, 6, 1 if zone.startswith("America") else 2),  # it said the moment
        ]
        half = {"daily": reports.CLAUDE_DAILY["daily"][:1]}
        for _ in range(2):
            assert imported(half, email="ben@example.com").unchanged == 2
        assert imported(reports.CLAUDE_SESSIONS).unchanged == 1
        assert AgentSessionDay.objects.count() == 6
    change_zone("UTC")
    assert everything_imported() == before


def test_a_price_that_disappears_and_comes_back_leaves_the_file_s_tokens() -> None:
    imported(reports.CLAUDE_DAILY)
    before = everything_imported()
    with mock.patch("integrations.telemetry.prices.book.PriceBook.source_of_day", return_value=None):
        ImportedUsage.objects.update(to_settle=True)
        recompute_usage()
        figures = AgentSessionDay.objects.aggregate(Sum("unpriced_tokens"), Sum("spend"))
        assert figures == {"unpriced_tokens__sum": 161_000 + 140_000, "spend__sum": None}
    ImportedUsage.objects.update(to_settle=True)
    recompute_usage()
    assert everything_imported() == before


def test_a_report_of_all_agents_says_itself_whose_sessions_they_are() -> None:
    imported(reports.ALL_SESSIONS)
    assert AgentSession.objects.get().agent == "copilot"
    assert counted()[0][3] == Decimal("0.06445215")


def test_the_same_day_of_several_projects_is_added_up() -> None:
    result = imported(reports.PROJECTS)
    assert (result.added, counted()[0][3]) == (1, 2 * DAY_COST)


def test_a_model_without_a_price_has_no_cost_but_the_one_that_the_reader_says() -> None:
    document = json.loads(json.dumps(reports.CLAUDE_DAILY))
    document["daily"][1]["modelBreakdowns"][0]["modelName"] = "claude-orchard-9"
    imported(document)
    day = AgentSessionDay.objects.get(day="2026-03-10")
    assert (day.spend, day.unpriced_tokens, day.reported_cost) == (None, 140_000, DAY_COST)


def bad(change: Any) -> Any:
    document = json.loads(json.dumps(reports.CLAUDE_DAILY))
    change(document["daily"][1])
    return document


def _set(path: str, value: Any) -> Any:
    def change(entry: Any) -> None:
        *outer, last = path.split(".")
        for name in outer:
            entry = entry[int(name) if name.isdigit() else name]
        entry[last] = value

    return bad(change)


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        (reports.MONTHLY, "monthly", "ccusage daily --json"),
        (reports.ALL_DAILY, "daily[0].metadata.agents", "session --json"),
        ([], "", "not JSON of ccusage"),
        ({"hello": 1}, "", "no daily"),
        ({"daily": []}, "", "no usage"),
        ({"daily": {}}, "daily", "A list"),
        ({"daily": [7]}, "daily[0]", "An object"),
        (_set("date", "9 March"), "daily[1].date", "not a day"),
        (_set("date", "1999-01-01"), "daily[1].date", "not a possible day"),
        (_set("date", None), "daily[1].date", "missing"),
        (_set("modelBreakdowns.0.inputTokens", -1), "daily[1].modelBreakdowns[0].inputTokens", "not a possible"),
        (_set("modelBreakdowns.0.inputTokens", 1e30), "daily[1].modelBreakdowns[0].inputTokens", "not a possible"),
        (_set("modelBreakdowns.0.inputTokens", "many"), "daily[1].modelBreakdowns[0].inputTokens", "not a number"),
        (_set("modelBreakdowns.0.outputTokens", 1.5), "daily[1].modelBreakdowns[0].outputTokens", "not a number"),
        (_set("modelBreakdowns.0.cost", -3), "daily[1].modelBreakdowns[0].cost", "not a possible"),
        (_set("modelBreakdowns.0.modelName", "gpt-5"), "daily[1]", "name the agent"),
        (_set("modelBreakdowns.0.modelName", ""), "daily[1].modelBreakdowns[0].modelName", "A name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(document: Any, field: str, message: str) -> None:
    result = imported(document)
    assert not result.applied
    assert result.errors[0].field == field
    assert message in result.errors[0].message
    assert not ImportedUsage.objects.exists()
    assert not AgentSession.objects.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"[" * 100_000])
def test_what_is_no_json_is_said(content: bytes) -> None:
    [problem] = import_ccusage(content, email=ADA).errors
    assert "not JSON" in problem.message


def test_somebody_without_an_address_is_refused() -> None:
    assert imported(reports.CLAUDE_DAILY, email="ada").errors[0].field == "person"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "ccusage.json"
    path.write_text(json.dumps(reports.CLAUDE_DAILY))
    return path


def test_the_command_says_what_it_did(report: Path) -> None:
    out = io.StringIO()
    call_command("import_ccusage", str(report), "--person", ADA, "--dry-run", "--json", stdout=out)
    output = json.loads(out.getvalue())
    assert output == {"applied": False, "added": 3, "changed": 0, "unchanged": 0, "counted": 3, "errors": []}
    assert not ImportedUsage.objects.exists()
    call_command("import_ccusage", str(report), "--person", ADA, stdout=out)
    assert ImportedUsage.objects.count() == 3


def test_the_command_fails_on_errors(tmp_path: Path) -> None:
    path = tmp_path / "ccusage.json"
    path.write_text(json.dumps(reports.MONTHLY))
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("import_ccusage", str(path), "--person", ADA, "--json", stdout=out)
    assert json.loads(out.getvalue())["errors"][0]["field"] == "monthly"
