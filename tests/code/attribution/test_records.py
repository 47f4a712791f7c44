"""Records of Entire and Agent Trace, from the repository to AI lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.code.attribution.agent_trace import traced_files
from integrations.code.attribution.entire import recorded_sessions
from integrations.models import Commit, CommitFile, FileAttribution, RepositorySource, SyncRun, UnmergedBranch
from tests.code.attribution.world import attributed, session
from tests.code.git.repositories import FIRST, Repo, lines
from tests.code.git.tables import counted, sync, tables
from tests.code.git.test_sources_with_notes import note
from tests.telemetry.intake import stored_text

pytestmark = pytest.mark.django_db
ID, ULID = "a1b2c3d4e5f6", "01M3WE2VX9HQC3NVY9BWYCW6JV"
BRANCH = "refs/heads/entire/checkpoints/v1"
Metadata = dict[str, Any]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "shop")


def recorded(agent: Any = "Claude Code", written: Any = 7, **more: Any) -> Metadata:
    counts = {"agent_lines": written, "human_added": 3, "total_committed": 10, "agent_percentage": 70.0}
    return {"checkpoint_id": ID, "session_id": "uuid-1", "agent": agent, "initial_attribution": counts, **more}


def checkpoint(
    repo: Repo,
    sessions: Sequence[object] | Mapping[int, object],
    *,
    name: str = ID,
    ref: str = BRANCH,
    summary: object = None,
) -> None:
    """Entire's layout: metadata with prompts beside it, on one branch, or at a ref of the checkpoint's own."""

    def blob(content: object) -> str:
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        return repo.git("hash-object", "-w", "--stdin", given=text)

    def tree(rows: Mapping[str, str]) -> str:
        entries = ((repo.git("cat-file", "-t", sha), sha, path) for path, sha in rows.items())
        listing = "".join(
            f"{'040000' if kind == 'tree' else '100644'} {kind} {sha}\t{path}\n" for kind, sha, path in entries
        )
        return repo.git("mktree", given=listing.encode())

    whole = {"metadata.json": blob(summary or {"checkpoint_id": name, "sessions": []})}
    for number, document in (sessions if isinstance(sessions, Mapping) else dict(enumerate(sessions))).items():
        inner = {
            "metadata.json": blob(document),
            "prompt.txt": blob(b"a secret prompt"),
            "full.jsonl": blob(b"secret\n"),
        }
        whole[str(number)] = tree(inner)
    top = tree(whole)
    if "/heads/" in ref or "/remotes/" in ref:
        top = tree({name[:2]: tree({name[2:]: top})})
    repo.git("update-ref", ref, repo.git("commit-tree", top, "-m", f"Checkpoint: {name}", signed=repo.signed()))


def change(repo: Repo, message: str = f"Add it\n\nEntire-Checkpoint: {ID}", count: int = 10) -> str:
    return repo.commit({"a.py": lines(count)}, message)


def ai_lines() -> dict[str, int]:
    return {agent: sum(by_path.values()) for (agent, _), by_path in attributed().items()}


@pytest.mark.parametrize("written", [0, 7, 11])
@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (BRANCH, ID),
        ("refs/remotes/origin/entire/checkpoints/v1", ID),
        (f"refs/entire/checkpoints/f6/{ID}", ID),
        (f"refs/entire/checkpoints/JV/{ULID}", ULID),
    ],
)
def test_entire_counts_the_lines_of_the_agent_and_none_is_a_result(
    repo: Repo, written: int, ref: str, name: str
) -> None:
    change(repo, f"Add it\n\nCo-authored-by: Claude <noreply@anthropic.com>\nEntire-Checkpoint: {name}")
    checkpoint(repo, [recorded(written=written)], ref=ref, name=name)
    sync(repo)
    assert ai_lines() == ({"claude_code": min(written, 10)} if written else {})
    assert "secret" not in stored_text()


@pytest.mark.parametrize("branch", ["entire/checkpoints/v1", "entire/0123abc-0123ab", "entire/0123abcd"])
def test_branches_of_records_are_nobodys_work(repo: Repo, branch: str) -> None:
    change(repo)
    checkpoint(repo, [recorded()], ref=f"refs/heads/{branch}")
    repo.git("update-ref", f"refs/remotes/origin/{branch}", repo.git("rev-parse", f"refs/heads/{branch}"))
    repo.git("update-ref", "refs/heads/entire/new-cart", repo.git("rev-parse", "HEAD"))
    sync(repo)
    assert counted() == {"Add it": 10}
    assert (Commit.objects.count(), UnmergedBranch.objects.count()) == (1, 0)


def test_the_branch_was_read_as_work_by_an_earlier_version(repo: Repo) -> None:
    change(repo)
    repo.branch("entire/feature")
    repo.commit({"b.py": lines(3)}, "Checkpoint: 1")
    repo.switch("main")
    sync(repo)
    assert len(counted()) == 2
    repo.git("branch", "-m", "entire/feature", "entire/checkpoints/v1")
    sync(repo)
    assert counted() == {"Add it": 10}


def test_sessions_of_one_and_of_several_checkpoints_add_up_to_what_the_whole_says(repo: Repo) -> None:
    """4 of Claude twice and 3 of Codex, of which the first checkpoint counts 8 of 11 in all; a squash names both."""
    change(repo, f"Squash\n\n* one\n\nEntire-Checkpoint: {ID}\n\n* two\n\nEntire-Checkpoint: b1b2c3d4e5f6\n", 20)
    sessions = [recorded(written=4), recorded(written=4, session_id="uuid-2"), recorded("Codex", 3, session_id="c")]
    whole = {"combined_attribution": {"agent_lines": 8}}
    checkpoint(repo, sessions, summary=whole)
    others = "refs/entire/checkpoints/f6/b1b2c3d4e5f6"
    checkpoint(repo, [recorded("Gemini CLI", 2)], name="b1b2c3d4e5f6", ref=others)
    sync(repo)
    found = ai_lines()
    assert sum(found.values()) == 10
    assert found == {"claude_code": 5, "codex": 3, "gemini": 2}


def test_a_checkpoint_that_several_commits_name_counts_for_the_one_at_which_its_lines_were_counted(repo: Repo) -> None:
    """Three commits of one checkpoint, of which Entire counted the first and, as nothing, the second."""
    written = [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (9, 10, 11)]
    message = f"Co-authored-by: Claude <noreply@anthropic.com>\nEntire-Checkpoint: {ID}"
    for number, at in enumerate(written):
        repo.commit({f"{number}.py": lines(10, str(number))}, f"Add {number}\n\n{message}", at=at)
    sessions = [recorded(written=count, session_id=f"uuid-{count}") for count in (4, 0)]
    for number, document in enumerate(sessions):
        document["initial_attribution"]["calculated_at"] = f"2026-03-02T{9 + number:02}:00:02.123456789Z"
    checkpoint(repo, sessions)
    sync(repo)
    assert attributed() == {("claude_code", ""): {"0.py": 4, "2.py": 10}}
    sync(repo, full=True)
    assert attributed() == {("claude_code", ""): {"0.py": 4, "2.py": 10}}


def test_lines_that_entire_counted_are_of_a_commit_that_was_there(repo: Repo) -> None:
    """40 lines were counted 20 seconds after the first commit, and 8 seconds before the second."""
    written = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for path, count, later in (("a.py", 40, 0), ("b.py", 29, 28)):
        at = written + timedelta(seconds=later)
        repo.commit({path: lines(count, path)}, f"Add {path}\n\nEntire-Checkpoint: {ID}", at=at)
    document = recorded(written=40)
    document["initial_attribution"]["calculated_at"] = "2026-03-02T09:00:20Z"
    checkpoint(repo, [document])
    sync(repo)
    assert attributed() == {("claude_code", ""): {"a.py": 40}, ("entire", ""): {"b.py": 29}}


@pytest.mark.parametrize(
    ("numbers", "listed"), [((0, 2, 11), (0, 2, 11)), ((0, 1, 2), (0,)), ((0, 1, 2), ()), ((0, 1, 7), (7,))]
)
def test_all_sessions_of_a_checkpoint_are_read(repo: Repo, numbers: Sequence[int], listed: Sequence[int]) -> None:
    """Their numbers may have gaps, and the list of the whole may lack some."""
    change(repo)
    sessions = [recorded(written=2), recorded("Codex", 3, session_id="c"), recorded("Gemini CLI", 4, session_id="g")]
    whole = [{"metadata": f"/{ID[:2]}/{ID[2:]}/{number}/metadata.json"} for number in listed]
    checkpoint(repo, dict(zip(numbers, sessions, strict=True)), summary={"checkpoint_id": ID, "sessions": whole})
    sync(repo)
    assert ai_lines() == {"claude_code": 2, "codex": 3, "gemini": 4}


def test_a_count_that_several_sessions_repeat_is_one(repo: Repo) -> None:
    """Entire copies the count of a commit to every session that was at work; a count of another moment is another."""
    change(repo)
    sessions = [recorded(agent, 3, session_id=agent) for agent in ("Claude Code", "Codex", "Gemini CLI", "Cursor")]
    for second, document in zip((1, 1, 1, 2), sessions, strict=True):
        document["initial_attribution"]["calculated_at"] = f"2026-03-02T09:00:0{second}.019974Z"
    checkpoint(repo, sessions)
    sync(repo)
    found = ai_lines()
    assert sum(found.values()) == 6
    assert found["cursor"] == 3


@pytest.mark.parametrize("counts", [(149, 27, 28, 136), (81, 82), (163,), (200, 1), (1, 1, 1), (40, 41, 42)])
def test_sessions_have_together_what_they_count_up_to_the_last_line(repo: Repo, counts: Sequence[int]) -> None:
    """163 lines in 12 files, as d7dbb5e of entireio/cli adds; no file has more lines of agents than it adds."""
    sizes = [1, 1, 2, 3, 3, 5, 8, 13, 21, 30, 37, 39]
    files: dict[str | bytes, str | bytes | None] = {
        f"{number:02}.py": lines(size, str(number)) for number, size in enumerate(sizes)
    }
    repo.commit(files, f"Add it\n\nEntire-Checkpoint: {ID}")
    checkpoint(repo, [recorded(written=count, session_id=f"uuid-{n}") for n, count in enumerate(counts)])
    sync(repo)
    by_file = Counter[str]()
    for row in FileAttribution.objects.select_related("file"):
        by_file[row.file.path] += row.ai_lines
    assert sum(by_file.values()) == min(sum(counts), 163)
    assert all(by_file[f"{number:02}.py"] <= size for number, size in enumerate(sizes))


@pytest.mark.parametrize("is_full", [False, True], ids=["after an upgrade", "sync --full"])
def test_shares_that_an_earlier_version_derived_are_derived_again(repo: Repo, *, is_full: bool) -> None:
    """The same evidence, of which an earlier version derived other lines: in a checkpoint, a note and a trailer."""
    change(repo)
    checkpoint(repo, [recorded(written=4), recorded("Codex", 3, session_id="c")])
    repo.commit({"b.py": lines(3)}, "Add more\n\nCo-authored-by: Claude <noreply@anthropic.com>")
    noted = repo.commit({"c.py": lines(5)}, "Add most")
    note(repo, "ai", noted, "c.py", "1")
    sync(repo)
    derived = tables()
    assert ai_lines() == {"claude_code": 4 + 3 + 3, "codex": 3}
    FileAttribution.objects.filter(agent="codex").delete()
    FileAttribution.objects.update(ai_lines=1)
    if not is_full:
        assert sync(repo).to_read == 0
        assert tables() != derived
        RepositorySource.objects.update(view="of an earlier version")
    run = sync(repo, full=is_full)
    assert tables() == derived
    assert run.to_read == Commit.objects.count() == 3
    assert list(SyncRun.objects.filter(pk=run.pk)) == [run]


def test_a_copy_of_a_commit_has_its_checkpoint(repo: Repo) -> None:
    """A rebase keeps the author's time; which of the two counts does not matter."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    repo.commit({"begin.py": lines(1)}, "Begin", at=at)
    repo.branch("work")
    repo.commit({"a.py": lines(10)}, f"Add it\n\nEntire-Checkpoint: {ID}", at=at)
    repo.switch("main")
    repo.commit({"other.py": lines(2)}, "Other")
    repo.cherry_pick("work")
    repo.commit({"b.py": lines(5)}, f"Later\n\nEntire-Checkpoint: {ID}", at=at + timedelta(hours=5))
    document = recorded(written=6)
    document["initial_attribution"]["calculated_at"] = "2026-03-02T09:00:01Z"
    checkpoint(repo, [document])
    sync(repo)
    assert attributed() == {("claude_code", ""): {"a.py": 6}, ("entire", ""): {"b.py": 5}}


@pytest.mark.parametrize("agent", ["Agent", "", None])
def test_a_session_without_an_agent_is_of_entire_or_of_the_one_that_signs(repo: Repo, agent: str | None) -> None:
    repo.commit({"a.py": lines(10)}, f"Counted\n\nEntire-Checkpoint: {ID}")
    checkpoint(repo, [recorded(agent)])
    sync(repo)
    assert ai_lines() == {"entire": 7}
    uncounted = recorded(agent)
    del uncounted["initial_attribution"]
    repo.git("update-ref", "-d", BRANCH)
    checkpoint(repo, [uncounted])
    repo.commit(
        {"b.py": lines(4)}, f"Signed\n\nCo-authored-by: Claude <noreply@anthropic.com>\nEntire-Checkpoint: {ID}"
    )
    sync(repo)
    assert ai_lines() == {"entire": 10, "claude_code": 4}


def test_the_session_of_a_checkpoint_is_that_of_telemetry(repo: Repo) -> None:
    session("uuid-1", "09:30", "10:10")
    change(repo)
    checkpoint(repo, [recorded(session_id="2026-03-02-uuid-1", model="claude-opus-4-8")])
    sync(repo)
    assert attributed() == {("claude_code", "uuid-1"): {"a.py": 7}}


@pytest.mark.parametrize("written", [7, 7.0, "7", "7.0"])
def test_a_count_is_the_same_however_its_number_is_written(written: object) -> None:
    document = json.dumps(recorded(written=written)).encode()
    assert [session.lines for session in recorded_sessions([[b"{}", document]])] == [7]


@pytest.mark.parametrize("ref", [BRANCH, f"refs/entire/checkpoints/{ID[:2]}/{ID}"])
def test_an_id_in_upper_case_is_the_same_checkpoint(repo: Repo, ref: str) -> None:
    change(repo, f"Add it\n\nEntire-Checkpoint: {ID.upper()}")
    checkpoint(repo, [recorded()], ref=ref)
    sync(repo)
    assert attributed() == {("claude_code", ""): {"a.py": 7}}


@pytest.mark.parametrize("field", ["agent", "session_id", "initial_attribution", "model", "agent_lines"])
@pytest.mark.parametrize("value", [None, "", "word", 7, -1, True, ["list"], {"an": "object"}, 10**30])
def test_a_field_that_is_something_else_costs_no_more_than_itself(field: str, value: Any) -> None:
    document = recorded()
    (document["initial_attribution"] if field == "agent_lines" else document)[field] = value
    documents = [json.dumps(content).encode() for content in (document, recorded("Codex", 2, session_id="c"))]
    sessions = {found.agent: found.lines for found in recorded_sessions([[b"{}", documents[0], b"{", documents[1]]])}
    assert sessions.pop("codex") == 2
    counts = {None, value} if type(value) is int and 0 <= value < 10 else {None}
    assert set(sessions.values()) <= ({7} if field not in {"agent_lines", "initial_attribution"} else counts)


def test_checkpoints_without_counts_name_the_agent_of_all_lines(repo: Repo) -> None:
    change(repo)
    document = recorded()
    del document["initial_attribution"]
    checkpoint(repo, [document])
    sync(repo)
    assert ai_lines() == {"claude_code": 10}


def test_without_metadata_the_trailer_counts_and_later_metadata_is_believed(repo: Repo) -> None:
    change(repo)
    sync(repo)
    assert ai_lines() == {"entire": 10}
    checkpoint(repo, [recorded()])
    sync(repo)
    assert ai_lines() == {"claude_code": 7}
    repo.git("update-ref", "-d", BRANCH)
    sync(repo)
    assert ai_lines() == {"entire": 10}


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes_are_read_as_metadata_or_traces_or_left_out(documents: list[bytes]) -> None:
    recorded_sessions([[b"{}", *documents], documents or [b""]])
    traced_files([*documents, b"\n".join(documents)])


def trace(*ranges: Mapping[str, Any], path: str = "a.py", **more: Any) -> Metadata:
    contributor = {"type": "ai", "model_id": "anthropic/claude-opus-4-8"}
    conversations = [{"contributor": contributor, "ranges": list(ranges)}]
    record = {"version": "1.0", "id": str(len(ranges)), "tool": {"name": "cursor"}, "timestamp": stamp(1)}
    return {**record, "files": [{"path": path, "conversations": conversations}], **more}


def span(first: Any, last: Any, kind: str = "") -> Metadata:
    return {"start_line": first, "end_line": last, **({"contributor": {"type": kind}} if kind else {})}


def stamp(hours: float) -> str:
    return (FIRST + timedelta(hours=hours)).isoformat()


def store(*records: Metadata | bytes) -> dict[str | bytes, str | bytes | None]:
    written = (record if isinstance(record, bytes) else json.dumps(record).encode() for record in records)
    return {".agent-trace/traces.jsonl": b"".join(line + b"\n" for line in written)}


def test_ranges_by_contributor_at_the_revision_that_adds_them(repo: Repo) -> None:
    """Lines 1–6 of 12 are AI, 7–8 a person's, 9 mixed and 10 unknown; 11–12 are in no range; 13 does not exist."""
    sha = change(repo, "Add it", 12)
    spoken = [span(1, 6), span(7, 8, "human"), span(9, 9, "mixed"), span(10, 10, "unknown"), span(13, 400)]
    repo.commit(store(trace(*spoken, vcs={"type": "git", "revision": sha})), "Record it")
    sync(repo)
    assert ai_lines() == {"cursor": 7}
    assert counted() == {"Add it": 12, "Record it": 0}
    assert CommitFile.objects.get(path__startswith=".agent-trace").exclusion_reason == "generated"


@pytest.mark.parametrize("revision", ["parent", "unknown", "none", "jj"])
@pytest.mark.parametrize("with_records", [True, False])
def test_records_of_the_reference_implementation_name_the_commit_before(
    repo: Repo, revision: str, with_records: bool
) -> None:
    """Commits an hour apart; the agent edits half an hour after the first, which wrote the same lines of the file."""
    parent = change(repo, "First", 4)
    named = {"parent": parent, "unknown": "0" * 40, "none": None, "jj": "kkmpptxz"}[revision]
    vcs: Metadata = {} if named is None else {"vcs": {"type": "jj" if revision == "jj" else "git", "revision": named}}
    record = store(trace(span(2, 5), timestamp=stamp(1.5), **vcs))
    repo.commit({"a.py": "new\n" * 3 + lines(9), **(record if with_records else {})}, "Second")
    repo.commit({"a.py": "newer\n" * 6, **({} if with_records else record)}, "Third")
    sync(repo)
    rows = {attribution.commit.subject: attribution.ai_lines for attribution in _attributions()}
    assert rows == {"Second": 2}  # lines 2 and 3 are new there; 4 and 5 were the first commit's


def _attributions() -> list[Any]:
    return list(FileAttribution.objects.select_related("commit"))


def test_the_last_record_of_a_line_counts_and_no_record_twice(repo: Repo) -> None:
    sha = change(repo, "Add it")
    vcs: Metadata = {"vcs": {"type": "git", "revision": sha}}
    first = trace(span(1, 10), id="1", timestamp=stamp(0.5), **vcs)
    second = trace(span(1, 3, "human"), id="2", timestamp=stamp(0.7), **vcs)
    third = trace(span(9, 10), id="3", tool={"name": "claude-code"}, timestamp=stamp(0.8), **vcs)
    third["metadata"] = {"session_id": "uuid-1"}
    session("uuid-1", "09:30", "10:10")
    repo.commit(store(third, second, first, first, b"{", b"[]", b"7"), "Record it")
    sync(repo)
    assert attributed() == {("cursor", ""): {"a.py": 5}, ("claude_code", "uuid-1"): {"a.py": 2}}


def test_a_record_of_a_person_alone_says_that_no_agent_wrote_it(repo: Repo) -> None:
    sha = change(repo, "Add it\n\nCo-authored-by: Copilot <copilot@github.com>")
    repo.commit(store(trace(span(1, 10, "human"), vcs={"type": "git", "revision": sha})), "Record it")
    sync(repo)
    assert ai_lines() == {}


def test_a_record_that_speaks_of_no_line_of_a_commit_leaves_weaker_evidence(repo: Repo) -> None:
    sha = change(repo, "Add it\n\nCo-authored-by: Copilot <copilot@github.com>")
    vcs: Metadata = {"vcs": {"type": "git", "revision": sha}}
    spoken = [
        trace(span(1, 10), id=str(number), path=path, **vcs) for number, path in enumerate([".shell-history", "/a.py"])
    ]
    repo.commit(store(*spoken, trace(span(1, 10, "unknown"), id="9", **vcs)), "Record it")
    sync(repo)
    assert ai_lines() == {"copilot": 10}


@pytest.mark.parametrize("name", ["version", "id", "timestamp", "vcs", "tool", "files", "path", "ranges", "start_line"])
@pytest.mark.parametrize("value", [None, "word", 7, True, [7], {"an": "object"}])
def test_a_part_of_a_record_that_is_something_else_leaves_the_others(name: str, value: Any) -> None:
    odd, good = trace(span(1, 2)), trace(span(5, 8), span(9, 9))
    file = odd["files"][0]
    conversation = file["conversations"][0]
    place = {"path": file, "ranges": conversation, "start_line": conversation["ranges"][0]}.get(name, odd)
    place[name] = value
    found = traced_files([json.dumps(record).encode() for record in (odd, good)])
    ranges = [(traced.first, traced.last) for file in found if file.path == "a.py" for traced in file.ranges]
    assert {(5, 8), (9, 9)} <= set(ranges)
    assert len(ranges) <= 3
