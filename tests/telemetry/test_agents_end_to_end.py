"""Recordings of every agent, chunked and with a length, shuffled, sent to the real server: totals by agent."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.recordings import Recording, Recordings
from tests.servers import Server
from tests.telemetry.test_agents_recordings import KINDS, SLUGS, UNREPORTED_FAILURES, lines_of, model_of
from tests.telemetry.test_recordings_end_to_end import WEEK, post_twice_and_shuffled, wait_until_folded


def test_every_agent_s_recordings_give_their_totals(server_with_worker: Server, recordings: Recordings) -> None:
    runs = {agent: recordings.of(agent) for agent in SLUGS}
    every = [run for of_agent in runs.values() for run in of_agent]
    post_twice_and_shuffled(server_with_worker, every, random.Random(3))
    wait_until_folded(server_with_worker)

    script = server_with_worker.script()

    def totals(key: str, segment: str, **options: str) -> dict[str, float]:
        answer = script.get(f"/api/v1/metrics/{key}/series/", params={**WEEK, "segment": segment, **options})
        figures: list[dict[str, Any]] = answer.raise_for_status().json()["total"]
        return {figure["segment"][segment]: figure["value"] for figure in figures if figure["value"]}

    assert totals("ai.sessions", "agent") == {SLUGS[agent]: len(of_agent) for agent, of_agent in runs.items()}
    lines = {SLUGS[agent]: sum(lines_of(run, "added") for run in of_agent) for agent, of_agent in runs.items()}
    assert totals("ai.lines_generated", "agent") == lines
    assert totals("ai.error_rate", "agent") == pytest.approx(
        {SLUGS[agent]: error_rate(agent, of_agent) for agent, of_agent in runs.items()}
    )
    for agent, of_agent in runs.items():
        facet = f"agent={SLUGS[agent]}"
        kinds = {kind: tokens(of_agent, name) for kind, name in KINDS.items() if tokens(of_agent, name)}
        assert totals("ai.tokens", "token_kind", facet=facet) == kinds
        (model,) = {model_of(run) for run in of_agent}
        assert totals("ai.tokens", "model", facet=facet) == {model: sum(kinds.values())}


def tokens(runs: list[Recording], name: str) -> int:
    return sum(run.expected["normalized_totals"][name] for run in runs)


def error_rate(agent: str, runs: list[Recording]) -> float:
    calls = [call for run in runs for call in run.expected["tool_calls"]]
    unreported = UNREPORTED_FAILURES.get(agent, set())
    failed = [call for call in calls if call["outcome"] == "failed" and call["op"] not in unreported]
    return 100 * len(failed) / sum(len(run.expected["tool_calls"]) for run in runs)
