"""Recordings of each real agent, sent twice and shuffled, folded at any moment, give the true totals."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from integrations.facts.ai import AGENT_SESSION_DAYS, AGENT_SESSIONS, AGENT_TOOL_DAYS
from integrations.facts.outcomes import AGENT_SPEND_SHARES, TOKEN_KINDS
from integrations.facts.relation import Relation
from integrations.model_names import model_name
from integrations.models import AgentSession, QuarantinedRecord
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.recordings import Recording, Recordings
from tests.seeds import seeds
from tests.telemetry.intake import Intake, rows

pytestmark = pytest.mark.django_db

SLUGS = {"claude-code": "claude_code", "codex": "codex", "gemini-cli": "gemini", "copilot-cli": "copilot"}
KINDS = {
    "input": "uncached_input",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "output": "output_including_reasoning",
}
# Gemini CLI calls a shell command that ended non-zero a success, and says nothing of its exit code.
UNREPORTED_FAILURES = {"gemini-cli": {"fail_shell"}}


def send_shuffled(intake: Intake, runs: list[Recording], order: random.Random) -> None:
    deliveries = [request for run in runs for request in run.requests * 2]
    order.shuffle(deliveries)
    for request in deliveries:
        encoding = {"Content-Encoding": request.content_encoding} if request.content_encoding else {}
        assert intake.post(request.path, request.body, request.content_type, **encoding).status_code == 200
        if order.random() < 0.5:
            fold_received_batches()
    fold_received_batches()


@pytest.mark.parametrize("seed", seeds(0, soaked=2))
@pytest.mark.parametrize("agent", SLUGS)
def test_an_agent_s_recordings_give_their_totals(recordings: Recordings, agent: str, seed: int) -> None:
    runs = recordings.of(agent)
    send_shuffled(Intake(), runs, random.Random(seed))
    check_totals(agent, runs)


def test_all_agents_recordings_together_give_their_totals(recordings: Recordings) -> None:
    runs = {agent: recordings.of(agent) for agent in SLUGS}
    send_shuffled(Intake(), [run for of_agent in runs.values() for run in of_agent], random.Random(11))
    for agent, of_agent in runs.items():
        check_totals(agent, of_agent)


def check_totals(agent: str, runs: list[Recording]) -> None:
    slug = SLUGS[agent]
    assert not QuarantinedRecord.objects.exists()
    assert table(AGENT_SESSIONS, "count(*) AS n", slug)[0]["n"] == len(runs)

    true_tokens: Counter[tuple[str, str]] = Counter()
    for run in runs:
        model = model_of(run)
        for kind, name in KINDS.items():
            if amount := run.expected["normalized_totals"][name]:
                true_tokens[model, kind] += amount
    sums = ", ".join(f"sum({column}) AS {kind}" for kind, column in TOKEN_KINDS.columns.items())
    models = table(AGENT_SPEND_SHARES, f"model, {sums}", slug, "GROUP BY model")
    kinds = {(row["model"], kind): row[kind] for row in models for kind in TOKEN_KINDS.columns}
    assert {kind: tokens for kind, tokens in kinds.items() if tokens} == true_tokens

    figures = table(
        AGENT_SESSION_DAYS,
        "sum(lines_added) AS added, sum(lines_removed) AS removed, sum(requests) AS requests,"
        " sum(tool_calls) AS calls, sum(tool_failures) AS failed, sum(tool_refusals) AS refused",
        slug,
    )[0]
    unreported = UNREPORTED_FAILURES.get(agent, set())
    calls = [call for run in runs for call in run.expected["tool_calls"]]
    failed = [call for call in calls if call["outcome"] == "failed" and call["op"] not in unreported]
    assert figures == {
        "added": sum(lines_of(run, "added") for run in runs),
        "removed": sum(lines_of(run, "removed") for run in runs),
        "requests": sum(run.expected["requests_ok"] for run in runs),
        "calls": sum(run.expected["tool_calls_ok"] + run.expected["tool_calls_failed_or_denied"] for run in runs),
        "failed": len(failed),
        "refused": 0,
    }
    tools = table(AGENT_TOOL_DAYS, "sum(tool_calls) AS calls, sum(tool_failures) AS failures", slug)[0]
    assert tools == {"calls": figures["calls"], "failures": figures["failed"]}
    # What names no session is handed to the session that it belongs to.
    worked = AgentSession.objects.filter(agent=slug, has_work=True)
    assert sum(worked.values_list("lines_added", flat=True)) == figures["added"]


def model_of(run: Recording) -> str:
    (model,) = {request["model"] for request in run.expected["requests"] if request["main"]}
    return model_name(str(model))


def lines_of(run: Recording, kind: str) -> int:
    totals: dict[str, Any] = run.expected["seen_in_otel"]["metric_totals"]
    counter = f'claude_code.lines_of_code.count {{"type": "{kind}"}}'
    return int(totals.get(counter, run.expected[f"lines_{kind}_by_edit_tools"]))


def table(relation: Relation, columns: str, agent: str, rest: str = "") -> list[dict[str, Any]]:
    return rows(f"SELECT {columns} FROM ({relation.sql}) AS facts WHERE agent = '{agent}' {rest}")
