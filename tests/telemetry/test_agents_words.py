"""The reading of single records of each agent: refusals, failures, deprecated names, sub-agents, repeated reports."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from integrations.models import AgentRequest, AgentSession, AgentSessionDay
from integrations.telemetry.otlp.store_sessions import forget_identities
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import CHAT, CODEX, COPILOT, GEMINI, VS_CODE, codex_event, outcomes, span, tokens
from tests.telemetry.intake import NOW, SECOND, Intake, Json, counter, json_attributes, log_record, logs, metrics, spans

pytestmark = pytest.mark.django_db

PATCH = "*** Begin Patch\n*** Update File: a.py\n@@\n-one\n+two\n+three\n*** End Patch\n"


def tool_result(output: str, **attributes: Any) -> Json:
    fields = {"tool_name": "exec_command", "call_id": "call_1", "output": output, "success": "true"}
    return codex_event("tool_result", **fields | attributes)


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        ("Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 0\nOutput:\nfine\n", "succeeded"),
        ("Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 3\nOutput:\n", "failed"),
        ("Exit code: -1\nWall time: 0 seconds\nOutput:\n", "failed"),
        # What a command prints is nobody's exit code.
        ("Exit code: 0\nOutput:\nProcess exited with code 9\n", "succeeded"),
        ("Process exited with code 9\n", "succeeded"),
        ('{"output": "no such file", "metadata": {"exit_code": 2, "duration_seconds": 0.1}}', "failed"),
        ('{"output": "fine", "metadata": {"exit_code": 0}}', "succeeded"),
        ('{"metadata": ' + "[" * 100_000, "succeeded"),
    ],
)
def test_a_shell_of_codex_that_ends_non_zero_failed(intake: Intake, output: str, outcome: str) -> None:
    intake.send(logs(tool_result(output), resource=CODEX))
    assert outcomes() == {"call_1": outcome}
    assert intake.dropped == {"output": 1}


@pytest.mark.parametrize(
    ("arguments", "tool", "lines"),
    [
        (PATCH, "apply_patch", (2, 1)),
        (PATCH * 2, "apply_patch", (4, 2)),
        ('{"input": ' + repr(PATCH).replace("'", '"') + "}", "apply_patch", (2, 1)),
        ('{"command": ["bash", "-lc", "apply_patch <<EOF\\n' + PATCH.replace("\n", "\\n") + 'EOF"]}', "shell", (2, 1)),
        ('{"cmd": "cat > patch <<EOF\\n' + PATCH.replace("\n", "\\n") + 'EOF"}', "exec_command", (0, 0)),
        ('{"cmd": "ls"}', "exec_command", (0, 0)),
        ('{"cmd": "*** Begin Patch', "apply_patch", (0, 0)),
    ],
    ids=["a patch", "two patches", "as JSON", "through a shell", "a text that looks like one", "none", "cut off"],
)
def test_the_lines_of_a_patch_of_codex_are_counted(
    intake: Intake, arguments: str, tool: str, lines: tuple[int, int]
) -> None:
    sent = logs(tool_result("", tool_name=tool, arguments=arguments), resource=CODEX)
    for _ in range(2):
        intake.send(sent)
        fold_received_batches()
    session = AgentSession.objects.get()
    added = AgentSessionDay.objects.filter(session=session, source="metrics")
    assert (
        sum(added.values_list("lines_added", flat=True)),
        sum(added.values_list("lines_removed", flat=True)),
    ) == lines
    assert session.lines_added == lines[0]


def test_a_patch_that_failed_wrote_nothing(intake: Intake) -> None:
    intake.send(logs(tool_result("", tool_name="apply_patch", arguments=PATCH, success="false"), resource=CODEX))
    assert outcomes() == {"call_1": "failed"}
    assert AgentSession.objects.get().lines_added == 0


@pytest.mark.parametrize(
    ("decision", "source", "outcome"),
    [
        ("denied", "User", "refused"),
        ("abort", "user", "refused"),
        ("approved", "User", "failed"),
        ("denied", "Config", "failed"),
        ("denied", "AutomatedReviewer", "failed"),
    ],
)
def test_what_a_person_refuses_codex_is_no_failure(intake: Intake, decision: str, source: str, outcome: str) -> None:
    results = [
        codex_event("tool_decision", tool_name="exec_command", call_id="call_1", decision=decision, source=source),
        tool_result("rejected", success="false"),
    ]
    intake.send(logs(*results, resource=CODEX))
    assert outcomes() == {"call_1": outcome}


def test_attempts_of_codex_that_failed_are_no_requests(intake: Intake) -> None:
    attempts = [codex_event("api_request", attempt=n, **{"http.response.status_code": 500 + n}) for n in range(3)]
    completed = codex_event(
        "sse_event", input_token_count="100", cached_token_count=60, output_token_count="7", **{"event.kind": "x"}
    )
    intake.send(logs(*attempts, completed, resource=CODEX))
    assert tokens() == (40, 60, 0, 7)
    assert AgentRequest.objects.count() == 1


def test_gemini_s_thoughts_are_output_and_its_refusals_stand_apart(intake: Intake) -> None:
    def event(name: str, **attributes: Any) -> Json:
        return log_record({"event.name": f"gemini_cli.{name}", "session.id": "g1", **attributes})

    answer = event(
        "api_response",
        model="gemini-2.5-pro",
        input_token_count=1000,
        cached_content_token_count=700,
        output_token_count=50,
        thoughts_token_count=20,
        tool_token_count=5,
    )
    calls = [
        event("tool_call", function_name="replace", success=True, decision="auto_accept"),
        event("tool_call", function_name="replace", success=False, decision="reject"),
        event("tool_call", function_name="replace", success=False, decision="accept", error_type="edit_no_match"),
    ]
    intake.send(logs(answer, *calls, resource=GEMINI))
    assert tokens() == (305, 700, 0, 70)
    assert sorted(outcomes().values()) == ["failed", "refused", "succeeded"]


def test_gemini_s_metrics_alone_give_the_same_four_kinds(intake: Intake) -> None:
    readings = {"input": (600, 1000), "cache": (400, 700), "output": (30, 50), "thought": (10, 20), "tool": (0, 5)}
    for position in range(2):
        points = [
            {
                "startTimeUnixNano": str(NOW - 600 * SECOND),
                "timeUnixNano": str(NOW - 300 * SECOND + position * 120 * SECOND),
                "asInt": values[position],
                "attributes": json_attributes({"session.id": "g1", "type": kind, "model": "gemini-2.5-pro"}),
            }
            for kind, values in readings.items()
        ]
        intake.send(metrics(counter("gemini_cli.token.usage", *points, temporality=2), resource=GEMINI))
    assert tokens() == (305, 700, 0, 70)


def test_the_sums_of_an_agent_count_once_with_its_children(intake: Intake) -> None:
    children = [span("chat", n, parent="aa", **CHAT) for n in (1, 2)]
    whole = span("invoke_agent", 3, gen_ai__usage__input_tokens=200, gen_ai__usage__output_tokens=18)
    for order in itertools.permutations([*children, whole]):
        for sent in order:
            intake.send(spans(sent, resource=COPILOT))
            fold_received_batches()
    assert tokens() == (20, 120, 60, 18)
    assert AgentRequest.objects.count() == 2


@pytest.mark.parametrize("lost", [(), (1,), (0, 3)])
@pytest.mark.parametrize("last_first", [False, True])
def test_the_sums_of_a_turn_over_quarters_of_an_hour_count_once(
    intake: Intake, lost: tuple[int, ...], *, last_first: bool
) -> None:
    """A turn of 50 minutes begins before its requests: its sums are of the time up to its end."""
    begins = NOW - 3600 * SECOND

    def timed(sent: Json, start: int, seconds: int) -> Json:
        moment = begins + start * 60 * SECOND
        return sent | {"startTimeUnixNano": str(moment), "endTimeUnixNano": str(moment + seconds * SECOND)}

    chats = [timed(span("chat", n + 1, parent="aa", **CHAT), 10 * n + 9, 20) for n in range(4)]
    sums: dict[str, Any] = {"gen_ai__usage__input_tokens": 400, "gen_ai__usage__output_tokens": 36}
    whole = timed(span("invoke_agent", 9, **sums), 0, 50 * 60)
    sent = [whole, *(chat for n, chat in enumerate(chats) if n not in lost)]
    for one in sent[::-1] if last_first else sent:
        intake.send(spans(one, resource=COPILOT))
        fold_received_batches()
    assert sum(tokens()) == 436


def test_an_agent_without_children_is_counted_by_its_sums(intake: Intake) -> None:
    """Spans can be lost, or sampled away."""
    intake.send(spans(span("chat", 1, parent="aa", **CHAT), resource=COPILOT))
    intake.send(spans(span("invoke_agent", 2, **{**CHAT, "gen_ai__usage__input_tokens": 500}), resource=COPILOT))
    assert tokens() == (410, 60, 30, 9)


# Billionths of a credit of a cent, and dollars.
@pytest.mark.parametrize(
    ("credits", "dollars"),
    [(750_000_000, "0.0075"), ("1250000000", "0.0125"), (0, "0"), (3, "0"), (5.5e11, "5.5"), (10**14, "1000")],
)
def test_credits_of_copilot_are_its_reported_cost(intake: Intake, credits: Any, dollars: str) -> None:
    intake.send(spans(span("chat", 1, parent="aa", **CHAT, github__copilot__nano_aiu=credits), resource=COPILOT))
    fold_received_batches()
    assert AgentRequest.objects.get().reported_cost == Decimal(dollars)


def test_the_credits_of_an_agent_count_once_with_its_children(intake: Intake) -> None:
    children = [span("chat", n, parent="aa", **CHAT, github__copilot__nano_aiu=n * 10**9) for n in (1, 2)]
    sums: dict[str, Any] = {
        "gen_ai__usage__input_tokens": 200,
        "gen_ai__usage__output_tokens": 18,
        "github__copilot__cost": 1,
    }
    whole = span("invoke_agent", 3, **sums, github__copilot__nano_aiu=3 * 10**9)
    for sent in (children[0], whole, children[1]):
        intake.send(spans(sent, resource=COPILOT))
        fold_received_batches()
    costs = AgentSessionDay.objects.filter(counted=True).values_list("reported_cost", flat=True)
    assert sum(filter(None, costs)) == Decimal("0.03")


def test_credits_that_are_no_amount_put_their_request_alone_in_quarantine(intake: Intake) -> None:
    intake.send(spans(span("chat", 1, **CHAT, github__copilot__nano_aiu=-5), span("chat", 2, **CHAT), resource=COPILOT))
    fold_received_batches()
    assert AgentRequest.objects.count() == 1
    assert intake.reasons == ["github.copilot.nano_aiu is negative."]


def test_a_sub_agent_is_part_of_its_session_and_its_sums_are_not_added(intake: Intake) -> None:
    below = [
        span("chat", 1, parent="aa", **CHAT),
        span("invoke_agent", 2, parent="bb", gen_ai__usage__input_tokens=9000, gen_ai__usage__output_tokens=1),
        span("chat", 3, parent="aa", **CHAT),
        span("invoke_agent", 4, gen_ai__usage__input_tokens=200, gen_ai__usage__output_tokens=18),
    ]
    intake.send(spans(*below, resource=COPILOT))
    assert tokens() == (20, 120, 60, 18)
    assert AgentSession.objects.filter(has_work=True).count() == 1


def test_the_lines_of_a_window_go_to_the_conversation_of_that_time(intake: Intake) -> None:
    """VS Code's metrics name the window alone, in which one conversation follows another."""
    minute = 60 * SECOND

    def chat(conversation: str, minutes_ago: int) -> Json:
        sent = span("chat", minutes_ago, **CHAT)
        sent |= {
            "startTimeUnixNano": str(NOW - minutes_ago * minute),
            "endTimeUnixNano": str(NOW - minutes_ago * minute + 1),
        }
        sent["attributes"] = [*sent["attributes"][1:], *json_attributes({"gen_ai.conversation.id": conversation})]
        return spans(sent, resource=VS_CODE)

    def lines(reading: int, minutes_ago: int) -> Json:
        reached = {
            "startTimeUnixNano": str(NOW - 300 * minute),
            "timeUnixNano": str(NOW - minutes_ago * minute),
            "asInt": reading,
            "attributes": json_attributes({"type": "added"}),
        }
        return metrics(counter("copilot_chat.lines_of_code.count", reached, temporality=2), resource=VS_CODE)

    records = [chat("first", 200), lines(10, 190), chat("second", 100), lines(10, 95), lines(17, 60), lines(17, 30)]
    for order in itertools.islice(itertools.permutations(records), 0, None, 97):
        AgentSession.objects.all().delete()
        forget_everything()
        for sent in order:
            intake.send(sent)
            fold_received_batches()
        worked = AgentSession.objects.filter(has_work=True)
        assert dict(worked.values_list("external_id", "lines_added")) == {"first": 10, "second": 7}
        assert sum(AgentSessionDay.objects.values_list("lines_added", flat=True)) == 17


def test_windows_of_one_name_of_two_people_are_two(intake: Intake) -> None:
    """Some name a process by its number on the machine, which another machine gives as well."""

    def requests_of(person: str) -> list[Json]:
        program = {**VS_CODE, "enduser.id": f"{person}@example.com"}
        chat = span("chat", trace=f"{ord(person[0]):032x}", **{**CHAT, "gen_ai__conversation__id": f"of {person}"})
        lines = counter("copilot_chat.lines_of_code.count", one_point(len(person)) | {"attributes": ADDED})
        return [spans(chat, resource=program), metrics(lines, resource=program)]

    for sent in [*requests_of("ada"), *requests_of("grace"), requests_of("ada")[0]]:
        intake.send(sent)
        fold_received_batches()
    worked = AgentSession.objects.filter(has_work=True)
    assert dict(worked.values_list("external_id", "lines_added")) == {"of ada": 3, "of grace": 5}


def test_a_conversation_in_two_windows_keeps_the_counts_of_both(intake: Intake) -> None:
    """Counts from the second window stay when a neighbour in the first one continues."""

    def chat(conversation: str, window: str, number: int) -> Json:
        sent = span("chat", number, **{**CHAT, "gen_ai__conversation__id": conversation})
        return spans(sent, resource={**VS_CODE, "session.id": window})

    def lines(window: str, count: int) -> Json:
        point = one_point(count) | {"attributes": ADDED}
        return metrics(counter("copilot_chat.lines_of_code.count", point), resource={**VS_CODE, "session.id": window})

    records = [chat("moved", "first", 1), chat("moved", "second", 2), lines("second", 6), chat("stayed", "first", 3)]
    for sent in [*records, chat("stayed", "first", 4)]:
        intake.send(sent)
        fold_received_batches()
    worked = AgentSession.objects.filter(has_work=True)
    assert dict(worked.values_list("external_id", "lines_added")) == {"moved": 6, "stayed": 0}
    assert sum(AgentSessionDay.objects.values_list("lines_added", flat=True)) == 6


@pytest.mark.parametrize("later", ["lines", "tokens"])
def test_a_conversation_keeps_the_lines_of_its_window_when_another_window_reports(intake: Intake, later: str) -> None:
    """A report of another window is compared with all nearby activity of the person's agent."""

    def chat(window: str, number: int) -> Json:
        sent = span("chat", number, **{**CHAT, "gen_ai__conversation__id": f"in {window}"})
        return spans(sent, resource={**VS_CODE, "session.id": window})

    def report(name: str, window: str, count: int, kind: str) -> Json:
        point = one_point(count) | {"attributes": json_attributes(dict([kind.split("=")]))}
        return metrics(counter(name, point), resource={**VS_CODE, "session.id": window})

    lines = report("copilot_chat.lines_of_code.count", "first", 6, "type=added")
    more = {
        "lines": report("copilot_chat.lines_of_code.count", "second", 4, "type=added"),
        "tokens": report("gen_ai.client.token.usage", "second", 50, "gen_ai.token.type=output"),
    }
    for sent in [chat("first", 1), lines, chat("second", 2), more[later]]:
        intake.send(sent)
        fold_received_batches()
    worked = AgentSession.objects.filter(has_work=True)
    expected = {"in first": 6, "in second": 4 if later == "lines" else 0}
    assert dict(worked.values_list("external_id", "lines_added")) == expected
    assert sum(AgentSessionDay.objects.values_list("lines_added", flat=True)) == sum(expected.values())


def forget_everything() -> None:
    forget_identities()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE integrations_agent_event, integrations_agent_point")


def test_lines_of_a_process_without_a_conversation_are_the_person_s(intake: Intake) -> None:
    intake.send(metrics(counter("github.copilot.code.lines_added", one_point(4)), resource=COPILOT))
    fold_received_batches()
    assert not AgentSession.objects.filter(has_work=True).exists()
    assert sum(AgentSessionDay.objects.values_list("lines_added", flat=True)) == 4


ADDED = json_attributes({"type": "added"})


def one_point(value: int) -> Json:
    return {"startTimeUnixNano": str(NOW - SECOND), "timeUnixNano": str(NOW), "asInt": value, "attributes": []}


@pytest.mark.parametrize(
    ("attributes", "outcome"),
    [
        ({"process__exit__code": 0}, "succeeded"),
        ({"process__exit__code": 3}, "failed"),
        ({}, "succeeded"),
        ({"error__type": "ToolError"}, "failed"),
    ],
)
def test_a_tool_of_copilot_with_an_exit_code_is_what_the_code_says(
    intake: Intake, attributes: dict[str, Any], outcome: str
) -> None:
    call = span("execute_tool", gen_ai__tool__name="bash", gen_ai__tool__call__id="call_1", **attributes)
    intake.send(spans(call, resource=COPILOT))
    assert outcomes() == {"call_1": outcome}
