"""git-ai notes: what they attest, in the standard's layout and its legacy forms, and what cannot be read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from integrations.code.attribution.git_ai_notes import NOBODY, NotedSession, UnreadableNoteError, read_note
from integrations.code.attribution.notes import sync_notes
from integrations.connectors.git.line_changes import Ranges
from integrations.models import CommitEvidence, UnreadableNote
from tests.code.attribution.world import attribute, attributed, commit, repository, session, trailer

CLAUDE_SESSION, CURSOR_PROMPT, HUMAN = "s_0123456789abcd", "1234567890abcdef", "h_fedcba98765432"
DOCUMENT: Mapping[str, Any] = {
    "schema_version": "authorship/3.0.0",
    "git_ai_version": "1.4.5",
    "base_commit_sha": "a" * 40,
    "prompts": {
        CURSOR_PROMPT: {
            "agent_id": {"tool": "cursor", "id": "c1", "model": "gpt-5"},
            "human_author": "A <a@example.com>",
            "total_additions": 6,
            "total_deletions": 0,
            "accepted_lines": 6,
            "overriden_lines": 0,
        }
    },
    "humans": {HUMAN: {"author": "A <a@example.com>"}},
    "sessions": {CLAUDE_SESSION: {"agent_id": {"tool": "claude", "id": "uuid-1", "model": "claude-sonnet-4-5"}}},
}


def written(attestations: str, document: Mapping[str, Any] = DOCUMENT) -> bytes:
    return f"{attestations}---\n{json.dumps(document)}".encode()


def test_a_note_of_the_standard() -> None:
    """Lines 3–20 and 31 are 19; what a person is known to have written is no agent's."""
    text = written(
        f"app/views.py\n  {CLAUDE_SESSION}::t_aaaabbbbccccdd 3-20,31\n  {HUMAN} 22-25\n"
        f'"docs/my notes.md"\n  {CURSOR_PROMPT} 1-6\n'
    )
    assert read_note(text) == [
        NotedSession("claude_code", "claude-sonnet-4-5", "uuid-1", {"app/views.py": 19}),
        NotedSession("cursor", "gpt-5", "c1", {"docs/my notes.md": 6}),
    ]


def of_whogitit(types: str, path: str = "shop/cart.py", **changes: Any) -> bytes:
    """A note of whogitit's version 3 whose lines, from the first on, have these sources."""
    names = {"a": "AI", "m": "AIModified", "h": "Human", "o": "Original", "u": "Unknown"}
    numbered = [
        {"line_number": number, "content": "secret = 1", "source": {"type": names[kind]}, "prompt_index": 0}
        for number, kind in enumerate(types, start=1)
    ]
    session_of_it = {"session_id": "w-1", "model": {"id": "claude-opus-4-5", "provider": "anthropic"}}
    prompts = [{"index": 0, "text": "a prompt"}]
    files = [{"path": path, "lines": numbered}]
    return json.dumps({"version": 3, "session": session_of_it, "prompts": prompts, "files": files, **changes}).encode()


@pytest.mark.parametrize(
    ("types", "added", "lines"),
    [
        ("ooaahamu", [(3, 8)], 3),
        ("ooaahamu", [(1, 3)], 1),
        ("ooaahamu", None, 3),
        ("ommu", [(2, 4)], 0),
    ],
)
def test_a_note_of_whogitit_gives_the_agent_the_lines_that_nobody_changed(
    types: str, added: list[tuple[int, int]] | None, lines: int
) -> None:
    read = read_note(of_whogitit(types), None if added is None else {"shop/cart.py": added})
    assert read == ([NotedSession("claude_code", "claude-opus-4-5", "w-1", {"shop/cart.py": lines})] if lines else [])


def test_a_note_of_whogitit_with_lines_of_people_alone_means_that_no_agent_was_at_work() -> None:
    assert read_note(of_whogitit("oohh"), {"shop/cart.py": [(3, 4)]}) == [NOBODY]


@pytest.mark.parametrize("changes", [{"version": 2}, {"session": None}, {"files": [{"path": "a.py"}]}, {"files": 1}])
def test_what_whogitit_does_not_write_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(UnreadableNoteError, match="whogitit"):
        read_note(of_whogitit("a", **changes))


def test_two_traces_of_a_session_count_a_line_once() -> None:
    text = written(f"a.py\n  {CLAUDE_SESSION}::t_1 1-10\n  {CLAUDE_SESSION}::t_2 5-12,20\n")
    assert read_note(text)[0].lines_by_path == {"a.py": 13}


@pytest.mark.parametrize(
    ("attested", "added", "count"),
    [
        ("1-500", [(3, 5), (90, 90)], 4),
        ("1-4,8-12", [(3, 9)], 4),
        ("10-20", [(1, 9), (21, 30)], 0),
        ("5,5-6,1-9", [(1, 3), (5, 6), (9, 400)], 6),
        ("1-2", [], 0),
    ],
)
def test_attested_lines_count_where_the_commit_adds_them(
    attested: str, added: list[tuple[int, int]], count: int
) -> None:
    read = read_note(written(f"a.py\n  {CLAUDE_SESSION} {attested}\n"), {"a.py": added})
    assert [session.lines_by_path for session in read] == ([{"a.py": count}] if count else [])


def test_a_session_whose_files_the_commit_does_not_touch_is_not_of_it() -> None:
    text = written(f"a.py\n  {CLAUDE_SESSION} 1-2\nb.py\n  {CURSOR_PROMPT} 1-2\n")
    assert [session.agent for session in read_note(text, {"a.py": [(2, 9)]})] == ["claude_code"]


@pytest.mark.parametrize(
    ("entries", "added", "counts"),
    [
        ([(CLAUDE_SESSION, "1-10"), (CURSOR_PROMPT, "4-6")], None, {"claude_code": 7, "cursor": 3}),
        ([(CURSOR_PROMPT, "4-6"), (CLAUDE_SESSION, "1-10")], None, {"claude_code": 10}),
        ([(CLAUDE_SESSION, "1-10"), (CURSOR_PROMPT, "4-6")], [(6, 7)], {"claude_code": 1, "cursor": 1}),
        ([(CLAUDE_SESSION, "1-10"), (HUMAN, "4-6")], None, {"claude_code": 7}),
        ([(HUMAN, "4-6"), (CLAUDE_SESSION, "1-10")], None, {"claude_code": 10}),
        ([(CLAUDE_SESSION, "1-10"), ("s_ffffffffffffff::t_1", "4-6")], None, {"claude_code": 10}),
        ([(CLAUDE_SESSION, "1-4,9"), (CURSOR_PROMPT, "3-10"), (CLAUDE_SESSION, "5")], None, None),
        ([(CLAUDE_SESSION, "1-10"), (HUMAN, "1-10")], None, {}),
    ],
)
def test_a_line_belongs_to_the_last_entry_that_names_it(
    entries: list[tuple[str, str]], added: list[tuple[int, int]] | None, counts: dict[str, int] | None
) -> None:
    text = written("a.py\n" + "".join(f"  {key} {ranges}\n" for key, ranges in entries))
    read = read_note(text, None if added is None else {"a.py": added})
    expected = {"claude_code": 2 + 1, "cursor": 8 - 1} if counts is None else counts
    assert {session.agent: session.lines_by_path["a.py"] for session in read} == expected


@given(
    st.lists(st.tuples(st.sampled_from([CLAUDE_SESSION, CURSOR_PROMPT, HUMAN]), st.frozensets(st.integers(1, 40)))),
    st.none() | st.frozensets(st.integers(1, 40)),
)
def test_lines_are_those_that_painting_one_entry_over_the_other_leaves(
    entries: list[tuple[str, frozenset[int]]], added: frozenset[int] | None
) -> None:
    named = [(key, sorted(lines)) for key, lines in entries if lines]
    painted = {line: key for key, lines in named for line in lines if added is None or line in added}
    text = written("a.py\n" + "".join(f"  {key} {_ranges(lines)}\n" for key, lines in named))
    own: Ranges = [] if added is None else [(line, line) for line in sorted(added)]
    read = read_note(text, None if added is None else {"a.py": own})
    agents = {CLAUDE_SESSION: "claude_code", CURSOR_PROMPT: "cursor"}
    assert {session.agent: session.lines_by_path["a.py"] for session in read if session != NOBODY} == Counter(
        agents[key] for key in painted.values() if key in agents
    )


@pytest.mark.parametrize("key", ["1234567890abcdef", "1234567"])
def test_legacy_keys_of_prompts_whole_or_shortened(key: str) -> None:
    (noted,) = read_note(written(f"a.py\n  {key} 1-2\n"))
    assert (noted.agent, noted.lines_by_path) == ("cursor", {"a.py": 2})


def test_a_legacy_document_whose_prompts_have_short_keys() -> None:
    document = {**DOCUMENT, "prompts": {"1234567": DOCUMENT["prompts"][CURSOR_PROMPT]}}
    assert read_note(written("a.py\n  1234567 4\n", document))[0].lines_by_path == {"a.py": 1}


def test_a_shortened_key_that_fits_two_prompts_names_neither() -> None:
    prompts = dict.fromkeys(("1234567890abcdef", "1234567fffffffff"), DOCUMENT["prompts"][CURSOR_PROMPT])
    assert read_note(written("a.py\n  1234567 1-2\n", {**DOCUMENT, "prompts": prompts})) == []


def test_keys_that_nothing_describes_are_unknown_and_not_ai() -> None:
    assert read_note(written(f"a.py\n  s_ffffffffffffff::t_1 1-5\n  {HUMAN} 6\n")) == []


@pytest.mark.parametrize(
    ("attestations", "added", "nobody"),
    [
        ("", [(1, 9)], True),
        (f"a.py\n  {HUMAN} 1-9\n", [(1, 9)], True),
        (f"a.py\n  {HUMAN} 1-3\n", [(1, 9)], True),
        ("a.py\n  h_ffffffffffffff 1-9\n", [(1, 9)], True),
        (f"a.py\n  {HUMAN} 20-30\n", [(1, 9)], True),
        (f"a.py\n  {CLAUDE_SESSION} 20-30\n", [(1, 9)], False),  # about other commits' lines
        (f"a.py\n  {CLAUDE_SESSION} 20-30\n  {HUMAN} 5\n", [(1, 9)], False),
        (f"a.py\n  {CLAUDE_SESSION} 3-4\n  {HUMAN} 1-9\n", [(1, 9)], False),
        (f"b.py\n  {CLAUDE_SESSION} 1-9\n", [(1, 9)], False),  # about a file that the commit does not change
        ("a.py\n  human 1-9\n", [(1, 9)], True),
        (f"a.py\n  {CLAUDE_SESSION} 20-30\n  {HUMAN} 31\n", [(1, 9)], False),
        ("a.py\n  s_ffffffffffffff 1-2\n  h_1 3\n", [(1, 9)], False),  # a key that nothing describes
    ],
)
def test_a_note_says_that_no_agent_wrote_a_line(attestations: str, added: list[tuple[int, int]], nobody: bool) -> None:
    assert read_note(written(attestations), {"a.py": added}) == ([NOBODY] if nobody else [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a.py\n  s_1 1-2\n", "no line ---"),
        (b"---\n{", "not JSON"),
        (b"---\n[]", "not a JSON object"),
        (b"---\n" + b'{"schema_version": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"---\n" + b"[" * 100_000, "not JSON"),
        (written("", {**DOCUMENT, "schema_version": "authorship/4.0.0"}), "'authorship/4.0.0' is not known"),
        (written("", {**DOCUMENT, "schema_version": None}), "is not known"),
        (written("", {**DOCUMENT, "sessions": ["s"]}), "sessions are not"),
        (written("a.py\n  s_1 5-2\n"), "impossible range"),
        (written("a.py\n  s_1 0-2\n"), "impossible range"),
        (written("a.py\n  s_1 1-99999999\n"), "impossible range"),
        (written(f"a.py\n  s_1 1-{'9' * 5000}\n"), "cannot be read"),
        (written("a.py\n  s_1 1-2,\n"), "cannot be read"),
        (written("a.py\n  s_1 one\n"), "cannot be read"),
        (written("  s_1 1-2\n"), "before it names a file"),
    ],
)
def test_what_is_wrong_with_a_note_is_said(text: bytes, reason: str) -> None:
    with pytest.raises(UnreadableNoteError, match=reason):
        read_note(text)


PATHS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='\n"'), min_size=1, max_size=20
).filter(lambda path: path.strip() == path and not path.startswith("  ") and path != "---")
LINES = st.frozensets(st.integers(1, 400), min_size=1, max_size=40)
SESSIONS = st.text("0123456789abcdef", min_size=14, max_size=14)


@given(st.dictionaries(PATHS, st.dictionaries(SESSIONS, LINES, min_size=1, max_size=3), max_size=4), st.randoms())
def test_what_is_written_in_the_layout_of_the_standard_is_read(
    attested: dict[str, dict[str, frozenset[int]]], random: Any
) -> None:
    keys = sorted({key for by_key in attested.values() for key in by_key})
    tools = {key: random.choice(["claude", "codex", "gemini", "amp"]) for key in keys}
    document = {
        "schema_version": "authorship/3.0.0",
        "base_commit_sha": "b" * 40,
        "prompts": {},
        "sessions": {f"s_{key}": {"agent_id": {"tool": tools[key], "id": key, "model": "m"}} for key in keys},
    }
    attestations = ""
    for path, by_key in attested.items():
        attestations += (json.dumps(path, ensure_ascii=False) if " " in path else path) + "\n"
        for key, numbers in by_key.items():
            attestations += f"  s_{key}::t_{random.randrange(16**14):014x} {_ranges(sorted(numbers))}\n"
    sessions = {
        noted.external_session: noted for noted in read_note(written(attestations, document)) if noted != NOBODY
    }
    last = {path: {line: key for key, lines in by_key.items() for line in lines} for path, by_key in attested.items()}
    expected = {
        key: {path: count for path, by_line in last.items() if (count := list(by_line.values()).count(key))}
        for key in keys
    }
    assert {key: noted.lines_by_path for key, noted in sessions.items()} == {
        key: counts for key, counts in expected.items() if counts
    }
    assert all(noted.agent in {"claude_code", "codex", "gemini", "amp"} for noted in sessions.values())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_as_unreadable(noise: bytes) -> None:
    for text in (noise, noise + b"\n---\n" + json.dumps(DOCUMENT).encode(), b"a.py\n---\n" + noise):
        with suppress(UnreadableNoteError):
            read_note(text)


def _ranges(numbers: list[int]) -> str:
    """1,2,3,7 → 1-3,7"""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and groups[-1][-1] == number - 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ",".join(str(group[0]) if len(group) == 1 else f"{group[0]}-{group[-1]}" for group in groups)


def claude(path: str, ranges: str, session_id: str = "uuid-1") -> bytes:
    sessions = {CLAUDE_SESSION: {"agent_id": {"tool": "claude", "id": session_id, "model": "m"}}}
    return written(f"{path}\n  {CLAUDE_SESSION}::t_1 {ranges}\n", {**DOCUMENT, "sessions": sessions})


@pytest.mark.django_db
def test_ranges_beyond_what_the_commit_adds_count_what_it_adds() -> None:
    noted = commit("c", "10:00", {"a.py": 10})
    sync_notes(repository(), [(noted.sha, claude("a.py", "1-500")), ("f" * 40, claude("a.py", "1-2"))])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 10}}


@pytest.mark.django_db
def test_that_nobody_wrote_lines_is_a_result_which_weaker_evidence_does_not_change() -> None:
    session("s", "09:00", "09:55", lines=100)
    signed, near, unread = (commit(name, "10:00", {f"{name}.py": 10}) for name in ("signed", "near", "unread"))
    trailer(signed, "copilot")
    trailer(unread, "codex")
    by_hand = written(f"a.py\n  {HUMAN} 1-10\n")
    sync_notes(repository(), [(signed.sha, by_hand), (near.sha, written("")), (unread.sha, b"---\n{")])
    attribute()
    assert attributed() == {("codex", ""): {"unread.py": 10}}
    sync_notes(repository(), [])
    attribute()
    assert attributed()[("copilot", "")] == {"signed.py": 10}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("attestations", "by_trailer"),
    [
        ("", False),
        (f"a.py\n  {HUMAN} 1-4\n", False),
        (f"a.py\n  {CLAUDE_SESSION} 50-60\n", True),
        (f"a.py\n  {CLAUDE_SESSION} 50-60\n  {HUMAN} 1-4\n", True),
        (f"b.py\n  {CLAUDE_SESSION} 1-4\n", True),
        ("a.py\n  s_ffffffffffffff::t_1 1-4\n", True),
    ],
)
def test_a_trailer_stands_beside_a_note_about_lines_that_the_commit_does_not_add(
    attestations: str, by_trailer: bool
) -> None:
    signed = commit("signed", "10:00", {"a.py": 4})
    trailer(signed, "codex")
    sync_notes(
        repository(), [(signed.sha, written(attestations))], added_lines=lambda _: {signed.sha: {"a.py": [(1, 4)]}}
    )
    attribute()
    assert attributed() == ({("codex", ""): {"a.py": 4}} if by_trailer else {})


@pytest.mark.django_db
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("key", "lines"),
    [
        (CURSOR_PROMPT, 5),
        (CURSOR_PROMPT[:7], 5),
        ("fedcba9876543210", 0),  # nobody describes it
        (CLAUDE_SESSION, 0),  # sessions are described where they are named, or not at all
    ],
)
def test_keys_of_prompts_that_another_note_describes(key: str, lines: int, order: int) -> None:
    naming, describing = commit("naming", "10:00", {"a.py": 5}), commit("describing", "09:00", {"b.py": 3})
    trailer(naming, "codex")
    undescribed = {**DOCUMENT, "prompts": {}, "sessions": {}}
    notes = [
        (naming.sha, written(f"a.py\n  {key} 1-5\n", undescribed)),
        (describing.sha, written(f"b.py\n  {CURSOR_PROMPT} 1-2\n")),
        ("f" * 40, b"---\n{"),  # cannot be read, and is in no one's way
    ]
    sync_notes(repository(), notes[::order])
    attribute()
    described = {"b.py": 2, "a.py": 5} if lines else {"b.py": 2}
    assert attributed() == {("cursor", ""): described} | ({} if lines else {("codex", ""): {"a.py": 5}})


@pytest.mark.django_db
def test_notes_on_copies_of_a_change_give_a_line_to_one_session() -> None:
    """The note with most lines decides."""
    main = commit("main", "10:00", {"a.py": 10, "b.py": 10}, change="same")
    copy = commit(
        "copy", "09:00", {"a.py": 10, "b.py": 10}, change="same", exclusion_reason="duplicate", duplicate_of=main
    )
    sessions = {CLAUDE_SESSION: {"agent_id": {"tool": "claude", "id": "u", "model": "m"}}}
    document = {**DOCUMENT, "sessions": sessions}
    sync_notes(
        repository(),
        [
            (main.sha, written(f"a.py\n  {CLAUDE_SESSION} 1-6\nb.py\n  {CURSOR_PROMPT} 1-3\n", document)),
            (copy.sha, written(f"a.py\n  {CURSOR_PROMPT} 1-4\nb.py\n  {CLAUDE_SESSION} 1-4\n", document)),
        ],
    )
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 6}, ("cursor", ""): {"b.py": 3}}


@pytest.mark.django_db
def test_a_copied_note_of_people_counts_for_the_commit_whose_lines_they_wrote() -> None:
    own, other = commit("own", "10:00", {"a.py": 5, "c.py": 9}), commit("other", "09:00", {"b.py": 5})
    for noted in (own, other):
        trailer(noted, "codex")
    added: Mapping[str, Mapping[str, Ranges]] = {
        own.sha: {"a.py": [(1, 5)], "c.py": [(1, 9)]},
        other.sha: {"b.py": [(1, 5)]},
    }
    text = written(f"a.py\n  {HUMAN} 1-5\n")
    sync_notes(repository(), [(own.sha, text), (other.sha, text)], added_lines=lambda _: added)
    attribute()
    assert attributed() == {("codex", ""): {"b.py": 5}}


@pytest.mark.django_db
def test_an_empty_note_on_a_squash_takes_nothing_from_the_notes_of_its_parts() -> None:
    squash = commit("squash", "12:00", {"a.py": 10, "b.py": 5})
    part = commit("part", "10:00", {"a.py": 10}, exclusion_reason="squashed", duplicate_of=squash)
    sync_notes(repository(), [(part.sha, claude("a.py", "1-4")), (squash.sha, written(""))])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 4}}


def copied(base: str, path: str = "a.py", ranges: str = "1-10") -> bytes:
    """Copies differ in the commit on which they are based."""
    sessions = {CLAUDE_SESSION: {"agent_id": {"tool": "claude", "id": "u", "model": "m"}}}
    document = {**DOCUMENT, "base_commit_sha": base * 40, "sessions": sessions}
    return written(f"{path}\n  {CLAUDE_SESSION}::t_1 {ranges}\n", document)


@pytest.mark.django_db
@pytest.mark.parametrize("order", [1, -1])
def test_a_note_copied_to_other_commits_counts_for_the_one_whose_lines_they_are(order: int) -> None:
    """An older commit of the same file, one that adds more, and one without the file have the note, too."""
    added: dict[str, dict[str, Ranges]] = {}
    shas = {}
    for name, clock, ranges in [
        ("older", "08:00", {"a.py": [(1, 4)]}),
        ("own", "09:00", {"a.py": [(1, 10)]}),
        ("wider", "10:00", {"a.py": [(1, 10), (40, 49)]}),
        ("other", "11:00", {"b.py": [(1, 10)]}),
    ]:
        stored = commit(name, clock, {path: sum(b - a + 1 for a, b in own) for path, own in ranges.items()})
        shas[name], added[stored.sha] = stored.sha, dict(ranges)
        trailer(stored, "codex")
    notes = [(sha, copied(str(number))) for number, sha in enumerate(shas.values())][::order]
    sync_notes(repository(), notes, added_lines=lambda wanted: {sha: added[sha] for sha in wanted if sha in added})
    attribute()
    noted = CommitEvidence.objects.filter(method="note", withdrawn_at=None).values_list("commit__sha", flat=True)
    assert list(noted) == [shas["own"]]
    lines = attributed()
    assert lines[("claude_code", "")] == {"a.py": 10}
    assert sum(lines[("codex", "")].values()) == 4 + 20 + 10


@pytest.mark.django_db
def test_commits_in_which_an_agent_wrote_the_same_lines_again_keep_their_notes() -> None:
    """As 30b8519 and its child 63227ee of git-ai, which set line 3 twice; a third that adds less has a copy."""
    first, again = (commit(name, clock, {"a.py": 10}) for name, clock in (("first", "09:00"), ("again", "09:01")))
    less = commit("less", "09:02", {"a.py": 9})
    added: Mapping[str, Mapping[str, Ranges]] = {
        first.sha: {"a.py": [(1, 10)]},
        again.sha: {"a.py": [(1, 10)]},
        less.sha: {"a.py": [(1, 9)]},
    }
    notes = [(noted.sha, copied(str(n))) for n, noted in enumerate((first, again, less))]
    sync_notes(repository(), notes, added_lines=lambda _: added)
    noted = CommitEvidence.objects.filter(method="note", withdrawn_at=None).values_list("commit__sha", flat=True)
    assert set(noted) == {first.sha, again.sha}


@pytest.mark.django_db
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("line", ["1-9", "1-11", "1-8,10", "2-10", "1-10,40"])
def test_a_note_copied_with_a_rewritten_commit_counts_once_though_a_line_differs(line: str, order: int) -> None:
    old = commit("old", "09:00", {"a.py": 10}, exclusion_reason="gone")
    new = commit("new", "09:00", {"a.py": 11})
    apart = commit("apart", "09:00", {"a.py": 10})
    later = commit("later", "09:05", {"a.py": 10})
    added: Mapping[str, Mapping[str, Ranges]] = {
        old.sha: {"a.py": [(1, 10)]},
        new.sha: {"a.py": [(1, 11)]},
        apart.sha: {"a.py": [(51, 60)]},
        later.sha: {"a.py": [(1, 10)]},
    }
    texts = {old: "1-10", new: line, apart: "51-60", later: "1-7"}
    notes = [(noted.sha, copied("1", ranges=ranges)) for noted, ranges in texts.items()][::order]
    sync_notes(repository(), notes, added_lines=lambda _: added)
    noted = CommitEvidence.objects.filter(method="note", withdrawn_at=None).values_list("commit__sha", flat=True)
    assert set(noted) == {new.sha, apart.sha, later.sha}, "others are of other lines, or of another time"


@pytest.mark.django_db
def test_a_copy_whose_original_is_unknown_counts_and_so_do_copies_of_one_change() -> None:
    only = commit("squash", "10:00", {"a.py": 10})
    before = commit("before", "09:00", {"b.py": 10}, change="rebased", exclusion_reason="gone")
    after = commit("after", "09:00", {"b.py": 10}, change="rebased")
    of_change = [(sha, copied("2", "b.py")) for sha in (before.sha, after.sha)]
    sync_notes(repository(), [(only.sha, copied("1")), ("f" * 40, copied("0")), *of_change])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 10, "b.py": 10}}


@pytest.mark.django_db
def test_rewritten_notes_withdraw_what_they_no_longer_say() -> None:
    session("uuid-1", "09:00", "09:30")
    one, other = commit("one", "10:00", {"a.py": 10}), commit("other", "20:00", {"b.py": 10})
    sync_notes(repository(), [(one.sha, claude("a.py", "1-5")), (other.sha, claude("b.py", "1-5"))])
    attribute()
    assert attributed() == {("claude_code", "uuid-1"): {"a.py": 5, "b.py": 5}}
    assert sync_notes(repository(), [(one.sha, claude("a.py", "1-7"))]) == 2
    attribute()
    assert attributed() == {("claude_code", "uuid-1"): {"a.py": 7}}
    assert sync_notes(repository(), [(one.sha, claude("a.py", "1-7"))]) == 0
    sync_notes(repository(), [(one.sha, claude("a.py", "1-5")), (other.sha, claude("b.py", "1-5"))])
    attribute()
    assert attributed() == {("claude_code", "uuid-1"): {"a.py": 5, "b.py": 5}}


@pytest.mark.django_db
def test_the_notes_of_a_fork_withdraw_nothing_and_count_nothing_twice() -> None:
    noted = commit("c", "10:00", {"a.py": 10})
    sync_notes(repository("shop"), [(noted.sha, claude("a.py", "1-4"))])
    sync_notes(repository("fork"), [])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 4}}
    sync_notes(repository("fork"), [(noted.sha, claude("a.py", "1-4"))])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 4}}
    sync_notes(repository("shop"), [])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 4}}


@pytest.mark.django_db
def test_the_same_note_in_two_refs_is_one() -> None:
    noted = commit("c", "10:00", {"a.py": 10})
    sync_notes(repository(), [(noted.sha, claude("a.py", "1-4"))] * 2)
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 4}}


@pytest.mark.django_db
def test_a_note_that_cannot_be_read_is_listed_and_keeps_what_was_known() -> None:
    noted = commit("c", "10:00", {"a.py": 10})
    sync_notes(repository(), [(noted.sha, claude("a.py", "1-4"))])
    sync_notes(repository(), [(noted.sha, b"---\n{")])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 4}}
    assert [note.reason for note in UnreadableNote.objects.all()] == ["The note's document is not JSON."]
    sync_notes(repository(), [(noted.sha, claude("a.py", "1-4"))])
    assert not UnreadableNote.objects.exists()


@pytest.mark.django_db
def test_characters_that_cannot_be_stored_lose_nothing_else() -> None:
    noted = commit("c", "10:00", {"a.py": 10})
    entry = {"agent_id": {"tool": "claude", "id": "u\0\ud800", "model": "m\0"}}
    text = f"a.py\n  {CLAUDE_SESSION} 1-2\nodd\0name\n  {CLAUDE_SESSION} 1-2\n"
    sync_notes(repository(), [(noted.sha, written(text, {**DOCUMENT, "sessions": {CLAUDE_SESSION: entry}}))])
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 2}}


@pytest.mark.django_db
def test_an_admin_finds_the_notes_that_cannot_be_read(admin_client: Client) -> None:
    noted = commit("c", "10:00", {"a.py": 10})
    sync_notes(repository("shop"), [(noted.sha, b"---\n{")])
    page = admin_client.get("/admin/integrations/unreadablenote/")
    assert page.status_code == 200
    shown = page.content.decode()
    assert noted.sha in shown
    assert "The note&#x27;s document is not JSON." in shown
