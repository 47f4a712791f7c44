"""Small histories with their figures worked out by hand, from OTLP and git to metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from insights.engine.read import read_totals
from insights.query.query import Dimension, Query, Window
from integrations.code.attribution.tasks import attribute_pending
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.code.git.repositories import Repo, lines
from tests.code.git.tables import sync
from tests.telemetry.intake import (
    CLAUDE,
    NOW,
    SECOND,
    Intake,
    Json,
    counter,
    json_attributes,
    log_record,
    logs,
    metrics,
    spans,
)

pytestmark = pytest.mark.django_db
DAY = datetime.fromtimestamp(NOW // SECOND, UTC).replace(hour=0, minute=0, second=0) - timedelta(days=2)
OPUS = "claude-opus-4-8"  # dollars per million: input 5, cache read 0.5, output 25
SONNET = "claude-sonnet-5"  # input 2, cache read 0.2, write 2.5, write kept an hour 4, output 10
REGIONAL = "eu.anthropic.claude-sonnet-5-v1:0"  # at Bedrock: input 2.2, read 0.22, write 2.75, an hour 4.4, output 11
HEAD = "vcs.ref.head.revision"
PROGRAM = {"service.name": "opencode", "service.version": "1.4.0", "enduser.id": "ada@example.com"}


def moment(clock: str) -> datetime:
    hour, minute = clock.split(":")
    return DAY + timedelta(hours=int(hour), minutes=int(minute))


def nanoseconds(clock: str) -> str:
    return str(int(moment(clock).timestamp()) * 1_000_000_000)


def figure(key: str, **segment: Dimension) -> Any:
    window = Window(DAY.date(), DAY.date() + timedelta(days=1))
    (answer,) = read_totals([Query(key, window, segments=tuple(segment.values()))])
    if segment:
        (dimension,) = segment.values()
        return {row.segment[dimension]: row.value for row in answer.total if row.value}
    return answer.total[0].value


def record(name: str, clock: str, session: str, **attributes: Any) -> Json:
    sent = {"event.name": name, "session.id": session, "enduser.id": "ada@example.com", **attributes}
    return log_record(sent, timeUnixNano=nanoseconds(clock))


def request(clock: str, session: str, **attributes: Any) -> Json:
    key = {"request_id": f"{session} {clock}", "input_tokens": 0, "output_tokens": 0, "model": OPUS}
    return record("api_request", clock, session, **{**key, **attributes})


def span(
    name: str, number: int, clock: str, attributes: Mapping[str, Any], *, above: int = 0, failed: bool = False
) -> Json:
    began = int(nanoseconds(clock))
    return {
        "name": name,
        "traceId": "5a" * 16,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{above:016x}" if above else "",
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + 1_000_000_000),
        "attributes": json_attributes(attributes),
        **({"status": {"code": 2}} if failed else {}),
    }


def attest(repo: Repo, sha: str, path: str, count: int) -> None:
    """A git-ai note of the first lines of a file."""
    session = {"s_0011223344556677": {"agent_id": {"tool": "cursor", "id": "n1"}}}
    described = json.dumps({"schema_version": "authorship/3.0.0", "sessions": session})
    text = f"{path}\n  s_0011223344556677 1-{count}\n---\n{described}"
    repo.git("notes", "--ref=ai", "add", "--message", text, sha, signed=repo.signed())


def derive() -> None:
    fold_received_batches()
    attribute_pending()


def test_in_a_quarter_of_an_hour_the_channel_that_reports_more_counts(intake: Intake) -> None:
    """Output by quarter: 40 and 40, 300 and 120, none and 75, 10 and 210: 625, which cost $0.015625 at $25."""
    for clock, tokens in (("14:05", 40), ("14:20", 300), ("14:50", 10)):
        intake.send(logs(request(clock, "h", output_tokens=tokens)))
    for clock, tokens in (("14:06", 40), ("14:21", 120), ("14:41", 75), ("14:52", 210)):
        said = {"type": "output", "model": OPUS, "session.id": "h", "enduser.id": "ada@example.com"}
        began = str(int(nanoseconds(clock)) - 60 * 1_000_000_000)
        reading = {"asDouble": tokens, "startTimeUnixNano": began, "timeUnixNano": nanoseconds(clock)}
        intake.send(metrics(counter("claude_code.token.usage", {**reading, "attributes": json_attributes(said)})))
    derive()
    assert figure("ai.tokens") == 625
    assert figure("ai.spend") == pytest.approx(0.015625)
    assert figure("ai.sessions") == 1


def test_two_instruments_of_one_call_are_one_request(intake: Intake) -> None:
    """Prompts of 9,000 (6,000 cached) and 5,000 (2,000 cached), output 400 and 100; the other instrument knows the
    first call's cache alone.  6,000 in at $2, 8,000 cached at $0.20 and 500 out at $10 cost $0.0186.
    """
    session = {"ai.telemetry.metadata.sessionId": "ses_h"}
    seller = {"ai.model.id": SONNET, "ai.model.provider": "anthropic.messages"}

    def sdk(prompt: int, cached: int, output: int) -> Json:
        counts = {"inputTokens": prompt, "cachedInputTokens": cached, "outputTokens": output}
        return {**session, **seller, **{f"ai.usage.{name}": count for name, count in counts.items()}}

    def other(prompt: int, output: int, **more: Any) -> Json:
        said = {"gen_ai.system": "anthropic", "gen_ai.operation.name": "chat", "gen_ai.request.model": SONNET}
        return {**session, **said, "gen_ai.usage.input_tokens": prompt, "gen_ai.usage.output_tokens": output, **more}

    records = [
        span("ai.streamText", 1, "10:00", {"ai.operationId": "ai.streamText", **sdk(14_000, 8_000, 500)}),
        span(
            "ai.streamText.doStream",
            2,
            "10:00",
            {"ai.operationId": "ai.streamText.doStream", **sdk(9_000, 6_000, 400)},
            above=1,
        ),
        span("chat", 3, "10:00", other(9_000, 400, **{"gen_ai.usage.cache_read_input_tokens": 6_000}), above=2),
        span(
            "ai.streamText.doStream",
            4,
            "10:00",
            {"ai.operationId": "ai.streamText.doStream", **sdk(5_000, 2_000, 100)},
            above=1,
        ),
        span("chat", 5, "10:00", other(5_000, 100), above=4),
    ]
    for one in records[::-1]:
        intake.send(spans(one, resource=PROGRAM))
    derive()
    assert figure("ai.tokens") == 14_500
    assert figure("ai.cache_hit_rate") == pytest.approx(100 * 8 / 14)
    assert figure("ai.spend") == pytest.approx(0.0186)
    assert figure("ai.sessions") == 1


def test_a_copied_note_counts_for_the_commit_whose_lines_it_attests(tmp_path: Path) -> None:
    """An agent's 8 lines, picked to another branch with the note; 6 lines of a person, to which the note was copied as
    well: 8 of 14.
    """
    repo = Repo.create(tmp_path / "till")
    repo.commit({"README": ""}, "Begin", at=DAY - timedelta(days=30))
    repo.branch("work")
    written = repo.commit({"x.py": lines(8, "x")}, "By an agent", at=moment("09:00"))
    agent = {"s_0011223344556677": {"agent_id": {"tool": "cursor", "id": "n1"}}}
    text = (
        f"x.py\n  s_0011223344556677 1-8\n---\n{json.dumps({'schema_version': 'authorship/3.0.0', 'sessions': agent})}"
    )
    repo.git("notes", "--ref=ai", "add", "--message", text, written, signed=repo.signed())
    repo.switch("main")
    by_hand = repo.commit({"y.py": lines(6, "y")}, "By hand", at=moment("10:00"))
    repo.git("cherry-pick", written, signed=repo.signed(committed_at=moment("11:00")))
    for copy in (repo.head, by_hand):
        repo.git("notes", "--ref=ai", "copy", written, copy, signed=repo.signed())
    sync(repo)
    assert figure("ai.lines_committed") == 8
    assert figure("ai.committed_code_share") == pytest.approx(100 * 8 / 14)


def test_a_split_of_cache_writes_is_believed_where_it_adds_up(intake: Intake) -> None:
    """200,000 writes for five minutes and 500,000 for an hour, 30,000 in, 900,000 read, 12,000 out, at Bedrock: 0.55 +
    2.2 + 0.066 + 0.198 + 0.132 = $3.146.  Of 300,000 writes, a split of 200,000 is none: five minutes, $0.75 at $2.50,
    and up to $0.45 more.
    """
    split = {"cache_creation_tokens": 700_000, "cache_creation_5m_tokens": 200_000, "cache_creation_1h_tokens": 500_000}
    rest = {"input_tokens": 30_000, "cache_read_tokens": 900_000, "output_tokens": 12_000}
    intake.send(logs(request("09:00", "a", model=REGIONAL, **split, **rest, **{"anthropic.provider": "bedrock"})))
    wrong = {"cache_creation_tokens": 300_000, "cache_creation_5m_tokens": 100_000, "cache_creation_1h_tokens": 100_000}
    intake.send(logs(request("11:00", "b", model=SONNET, **wrong, **{"anthropic.provider": "firstParty"})))
    derive()
    assert figure("ai.spend") == pytest.approx(3.146 + 0.75)
    assert figure("ai.cache_hour_surcharge") == pytest.approx(0.45)
    by_provider = figure("ai.spend_by_part", by=Dimension.PROVIDER)
    assert by_provider == {"bedrock": pytest.approx(3.146), "direct": pytest.approx(0.75)}


def test_a_failed_status_fails_a_call_where_nothing_else_says_how_it_ended(intake: Intake) -> None:
    """Seven calls: three ended well, one with the status although it says that it succeeded; two failed by the status
    alone, and one by its exit code: 3 of 7.
    """
    signs: list[tuple[Json, bool]] = [({}, False), ({}, False), ({}, False), ({"success": True}, True)]
    signs += [({}, True), ({}, True), ({"process.exit.code": 2}, False)]
    for number, (said, failed) in enumerate(signs, start=1):
        call = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.conversation.id": "c",
            "gen_ai.tool.name": "shell",
            **said,
        }
        intake.send(spans(span("execute_tool shell", number, "09:30", call, failed=failed), resource=PROGRAM))
    derive()
    assert figure("ai.tool_calls") == 7
    assert figure("ai.error_rate") == pytest.approx(100 * 3 / 7)


def test_a_commit_that_an_agent_names_is_its_session_s(intake: Intake, tmp_path: Path) -> None:
    """12 lines named in full, 9 by nine digits, 7 over another agent's trailer; of 10 a note attests 4 to Cursor, and 5
    are by hand: 32 of 43.  Of sessions of $0.25, $0.50 and $1, the last named no commit.
    """
    repo = Repo.create(tmp_path / "till")
    repo.commit({"README": ""}, "Begin", at=DAY - timedelta(days=30))
    one = repo.commit({"one.py": lines(12, "one")}, "One", at=moment("10:10"))
    two = repo.commit({"two.py": lines(9, "two")}, "Two", at=moment("10:20"))
    trailer = "Three\n\nCo-authored-by: Copilot <copilot@github.com>"
    three = repo.commit({"three.py": lines(7, "three")}, trailer, at=moment("10:30"))
    four = repo.commit({"four.py": lines(10, "four")}, "Four", at=moment("10:40"))
    attest(repo, four, "four.py", 4)
    repo.commit({"five.py": lines(5, "five")}, "Five", at=moment("10:50"))
    sync(repo)
    for session, output in (("p", 10_000), ("q", 20_000), ("r", 40_000)):
        intake.send(logs(request("10:00", session, output_tokens=output), request("10:55", session)))
    named = [("p", "10:10", one), ("q", "10:20", two[:9]), ("p", "10:30", three), ("p", "10:40", four)]
    for session, clock, sha in named:
        made = {"tool_name": "Bash", "tool_use_id": f"{session} {clock}", "success": "true", HEAD: sha}
        intake.send(
            logs(record("tool_result", clock, session, **made), resource={**CLAUDE, "service.version": "2.1.332"})
        )
    derive()
    assert figure("ai.lines_committed", by=Dimension.AGENT) == {"claude_code": 28, "cursor": 4}
    assert figure("ai.committed_code_share") == pytest.approx(100 * 32 / 43)
    assert figure("ai.spend_committed") == pytest.approx(0.75)
