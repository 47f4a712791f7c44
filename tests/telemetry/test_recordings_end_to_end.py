"""A recording of a real agent, posted twice and shuffled to the real server, gives exactly the true totals."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from insights.ui.wording import reading
from integrations.models import ReceivedBatch
from tests.patience import wait_until
from tests.personas import MEMBER
from tests.recordings import Recording, Recordings
from tests.servers import Server
from tests.wire import post_chunked, post_with_length

WEEK = {"from": "2026-11-16", "to": "2026-11-23"}  # in which the runs were recorded
TILES = {
    "ai.active_developers": "count",
    "ai.sessions": "count",
    "ai.tokens": "count",
    "ai.spend": "currency",
    "ai.reported_cost": "currency",
    "ai.cache_hit_rate": "percent",
    "ai.error_rate": "percent",
}
SUMS = ("ai.tokens", "ai.lines_generated", "ai.spend", "ai.sessions")
METRICS = (
    *("ai.tokens", "ai.sessions", "ai.active_developers", "ai.lines_generated"),
    *("ai.cache_hit_rate", "ai.error_rate", "ai.spend", "ai.reported_cost"),
)


@pytest.mark.soak  # in `make test` once through a server, test_agents_end_to_end.py, and shuffled without one
@pytest.mark.parametrize("seed", range(1, 12))
def test_every_recording_twice_and_shuffled_gives_its_totals(
    server_with_worker: Server, recordings: Recordings, seed: int
) -> None:
    check_totals(server_with_worker, recordings, random.Random(seed))


def check_totals(server: Server, recordings: Recordings, order: random.Random) -> None:
    runs = recordings.of("claude-code")
    post_twice_and_shuffled(server, runs, order)
    wait_until_folded(server)

    expected = totals_of(runs)
    assert totals_in_api(server) == pytest.approx(expected)
    assert totals_of_command(server) == pytest.approx(expected)
    printed = {key: str(reading(expected[key], unit)) for key, unit in TILES.items()}
    member = server.browse(as_=MEMBER)
    wait_until(
        lambda: figures_on_page(member).items() >= printed.items(),
        what=f"the page shows {printed}",
    )
    assert sums_of_rows(member) == pytest.approx({key: expected[key] for key in SUMS})


def post_twice_and_shuffled(server: Server, runs: Sequence[Recording], order: random.Random) -> None:
    deliveries = [
        (post, request) for run in runs for request in run.requests for post in (post_chunked, post_with_length)
    ]
    order.shuffle(deliveries)
    for post, request in deliveries:
        headers = {**request.headers, "Authorization": f"Bearer {server.ingest_token}"}
        assert post(server.url + request.path, request.body, headers) == 200


def wait_until_folded(server: Server) -> None:
    with server.database():
        wait_until(lambda: not ReceivedBatch.objects.exists(), what="the worker folds every batch")


def totals_of(runs: Sequence[Recording]) -> dict[str, float]:
    """The truth, from the recordings' expected.json, as metric keys (with the segment where there is one)."""

    def over_runs(*path: str) -> float:
        return sum(_at(run.expected, path) for run in runs)

    tokens = {
        kind: over_runs("normalized_totals", name)
        for kind, name in {
            "input": "uncached_input",
            "cache_read": "cache_read",
            "cache_write": "cache_write",
            "output": "output_including_reasoning",
        }.items()
    }
    prompt_tokens = tokens["input"] + tokens["cache_read"] + tokens["cache_write"]
    failed = over_runs("tool_calls_failed_or_denied")
    cost = over_runs("seen_in_otel", "metric_totals", "claude_code.cost.usage {}")
    return {
        **{f"ai.tokens {kind}": amount for kind, amount in tokens.items()},
        "ai.tokens": sum(tokens.values()),
        "ai.sessions": len(runs),
        "ai.active_developers": 1,
        "ai.lines_generated": over_runs(
            "seen_in_otel", "metric_totals", 'claude_code.lines_of_code.count {"type": "added"}'
        ),
        "ai.cache_hit_rate": tokens["cache_read"] / prompt_tokens * 100,
        "ai.error_rate": failed / (failed + over_runs("tool_calls_ok")) * 100,
        "ai.spend": cost,  # the recorded model's list price is what the agent reckons with
        "ai.reported_cost": cost,
    }


def totals_in_api(server: Server) -> dict[str, float]:
    script = server.script()

    def series(key: str, **options: str) -> dict[str, Any]:
        answer = script.get(f"/api/v1/metrics/{key}/series/", params={**WEEK, **options}).raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    return _totals({key: series(key) for key in METRICS}, series("ai.tokens", segment="token_kind"))


def totals_of_command(server: Server) -> dict[str, float]:
    def series(key: str, *options: str) -> dict[str, Any]:
        window = ("--from", WEEK["from"], "--to", WEEK["to"])
        answer: dict[str, Any] = json.loads(server.manage("metric", key, *window, *options, "--json"))
        return answer

    return _totals({key: series(key) for key in METRICS}, series("ai.tokens", "--segment", "token_kind"))


def figures_on_page(member: httpx.Client) -> dict[str, str]:
    """The figures of the AI page's tiles, by metric."""
    tabs = ("adoption", "spend", "usage")
    page = "".join(member.get(f"/insights/ai/{tab}/", params=WEEK).raise_for_status().text for tab in tabs)
    figures = re.findall(r'data-tile="([^"]+)".*?class="hw-val[^"]*">(.*?)</span>', page, re.DOTALL)
    return {key: figure.replace("<small>", "").replace("</small>", "") for key, figure in figures}


def sums_of_rows(member: httpx.Client) -> dict[str, float]:
    """The sums of the rows behind the figures, from the file that "Show the rows" offers."""
    sums = {}
    for key in SUMS:
        answer = member.get(f"/insights/metrics/{key}/rows.csv", params=WEEK).raise_for_status()
        rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        sums[key] = sum(float(row["Contribution"]) for row in rows)
    return sums


def _totals(answers: dict[str, dict[str, Any]], by_token_kind: dict[str, Any]) -> dict[str, float]:
    """One number per metric: its total, which the buckets of a sum must add up to."""
    for key in ("ai.tokens", "ai.sessions", "ai.lines_generated", "ai.spend"):
        answer = answers[key]
        assert sum(bucket["value"] or 0 for bucket in answer["series"]) == pytest.approx(answer["total"][0]["value"])
    kinds = {f"ai.tokens {figure['segment']['token_kind']}": figure["value"] for figure in by_token_kind["total"]}
    return {key: answer["total"][0]["value"] for key, answer in answers.items()} | kinds


def _at(document: dict[str, Any], path: tuple[str, ...]) -> float:
    value: Any = document
    for name in path:
        value = value[name]
    return float(value)
