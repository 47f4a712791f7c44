"""Recorded runs of real agents, of which a later version lacks something: reported on the same day, or the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations.models import AgentSession, Silence
from integrations.silence.signals import SIGNALS
from integrations.silence.watch import watch
from tests.org import Org
from tests.recordings import Recordings
from tests.silence.replay import Drop, all_metrics, attribute, event, metric, nothing, session_of, together

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)  # a Thursday
PEOPLE = ("ada", "grace", "hedy", "lise", "radia")
CLAUDE_CODE, CODEX, GEMINI = (
    ("claude-code", "claude-full-pb"),
    ("codex", "codex-full-pb"),
    ("gemini-cli", "gemini-full"),
)

Run = Callable[..., None]


@pytest.fixture
def run(org: Org, recordings: Recordings) -> Run:
    """Sessions of a recorded run, by several people, so many hours before noon."""

    def sessions(
        name: tuple[str, str],
        version: str,
        *,
        hours: float,
        count: int = 10,
        people: int = 5,
        drop: Drop = nothing,
    ) -> None:
        recording = next(run for run in recordings.of(name[0]) if run.name == name[1])
        requests = together(
            session_of(
                recording,
                by=PEOPLE[number % people],
                at=NOON - timedelta(hours=hours, minutes=number),
                version=version,
                drop=drop,
            )
            for number in range(count)
        )
        for path, message in requests.items():
            org.send(path, message)
        org.fold()

    return sessions


def open_silences() -> list[tuple[str, str, str]]:
    return sorted(Silence.objects.open().values_list("agent", "version", "signal"))


def test_a_recorded_run_has_the_signals_that_it_shows(run: Run) -> None:
    run(CLAUDE_CODE, "2.1.197", hours=48)
    run(CLAUDE_CODE, "2.2.0", hours=2)
    assert watch(NOON) == 0
    assert set(AgentSession.objects.values_list("agent_version", flat=True)) == {"2.1.197", "2.2.0"}


@pytest.mark.parametrize(
    ("drop", "signals"),
    [
        (metric("claude_code.lines_of_code.count"), {"lines"}),
        (all_metrics, {"metrics"}),
        (event("tool_result"), {"tool_calls"}),
        (event("api_request"), {"event_tokens"}),
        (attribute("session.id"), {"session_id"}),
        (attribute("enduser.id"), {"author"}),
        (attribute("service.version", "app.version"), {"version"}),
        (attribute("cache_read_tokens"), set()),  # its metrics say it
    ],
)
def test_what_a_newer_claude_code_lacks_is_noticed_on_its_first_day(run: Run, drop: Drop, signals: set[str]) -> None:
    run(CLAUDE_CODE, "2.1.197", hours=48)
    run(CLAUDE_CODE, "2.2.0", hours=2, drop=drop)
    watch(NOON)
    assert {signal for _, _, signal in open_silences()} == signals


@pytest.mark.parametrize(
    ("name", "agent", "drop", "signal"),
    [
        (CODEX, "codex", attribute("input_token_count", "input_tokens", "gen_ai.usage.input_tokens"), "input_tokens"),
        (CODEX, "codex", event("codex.tool_result"), "tool_calls"),
        (GEMINI, "gemini", event("gemini_cli.tool_call"), "tool_calls"),
    ],
)
def test_no_agent_has_code_of_its_own(run: Run, name: tuple[str, str], agent: str, drop: Drop, signal: str) -> None:
    run(name, "0.58.0", hours=48)
    assert watch(NOON) == 0
    run(name, "0.60.0", hours=2, drop=drop)
    watch(NOON)
    assert (agent, signal) in {(agent, signal) for agent, _, signal in open_silences()}


def test_builds_of_one_version_are_that_version(run: Run) -> None:
    run(CLAUDE_CODE, "2.1.197", hours=48)
    for number, build in enumerate(("2.2.0+4f2a", "2.2.0-beta.3", "v2.2.0 (build 9)")):
        run(CLAUDE_CODE, build, hours=2 + number, count=4, drop=all_metrics)
    watch(NOON)
    assert open_silences() == [("claude_code", "2.2.0", "metrics")]


def test_it_is_noticed_once_and_ends_when_it_returns(run: Run) -> None:
    run(CLAUDE_CODE, "2.1.197", hours=72)
    run(CLAUDE_CODE, "2.2.0", hours=26, drop=all_metrics)
    assert watch(NOON) == 1
    run(CLAUDE_CODE, "2.2.0", hours=2, count=4, drop=all_metrics)
    assert watch(NOON) == 0
    [silence] = Silence.objects.all()
    assert (silence.since.isoformat(), silence.sessions, silence.version_before) == ("2026-11-18", 14, "2.1.197")
    run(CLAUDE_CODE, "2.2.0", hours=3)
    assert watch(NOON) == 0
    assert open_silences() == []
    silence.refresh_from_db()
    assert silence.end == Silence.End.RETURNED


def test_it_ends_with_the_version(run: Run) -> None:
    run(CLAUDE_CODE, "2.1.197", hours=48)
    run(CLAUDE_CODE, "2.2.0", hours=2, drop=all_metrics)
    watch(NOON)
    watch(NOON + timedelta(days=20))
    assert Silence.objects.get().end == Silence.End.UNUSED


def test_sessions_of_a_clock_that_is_ahead_are_judged_in_their_time(run: Run) -> None:
    run(CLAUDE_CODE, "2.1.197", hours=48)
    run(CLAUDE_CODE, "2.2.0", hours=-6, drop=all_metrics)
    assert watch(NOON) == 0
    assert watch(NOON + timedelta(hours=8)) == 1


def test_sessions_that_have_just_started_are_not_judged(run: Run) -> None:
    run(CLAUDE_CODE, "2.1.197", hours=48)
    run(CLAUDE_CODE, "2.2.0", hours=0.5, drop=all_metrics)
    assert watch(NOON) == 0


def test_a_small_organisation_hears_of_it_the_next_day(run: Run) -> None:
    for days_ago in (2, 3, 4):
        run(CLAUDE_CODE, "2.1.197", hours=24 * days_ago, count=4, people=2)
    run(CLAUDE_CODE, "2.2.0", hours=2, count=4, people=2, drop=all_metrics)
    assert watch(NOON) == 0
    assert watch(NOON + timedelta(hours=13)) == 1  # after midnight


def test_every_signal_names_metrics_that_are_there() -> None:
    from insights.catalogue.registry import get

    assert all(get(key) for signal in SIGNALS.values() for key in signal.metrics)
    assert all(part in SIGNALS for signal in SIGNALS.values() for part in signal.part_of)
