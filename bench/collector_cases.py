"""The labelled set of the collector: actions of people and agents with git, and the writer of each line of a commit.

The right answers are counted by hand from the lines in the case, not taken from the collector.  Lines by agents carry
no mark that the collector could read: it compares hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bench.collector_world import Counts, World

Truth = Mapping[str, Counts]
"""Revision → session → lines."""

CASES: dict[str, Callable[[World], Truth]] = {}

A3 = ("def total(items):", "    amount = sum(item.price for item in items)", "    return amount")
B3 = ("def average(items):", "    divisor = max(len(items), 1)", "    return total(items) / divisor")
HUMAN = ("# helpers for invoices", "import decimal")


def case(do: Callable[[World], Truth]) -> Callable[[World], Truth]:
    CASES[do.__name__.replace("_", " ")] = do
    return do


def base(world: World, *lines: str) -> str:
    """Creates a repository with one commit of a person."""
    world.write("app.py", *(lines or HUMAN))
    return world.commit()


@case
def agent_edits_person_commits(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, "", *A3)
    world.commit()
    return {"HEAD": {"a": 4}}


@case
def agent_commits_in_its_shell(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, "", *A3)
    world.shell("a", "git add -A && git commit -qm done")
    return {"HEAD": {"a": 4}}


@case
def first_commit_of_a_repository(world: World) -> Truth:
    world.edit("a", "app.py", *A3)
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def another_work_tree(world: World) -> Truth:
    base(world)
    other = world.folder / "other tree"
    world.git("worktree", "add", "-q", "-b", "side", str(other))
    world.edit("a", "app.py", *HUMAN, *A3, root=other)
    world.git_at(other, "add", "-A")
    world.git_at(other, "commit", "-qm", "side")
    return {"side": {"a": 3}}


@case
def person_edits_before_and_after(world: World) -> Truth:
    base(world)
    world.write("app.py", *HUMAN, "typed_before = 1")
    world.edit("a", "app.py", *HUMAN, "typed_before = 1", *A3)
    world.insert("app.py", A3[1], "    typed_after = amount")
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def person_changes_a_line_of_the_agent(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.write("app.py", *HUMAN, A3[0], "    amount = sum(item.net for item in items)", A3[2])
    world.commit()
    return {"HEAD": {"a": 2}}


@case
def person_saves_while_the_edit_runs(world: World) -> Truth:
    base(world)
    world.replace("a", "app.py", HUMAN[1], f"{HUMAN[1]}\nROUNDING = decimal.ROUND_HALF_UP", during=["typed = 'then'"])
    world.commit()
    return {"HEAD": {"a": 1}}


@case
def agent_rewrites_a_file_with_lines_of_a_person(world: World) -> Truth:
    base(world)
    world.write("app.py", *HUMAN, "typed_first = 1", "typed_second = 2")
    world.edit("a", "app.py", A3[0], *HUMAN, "typed_second = 2", "typed_first = 1", *A3[1:])
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def two_agents_in_one_file(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.edit("b", "app.py", *HUMAN, *A3, *B3, agent="codex")
    world.edit("a", "app.py", *HUMAN, *A3, *B3, "TAX = decimal.Decimal('0.19')")
    world.commit()
    return {"HEAD": {"a": 4, "b": 3}}


@case
def a_session_rewrites_lines_of_another(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.edit("b", "app.py", *HUMAN, A3[0], "    amount = sum(item.gross for item in items)", A3[2])
    world.commit()
    return {"HEAD": {"a": 2, "b": 1}}


@case
def edits_of_two_agents_that_overlap(world: World) -> Truth:
    base(world)
    path = str(world.repository / "app.py")
    first = world.opened("a", "claude_code", "Edit", {"file_path": path, "old_string": HUMAN[0],
                         "new_string": "\n".join((HUMAN[0], *A3))}, world.repository)  # fmt: skip
    second = world.opened("b", "claude_code", "Edit", {"file_path": path, "old_string": HUMAN[1],
                          "new_string": "\n".join((HUMAN[1], *B3))}, world.repository)  # fmt: skip
    world.write("app.py", HUMAN[0], *A3, HUMAN[1], by="a")
    world.write("app.py", HUMAN[0], *A3, HUMAN[1], *B3, by="b")
    world.hook("claude_code", {**first, "hook_event_name": "PostToolUse"})
    world.hook("claude_code", {**second, "hook_event_name": "PostToolUse"})
    world.commit()
    return {"HEAD": {"a": 3, "b": 3}}


@case
def every_agent_by_its_own_hooks(world: World) -> Truth:
    base(world)
    agents = ("claude_code", "codex", "gemini_cli", "cursor", "windsurf")
    for number, agent in enumerate(agents):
        world.edit(agent, f"file{number}.py", f"value_of_{agent} = {number}", agent=agent)
    world.commit()
    return {"HEAD": dict.fromkeys(agents, 1)}


@case
def partial_staging(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.edit("a", "more.py", *B3)
    world.git("add", "app.py")
    world.commit("-m", "one")
    world.git("add", "more.py")
    world.commit("-m", "two")
    return {"HEAD~": {"a": 3}, "HEAD": {"a": 3}}


@case
def staging_part_of_a_file(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3, *B3)
    world.stage("app.py", *HUMAN, *A3)
    world.commit("-m", "first half")
    world.commit()
    return {"HEAD~": {"a": 3}, "HEAD": {"a": 3}}


@case
def amend(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.edit("b", "app.py", *HUMAN, *A3, *B3)
    world.commit("-a", "--amend", "-m", "better")
    return {"HEAD": {"a": 3, "b": 3}}


@case
def amend_of_the_message(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.commit("--amend", "-m", "other words")
    return {"HEAD": {"a": 3}}


def _two_branches(world: World) -> None:
    base(world)
    world.git("switch", "-qc", "work")
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.edit("b", "more.py", *B3)
    world.commit()
    world.git("switch", "-q", "main")
    world.write("other.py", "typed = 'on main'")
    world.commit()
    world.git("switch", "-q", "work")


@case
def rebase(world: World) -> Truth:
    _two_branches(world)
    world.git("rebase", "-q", "main")
    return {"HEAD~": {"a": 3}, "HEAD": {"b": 3}}


def _colleague_pushes(world: World) -> None:
    shared = world.folder / "shared.git"
    world.git_at(world.folder, "clone", "-q", "--bare", str(world.repository), str(shared))
    world.git("remote", "add", "origin", str(shared))
    clone = world.folder / "colleague"
    world.git_at(world.folder, "clone", "-q", str(shared), str(clone))
    world.write("theirs.py", "typed = 'elsewhere'", root=clone)
    world.git_at(clone, "add", "-A")
    world.git_at(clone, "-c", "user.email=bob@example.com", "commit", "-qm", "theirs")
    world.git_at(clone, "push", "-q")


@case
def pull_with_rebase(world: World) -> Truth:
    base(world)
    _colleague_pushes(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.git("pull", "-q", "--rebase", "origin", "main")
    return {"HEAD": {"a": 3}, "HEAD~": {}}


@case
def pull_with_rebase_and_autostash(world: World) -> Truth:
    base(world)
    _colleague_pushes(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.git("pull", "-q", "--rebase", "--autostash", "origin", "main")
    world.commit()
    return {"HEAD": {"a": 3}, "HEAD~": {}}


@case
def fixup_by_autosquash(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    first = world.commit()
    world.edit("b", "more.py", *B3)
    world.commit()
    world.edit("c", "app.py", *HUMAN, *A3, "TAX = decimal.Decimal('0.19')")
    world.commit("-a", "--fixup", first)
    world.git("rebase", "-q", "-i", "--autosquash", f"{first}^", GIT_SEQUENCE_EDITOR="true")
    return {"HEAD~": {"a": 3, "c": 1}, "HEAD": {"b": 3}}


@case
def commit_edited_in_a_rebase(world: World) -> Truth:
    _two_branches(world)
    world.git("rebase", "-q", "-i", "main", GIT_SEQUENCE_EDITOR="sed -i 1s/pick/edit/")
    world.edit("c", "app.py", *HUMAN, *A3, "TAX = decimal.Decimal('0.19')")
    world.commit("-a", "--amend", "--no-edit")
    world.git("rebase", "--continue")
    return {"HEAD~": {"a": 3, "c": 1}, "HEAD": {"b": 3}}


@case
def patch_by_mail(world: World) -> Truth:
    _two_branches(world)
    world.git("format-patch", "-q", "-1", "HEAD~", "-o", str(world.folder / "mail"))
    world.git("switch", "-q", "main")
    world.git("am", "-q", *(str(patch) for patch in (world.folder / "mail").iterdir()))
    return {"HEAD": {"a": 3}}


@case
def squash_by_interactive_rebase(world: World) -> Truth:
    _two_branches(world)
    world.git("rebase", "-q", "-i", "main", GIT_SEQUENCE_EDITOR="sed -i 2s/pick/squash/")
    return {"HEAD": {"a": 3, "b": 3}}


@case
def commits_in_another_order(world: World) -> Truth:
    _two_branches(world)
    world.git("rebase", "-q", "-i", "main", GIT_SEQUENCE_EDITOR="sed -i -e '1{h;d}' -e '2{G}'")
    return {"HEAD~": {"b": 3}, "HEAD": {"a": 3}}


@case
def a_dropped_commit(world: World) -> Truth:
    _two_branches(world)
    world.git("rebase", "-q", "-i", "main", GIT_SEQUENCE_EDITOR="sed -i 1d")
    return {"HEAD": {"b": 3}}


@case
def a_split_commit(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.edit("b", "more.py", *B3)
    world.commit()
    world.git("reset", "-q", "HEAD^")
    world.git("add", "app.py")
    world.commit("-m", "one")
    world.git("add", "-A")
    world.commit("-m", "two")
    return {"HEAD~": {"a": 3}, "HEAD": {"b": 3}}


@case
def merge_squash(world: World) -> Truth:
    _two_branches(world)
    world.git("switch", "-q", "main")
    world.git("merge", "-q", "--squash", "work")
    world.commit("-m", "squashed")
    return {"HEAD": {"a": 3, "b": 3}}


@case
def cherry_pick(world: World) -> Truth:
    _two_branches(world)
    world.git("switch", "-q", "main")
    world.git("cherry-pick", "work~", "work")
    return {"HEAD~": {"a": 3}, "HEAD": {"b": 3}}


@case
def reset_soft_and_commit_again(world: World) -> Truth:
    _two_branches(world)
    world.git("reset", "-q", "--soft", "HEAD~2")
    world.commit("-m", "both")
    return {"HEAD": {"a": 3, "b": 3}}


@case
def stash_and_pop(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.git("stash", "-q")
    world.write("other.py", "typed = 'meanwhile'")
    world.commit()
    world.git("stash", "pop", "-q")
    world.commit()
    return {"HEAD": {"a": 3}, "HEAD~": {}}


@case
def stash_popped_by_another_agent(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.git("stash", "-q")
    world.shell("b", "git stash pop -q")
    world.edit("b", "more.py", *B3)
    world.commit()
    return {"HEAD": {"a": 3, "b": 3}}


@case
def stash_of_single_files(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.edit("b", "more.py", *B3)
    world.git("add", "-A")
    world.git("stash", "push", "-q", "--", "more.py")
    world.commit("-m", "one")
    world.git("stash", "pop", "-q")
    world.commit()
    return {"HEAD~": {"a": 3}, "HEAD": {"b": 3}}


def _conflict(world: World) -> None:
    base(world)
    world.git("switch", "-qc", "work")
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.git("switch", "-q", "main")
    world.write("app.py", *HUMAN, "def total(rows):", "    return sum(rows)")
    world.commit()
    world.git("switch", "-q", "work")
    world.git("rebase", "-q", "main", check=False)


@case
def conflict_resolved_by_a_person(world: World) -> Truth:
    _conflict(world)
    world.write("app.py", *HUMAN, "def total(rows, items):", "    return sum(rows)", "    typed = items", *A3[1:])
    world.git("add", "-A")
    world.git("rebase", "--continue")
    # The person keeps two lines of the agent and types two.
    return {"HEAD": {"a": 2}}


@case
def conflict_resolved_by_an_agent(world: World) -> Truth:
    _conflict(world)
    world.edit("b", "app.py", *HUMAN, "def total(rows, items):", "    return sum(rows)", "    rest = items", *A3[1:])
    world.git("add", "-A")
    world.git("rebase", "--continue")
    return {"HEAD": {"a": 2, "b": 2}}


@case
def conflict_in_a_merge(world: World) -> Truth:
    base(world)
    world.git("switch", "-qc", "work")
    world.edit("a", "app.py", *HUMAN, *A3)
    work = world.commit()
    world.git("switch", "-q", "main")
    world.write("app.py", *HUMAN, "typed = 'on main'")
    world.commit()
    world.git("merge", "-q", "work", check=False)
    world.write("app.py", *HUMAN, "typed = 'on main'", *A3)
    world.commit("-a", "-m", "merged")
    # Lines of a merge are its parents'.
    return {"HEAD": {}, work: {"a": 3}}


@case
def formatter_on_white_space(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.write("app.py", *HUMAN, *(line.replace("    ", "\t") for line in A3))
    path = world.repository / "app.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    world.saved("app.py")
    world.commit()
    # The formatter ends the person's two lines with \\r\\n as well: they are added, and nobody's.
    return {"HEAD": {"a": 3}}


@case
def indented_by_a_person_in_a_later_commit(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.write("app.py", *HUMAN, *(f"    {line}" for line in A3))
    world.commit()
    return {"HEAD": {"a": 3}, "HEAD~": {"a": 3}}


@case
def formatter_that_breaks_lines(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.write("app.py", *HUMAN, A3[0], "    amount = sum(", "        item.price for item in items", "    )", A3[2])
    world.commit()
    # Two lines survive; the broken one is unknown, as the formatter ran for nobody.
    return {"HEAD": {"a": 2}}


@case
def formatter_of_the_agent(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, A3[0], "    amount=sum(item.price for item in items)", A3[2])
    world.shell("a", "sed -i 's/amount=sum(item.price/amount = sum(entry.price/' app.py")
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def shell_command_writes_files(world: World) -> Truth:
    base(world)
    world.write("app.py", *HUMAN, "typed = 'not committed yet'")
    world.shell("a", "printf 'import json\\nprint(json)\\n' > made.py; sed -i 's/invoices/bills/' app.py")
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def shell_commands_of_four_agents(world: World) -> Truth:
    base(world)
    agents = ("claude_code", "codex", "gemini_cli", "windsurf")
    for number, agent in enumerate(agents):
        world.shell(agent, f"echo 'value_{number} = {number}' >> made.py", agent=agent)
    world.commit()
    return {"HEAD": dict.fromkeys(agents, 1)}


@case
def shell_command_writes_and_commits(world: World) -> Truth:
    base(world)
    world.shell("a", "printf 'import json\\nprint(json)\\n' > made.py && git add -A && git commit -qm made")
    return {"HEAD": {"a": 2}}


@case
def person_edits_between_shell_commands(world: World) -> Truth:
    base(world)
    world.shell("a", "echo 'written = 1' >> app.py")
    world.insert("app.py", "written = 1", "typed = 2")
    world.shell("a", "echo 'written = 3' >> app.py")
    world.commit()
    return {"HEAD": {"a": 2}}


@case
def checkout_in_the_shell_of_an_agent(world: World) -> Truth:
    base(world)
    world.git("switch", "-qc", "work")
    world.write("theirs.py", "typed = 'on another branch'")
    world.commit()
    world.git("switch", "-q", "main")
    world.shell("a", "git checkout -q work -- theirs.py")
    world.commit()
    return {"HEAD": {}}


@case
def rename_of_a_file(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.git("add", "-A")
    world.git("mv", "app.py", "billing.py")
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def rename_in_the_shell_of_an_agent(world: World) -> Truth:
    base(world, *HUMAN, "typed = 1", "typed_too = 2", "typed_again = 3")
    world.shell("a", "mv app.py billing.py && echo 'written = 4' >> billing.py")
    world.commit()
    return {"HEAD": {"a": 1}}


@case
def block_moved_to_another_file(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.write("app.py", *HUMAN)
    world.write("billing.py", *A3)
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def block_of_a_person_moved_by_an_agent(world: World) -> Truth:
    base(world, *HUMAN, "typed_one = 1", "typed_two = 2")
    patch = (
        "*** Begin Patch\n*** Update File: app.py\n-typed_one = 1\n*** Add File: more.py\n+typed_one = 1\n+more = 3\n"
    )
    call = world.opened("a", "codex", "apply_patch", {"command": patch}, world.repository)
    world.write("app.py", *HUMAN, "typed_two = 2", by="a")
    world.write("more.py", "typed_one = 1", "more = 3", by="a")
    world.hook("codex", {**call, "hook_event_name": "PostToolUse"})
    world.commit()
    return {"HEAD": {"a": 1}}


@case
def copy_by_a_person_in_a_later_commit(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.write("copied.py", *A3)
    world.commit()
    return {"HEAD": {}, "HEAD~": {"a": 3}}


@case
def copy_by_a_person_in_the_same_commit(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.write("copied.py", *A3)
    world.commit()
    return {"HEAD": {"a": 3}}


@case
def revert_of_a_revert(world: World) -> Truth:
    base(world)
    world.edit("a", "app.py", *HUMAN, *A3)
    world.commit()
    world.git("revert", "--no-edit", "HEAD")
    world.git("revert", "--no-edit", "HEAD")
    return {"HEAD": {}, "HEAD~": {}, "HEAD~2": {"a": 3}}


BLOCK = ("function start() {", "  if (ready) {", "    run(queue);", "  }", "}", "")
TYPED = ("function stop() {", "  if (busy) {", "    halt(queue);", "  }", "}", "")


@case
def common_lines_of_an_agent_and_a_person(world: World) -> Truth:
    base(world)
    world.edit("a", "app.js", *BLOCK)
    world.write("app.js", *BLOCK, *TYPED)
    world.commit()
    return {"HEAD": {"a": 6}}


@case
def common_lines_of_a_person_first(world: World) -> Truth:
    base(world)
    world.write("app.js", *TYPED)
    world.edit("a", "app.js", *TYPED, *BLOCK)
    world.commit()
    return {"HEAD": {"a": 6}}


@case
def common_lines_in_different_commits(world: World) -> Truth:
    base(world)
    world.edit("a", "app.js", *BLOCK)
    world.write("other.js", *TYPED)
    world.git("add", "other.js")
    world.commit("-m", "typed")
    world.commit()
    return {"HEAD~": {}, "HEAD": {"a": 6}}


@case
def an_agent_closes_a_block_of_a_person(world: World) -> Truth:
    base(world)
    world.write("app.js", *TYPED[:3])
    world.edit("a", "app.js", *TYPED[:3], "  }", "}")
    world.commit()
    return {"HEAD": {"a": 2}}


@case
def a_person_retypes_common_lines(world: World) -> Truth:
    base(world)
    world.edit("a", "app.js", *BLOCK)
    world.commit()
    world.write("app.js", *BLOCK, *TYPED)
    world.commit()
    return {"HEAD": {}}


@case
def a_failed_edit(world: World) -> Truth:
    base(world)
    given = {"file_path": str(world.repository / "app.py"), "old_string": "missing", "new_string": "typed = 1"}
    call = world.opened("a", "claude_code", "Edit", given, world.repository)
    world.hook("claude_code", {**call, "hook_event_name": "PostToolUseFailure", "error": "not in the file"})
    world.write("app.py", *HUMAN, "typed = 1")
    world.commit()
    return {"HEAD": {}}


@case
def an_edit_without_a_snapshot_before(world: World) -> Truth:
    base(world)
    world.write("app.py", *HUMAN, *A3, by="a")
    given = {"file_path": str(world.repository / "app.py"), "content": "\n".join((*HUMAN, *A3))}
    world.hook("claude_code", {"session_id": "a", "cwd": str(world.repository), "tool_name": "Write",
               "tool_use_id": "toolu_x", "tool_input": given, "hook_event_name": "PostToolUse"})  # fmt: skip
    world.commit()
    return {"HEAD": {}}


@case
def binary_and_empty_files(world: World) -> Truth:
    base(world)
    (world.repository / "image.png").write_bytes(b"\x89PNG\0\0" * 50)
    world.shell("a", "cat image.png image.png > twice.png; touch empty.txt; echo 'written = 1' > app2.py")
    world.commit()
    return {"HEAD": {"a": 1}}


@case
def file_names_of_every_kind(world: World) -> Truth:
    base(world)
    for number, name in enumerate(('with "quotes".py', "with space.py", "ünïcode.py", "tab\there.py", "-dash.py")):
        world.edit("a", name, f"value_{number} = {number}")
    world.commit()
    return {"HEAD": {"a": 5}}


def scores(truth: Counts, measured: Counts) -> tuple[int, int, int]:
    """The numbers of lines attributed correctly to an agent's session, attributed wrongly, and missed."""
    sessions: Iterable[str] = {*truth, *measured}
    right = sum(min(truth.get(session, 0), measured.get(session, 0)) for session in sessions)
    return right, sum(measured.values()) - right, sum(truth.values()) - right
