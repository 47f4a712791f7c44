"""A commit that an agent names with the tool call that made it is its session's, however it is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from integrations.code.attribution.notes import sync_notes
from integrations.code.attribution.tasks import attribute_pending
from integrations.models import AgentSession, Commit, CommitEvidence, Method, Repository
from integrations.outbox.attribution_queue import enqueue_commits
from integrations.telemetry.sessions.fold import fold_received_batches
from orgtree.models import Organisation
from tests.code.attribution.test_notes import HUMAN, written
from tests.code.attribution.world import DAY, at, attributed, commit, note, trailer
from tests.telemetry.agent_records import CHAT, COPILOT, span
from tests.telemetry.intake import CLAUDE, Intake, Json, log_record, logs, spans, stored_text

pytestmark = pytest.mark.django_db
URL, HEAD = "vcs.repository.url.full", "vcs.ref.head.revision"
REMOTE = "github.com/acme/shop"


def yesterday() -> int:
    """Days since the world's first."""
    return (datetime.now(DAY.tzinfo) - DAY).days - 1


def nanoseconds(clock: str) -> str:
    return str(int(at(clock, yesterday()).timestamp()) * 1_000_000_000)


def record(name: str, clock: str, session: str = "s", **attributes: Any) -> Json:
    sent = {"event.name": name, "session.id": session, "enduser.id": "ada@example.com", **attributes}
    return log_record({key.replace("__", "."): value for key, value in sent.items()}, timeUnixNano=nanoseconds(clock))


def request(clock: str, session: str = "s", **attributes: Any) -> Json:
    key = {"request_id": f"{session} {clock}", "input_tokens": 1, "output_tokens": 100, "model": "sonnet"}
    return record("api_request", clock, session, **{**key, **attributes})


def call(clock: str, named: Mapping[str, Any], session: str = "s") -> Json:
    made = {"tool_name": "Bash", "tool_use_id": f"{session} {clock}", "success": "true"}
    return record("tool_result", clock, session, **made, **named)


def send(intake: Intake, *records: Json, **resource: Any) -> None:
    intake.send(logs(*records, resource={**CLAUDE, **resource}))
    fold_received_batches()
    attribute_pending()


def made(name: str, clock: str, lines: int = 10) -> Commit:
    return commit(name, clock, {f"{name}.py": lines}, day=yesterday())


def sessions_named() -> dict[str, str]:
    """The subject's commit → the session that named it."""
    found = CommitEvidence.objects.filter(method=Method.NAMED, withdrawn_at=None).select_related("session", "commit")
    return {row.commit.sha: row.session.external_id if row.session else "" for row in found}


@pytest.mark.parametrize("digits", [7, 8, 11, 39, 40])
@pytest.mark.parametrize("capital", [False, True])
@pytest.mark.parametrize("repository", ["", f"https://{REMOTE}", "https://github.com/acme/other"])
def test_in_whatever_length_and_wherever_it_is_named(
    intake: Intake, digits: int, capital: bool, repository: str
) -> None:
    """A shortened one needs a repository that is known, or none."""
    one = made("one", "10:10")
    Repository.objects.update(remote=REMOTE)
    sha = one.sha[:digits].upper() if capital else one.sha[:digits]
    place = {URL: repository} if repository else {}
    send(intake, request("10:00", **place), call("10:10", {HEAD: sha, **place}), request("10:20", **place))
    is_known = digits == 40 or not repository.endswith("other")
    assert sessions_named() == ({one.sha: "s"} if is_known else {})
    assert attributed() == ({("claude_code", "s"): {"one.py": 10}} if is_known else {})


@pytest.mark.parametrize(
    "named",
    [
        lambda sha: {HEAD: sha, "vcs.ref.head.name": "tea", "vcs.ref.head.type": "branch"},
        lambda sha: {"tool_parameters": json.dumps({"bash_command": "git", "git_commit_id": sha[:7]})},
        lambda sha: {"tool_parameters": json.dumps({"full_command": "git commit -m secret", "git_commit_id": sha})},
        lambda sha: {"tool_parameters": json.dumps({"git_commit_id": sha[:9]}), HEAD: sha},
        lambda sha: {"tool_parameters": json.dumps({"git_commit_id": sha[:9]}), HEAD: "0" * 40},
        lambda sha: {"vcs.repository.ref.revision": sha},
    ],
)
def test_by_whichever_attribute(intake: Intake, named: Any) -> None:
    one = made("one", "10:10")
    send(intake, request("10:00"), call("10:10", named(one.sha)))
    assert sessions_named() == {one.sha: "s"}
    assert "secret" not in stored_text()
    assert intake.dropped == ({"tool_parameters": 1} if "tool_parameters" in named(one.sha) else {})


@pytest.mark.parametrize(
    "parameters",
    ["", "{", "[]", "7", '{"git_commit_id": 7}', '{"git_commit_id": "HEAD"}', '{"git_commit_id": "abc"}', "[" * 9_000],
)
def test_parameters_that_name_no_commit_cost_the_record_nothing(intake: Intake, parameters: str) -> None:
    send(intake, call("10:10", {"tool_parameters": parameters + " git_commit_id"}), call("10:11", {HEAD: 7}))
    assert (len(intake.events), intake.reasons, sessions_named()) == (2, [], {})


@pytest.mark.parametrize(
    "parameters",
    [
        {"full_command": 'echo \'{"git_commit_id": "SHA"}\''},
        {"full_command": "git log git_commit_id SHA"},
        {"options": {"git_commit_id": "SHA"}},
        [{"git_commit_id": "SHA"}],
        {"git_commit_id": ["SHA"]},
    ],
)
def test_what_a_command_prints_or_another_object_holds_names_no_commit(intake: Intake, parameters: Any) -> None:
    one = made("one", "10:10")
    send(intake, request("10:00"), call("10:10", {"tool_parameters": json.dumps(parameters).replace("SHA", one.sha)}))
    assert (sessions_named(), len(intake.events), intake.reasons) == ({}, 2, [])


@pytest.mark.parametrize(
    "value", [{"arrayValue": {"values": []}}, {"kvlistValue": {"values": []}}, {"bytesValue": "AA=="}]
)
@pytest.mark.parametrize("name", [HEAD, URL, "vcs.ref.head.name", "repo.owner", "github.copilot.git.branch"])
def test_a_place_that_is_no_text_costs_its_record_the_place_alone(intake: Intake, name: str, value: Json) -> None:
    send(intake, request("10:00"), call("10:10", {name: value}))
    send(intake, request("10:20"), **{name: value})
    assert (len(intake.events), intake.reasons) == (3, [])
    assert AgentSession.objects.get().repository is None


def test_a_short_name_that_a_second_commit_comes_to_have_is_neithers(intake: Intake) -> None:
    one = made("one", "10:10")
    Repository.objects.update(remote=REMOTE)
    send(intake, call("10:10", {HEAD: one.sha[:7], URL: f"https://{REMOTE}"}))
    assert sessions_named() == {one.sha: "s"}
    twin = made("twin", "10:12")
    Commit.objects.filter(pk=twin.pk).update(sha=one.sha[:7] + "0" * 33)
    enqueue_commits([one.pk, twin.pk])
    attribute_pending()
    assert sessions_named() == {}


def test_a_note_of_people_decides_over_the_agent_s_word(intake: Intake) -> None:
    one = made("one", "10:10")
    send(intake, request("10:00"), call("10:10", {HEAD: one.sha}))
    sync_notes(Repository.objects.get(), [(one.sha, written(f"one.py\n  {HUMAN} 1-10\n"))])
    attribute_pending()
    assert attributed() == {}


def test_a_tool_call_of_copilot(intake: Intake) -> None:
    one = made("one", "10:10")
    sha = {"github.copilot.git.commit_sha": one.sha}
    times = {"startTimeUnixNano": nanoseconds("10:09"), "endTimeUnixNano": nanoseconds("10:10")}
    chat = {
        **span("chat", 1, **CHAT),
        "startTimeUnixNano": nanoseconds("10:00"),
        "endTimeUnixNano": nanoseconds("10:01"),
    }
    tool = {**span("execute_tool", 2, gen_ai__tool__name="run_in_terminal", **sha), **times}
    intake.send(spans(chat, tool, resource=COPILOT))
    fold_received_batches()
    attribute_pending()
    assert attributed() == {("copilot", "c1"): {"one.py": 10}}


def test_two_sessions_at_once_have_their_own_commits_and_the_third_is_nobodys(intake: Intake) -> None:
    one, two = made("one", "10:10"), made("two", "10:20")
    made("by hand", "10:25")
    send(
        intake,
        *(request("10:00"), request("10:30"), request("10:05", "t"), request("10:30", "t")),
        *(call("10:10", {HEAD: one.sha}), call("10:20", {HEAD: two.sha}, "t")),
    )
    assert attributed() == {("claude_code", "s"): {"one.py": 10}, ("claude_code", "t"): {"two.py": 10}}
    assert set(AgentSession.objects.values_list("external_id", "committed")) == {("s", True), ("t", True)}


def test_a_commit_that_is_merely_checked_out_is_not_the_sessions(intake: Intake) -> None:
    """Named by all records of a session, by a request before any tool call, or older than the session."""
    head, pulled, old = made("head", "10:10"), made("pulled", "10:15"), made("old", "08:00")
    send(intake, request("10:12"), call("10:13", {}), **{HEAD: head.sha})
    send(intake, request("10:20", **{HEAD: pulled.sha}), call("10:21", {HEAD: pulled.sha}))
    send(intake, call("10:22", {HEAD: old.sha}))
    send(intake, request("10:11", "other", **{HEAD: head.sha}))
    assert sessions_named() == {}


def test_records_after_the_tool_call_may_name_it_too_in_any_order_of_arrival(intake: Intake) -> None:
    one = made("one", "10:10")
    send(intake, request("10:20", **{HEAD: one.sha}), request("10:00"))
    assert sessions_named() == {}
    send(intake, call("10:10", {HEAD: one.sha}))
    assert sessions_named() == {one.sha: "s"}


def test_the_session_that_named_it_first_made_it(intake: Intake) -> None:
    one = made("one", "10:10")
    send(intake, *(call(clock, {HEAD: one.sha}, name) for clock, name in [("10:30", "later"), ("10:11", "first")]))
    assert sessions_named() == {one.sha: "first"}


def test_the_commit_may_arrive_after_the_telemetry(intake: Intake) -> None:
    sha = made("one", "10:10").sha
    Commit.objects.all().delete()
    send(intake, request("10:00"), call("10:10", {HEAD: sha[:10]}))
    assert sessions_named() == {}
    made("one", "10:10")
    attribute_pending()
    assert sessions_named() == {sha: "s"}
    assert attributed() == {("claude_code", "s"): {"one.py": 10}}


def test_a_short_name_of_two_commits_is_neithers_until_one_repository_tells_them_apart(intake: Intake) -> None:
    one, twin = made("one", "10:10"), commit("twin", "10:10", {"twin.py": 5}, inside="elsewhere", day=yesterday())
    Commit.objects.filter(pk=twin.pk).update(sha=one.sha[:12] + "0" * 28)
    Repository.objects.filter(name="shop").update(remote=REMOTE)
    send(intake, call("10:10", {HEAD: one.sha[:12]}))
    assert sessions_named() == {}
    send(intake, call("10:11", {HEAD: one.sha[:12], URL: f"https://{REMOTE}"}, "placed"))
    assert sessions_named() == {one.sha: "placed"}


def test_stronger_than_a_trailer_and_weaker_than_lines(intake: Intake) -> None:
    one = made("one", "10:10")
    trailer(one, "codex")
    send(intake, call("10:10", {HEAD: one.sha}))
    assert attributed() == {("claude_code", "s"): {"one.py": 10}}
    note(one, {"one.py": 4}, agent="cursor", session="c")
    enqueue_commits([one.pk])
    attribute_pending()
    assert attributed() == {("cursor", ""): {"one.py": 4}}


def test_of_a_squash_the_parts_that_agents_named_are_theirs(intake: Intake) -> None:
    squash = commit("squash", "11:00", {"one.py": 10, "two.py": 5}, day=yesterday())
    trailer(squash, "codex")
    part = commit("one", "10:10", {"one.py": 10}, exclusion_reason="squashed", duplicate_of=squash, day=yesterday())
    send(intake, call("10:10", {HEAD: part.sha}))
    assert attributed() == {("claude_code", "s"): {"one.py": 10}}


def test_the_branch_that_is_named_with_a_commit_is_the_sessions(intake: Intake) -> None:
    one = made("one", "10:10")
    Repository.objects.update(remote=REMOTE)
    place = {URL: f"https://{REMOTE}"}
    send(intake, request("10:00", **place), call("10:10", {**place, HEAD: one.sha, "vcs.ref.head.name": "tea"}))
    session = AgentSession.objects.get()
    assert (session.repository and session.repository.name, session.branch) == ("shop", "tea")


@pytest.mark.parametrize(
    ("named", "placed"),
    [
        ({"repo.owner": "acme", "repo.name": "shop"}, True),
        ({"repo.name": "acme/shop"}, True),
        ({"vcs.owner.name": "Acme", "vcs.repository.name": "shop"}, True),
        ({"repo.owner": "other", "repo.name": "shop"}, False),
        ({"repo.owner": "acme"}, False),
        ({"our.repository": "git@github.com:acme/shop.git"}, True),
        ({"our.repository": "https://ada:s3cret@github.com/acme/shop"}, True),
        ({"team": "acme/shop"}, True),
        ({"undeclared": "acme/shop"}, False),
    ],
)
def test_further_attributes_place_a_session(intake: Intake, named: Mapping[str, str], placed: bool) -> None:
    organisation = Organisation.current()
    organisation.repository_attributes = "our.repository, team, service.version"
    organisation.save()
    Repository.objects.create(name="acme/shop", remote=REMOTE)
    for name, sent in (("in the resource", {**CLAUDE, **named}), ("in the record", CLAUDE)):
        own = {} if sent != CLAUDE else named
        intake.send(logs(request("10:00", name, **own), request("10:01", name, input_tokens=-1), resource=sent))
    fold_received_batches()
    found = AgentSession.objects.values_list("repository__name", flat=True)
    assert set(found) == {"acme/shop" if placed else None}
    assert "s3cret" not in stored_text()
