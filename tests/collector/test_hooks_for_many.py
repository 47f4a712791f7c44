"""Hooks for more than one repository or person: git's global core.hooksPath, and Copilot's file of a repository."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent import copilot_files, git_hooks, registration
from agent.ledger import HOME_VARIABLE
from bench.collector_cases import A3, B3
from bench.collector_world import World
from tests.collector.test_installation import hook, prepare, ran, tree


def fails(world: World, *arguments: str) -> None:
    done = subprocess.run(
        ["git", *arguments], cwd=world.repository, env=world.environment, capture_output=True, check=False
    )
    assert done.returncode != 0, arguments


def test_global_hooks_run_those_of_every_repository(tmp_path: Path) -> None:
    world = World(tmp_path)
    before = prepare(world, {})
    world.agent("install", "--server", "http://127.0.0.1:9", "--token", "hwi_none")
    folder = world.repository / ".git" / "hooks"
    hook(world, folder / "post-rewrite")
    world.edit("a", "app.py", *A3)
    first = world.commit()
    assert (folder / "post-commit").exists()
    world.agent("install", "--global-git-hooks")
    assert [path.name for path in folder.iterdir() if ".sample" not in path.name] == ["post-rewrite"]
    assert sorted(os.listdir(world.home / ".headway-agent" / "git-hooks")) == sorted(git_hooks.ALL_HOOKS)

    own_hooks_run(world, folder, first)
    work_tree_and_push(world, folder)

    world.git("config", "core.hooksPath", ".githooks")
    hook(world, world.repository / ".githooks" / "post-commit")
    world.edit("c", "last.py", *A3)
    world.commit()
    world.shell("c", "true")
    assert world.counts("HEAD") == {"c": 3}
    said = world.agent("doctor", status=1)
    assert "its hooks are tracked files" in said
    assert "Install again with --global-git-hooks" not in said

    configuration = world.home / ".gitconfig"
    own = before[".gitconfig"][1]
    configuration.write_bytes(configuration.read_bytes() + b"[alias]\n\tst = status\n")
    world.agent("install", "--no-global-git-hooks")
    assert configuration.read_bytes() == own + b"[alias]\n\tst = status\n"
    assert not (world.home / ".headway-agent" / "git-hooks").exists()
    configuration.write_bytes(own)
    world.agent("install", "--global-git-hooks")
    world.agent("uninstall")
    assert tree(world.home) == before


def own_hooks_run(world: World, folder: Path, first: str) -> None:
    """A repository's hooks get their arguments and their input, and decide."""
    for name in ("commit-msg", "post-commit", "post-checkout"):
        hook(world, folder / name)
    world.git("commit", "-q", "--amend", "-m", "better")
    assert f"{first} {world.git('rev-parse', 'HEAD')}" in ran(world)  # the input of post-rewrite
    assert "hooks/commit-msg .git/COMMIT_EDITMSG" in ran(world)
    assert "hooks/post-commit" in ran(world)
    assert world.counts("HEAD") == {"a": 3}
    hook(world, folder / "pre-commit", status=7)
    fails(world, "commit", "--allow-empty", "-m", "refused")
    (folder / "pre-commit").unlink()


def work_tree_and_push(world: World, folder: Path) -> None:
    """Work trees share the hooks of their repository; where git does something without a hook, it goes on."""
    world.git("worktree", "add", "-q", str(world.folder / "tree"), "-b", "tree")
    hook(world, folder / "pre-push", status=0)
    world.edit("b", "more.py", *B3, root=world.folder / "tree")
    world.git_at(world.folder / "tree", "add", "-A")
    (world.folder / "ran").unlink()
    world.git_at(world.folder / "tree", "commit", "-qm", "in a work tree")
    assert str(folder / "post-commit") in ran(world)
    assert world.counts("tree") == {"b": len(B3)}

    other = world.folder / "other"  # a work tree that git itself updates, as there is no hook for it
    world.git("clone", "-q", str(world.repository), str(other))
    world.git_at(other, "config", "receive.denyCurrentBranch", "updateInstead")
    world.git("push", "-q", str(other), "tree:main")
    assert f"refs/heads/tree {world.git('rev-parse', 'tree')} refs/heads/main" in ran(world)  # the input of pre-push
    assert (other / "more.py").exists()
    (other / "more.py").write_text("typed = 1\n")
    fails(world, "push", str(other), "+tree~1:main")
    hook(world, folder / "pre-push", status=1)
    fails(world, "push", str(other), "tree:side")


def test_a_global_folder_of_somebody_else_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "own"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "a b"))
    git_hooks.require_no_other()
    git_hooks.add_global()
    assert git_hooks.is_global()
    git_hooks.remove_global()
    assert not (tmp_path / "own").exists()
    (tmp_path / "own").write_text("[core]\n\thooksPath = ~/hooks\n")
    with pytest.raises(git_hooks.OtherHooksError, match="hooks\\. Nothing was changed"):
        git_hooks.require_no_other()
    (tmp_path / "own").unlink()
    git_hooks.add_global()
    (tmp_path / "own").write_text("[core]\n\thooksPath = ~/hooks\n")  # theirs since: it stays
    git_hooks.remove_global()
    assert (tmp_path / "own").read_text() == "[core]\n\thooksPath = ~/hooks\n"


# Copilot


def run_shared(path: Path, payload: Mapping[str, Any], environment: Mapping[str, str], shell: str = "bash") -> None:
    """Run the command that a repository's file has for this event, as Copilot does."""
    for entry in json.loads(path.read_text())["hooks"][payload["hook_event_name"]]:
        done = subprocess.run(
            [shell, "-c", entry["bash"]],
            input=json.dumps(payload),
            cwd=path.parents[2],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_copilots_hooks_as_a_file_of_the_repository(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = world.repository / copilot_files.FILE
    path.parent.mkdir(parents=True)
    theirs = b'{"version": 1, "hooks": {"SessionStart": [{"type": "command", "bash": "./hello.sh"}]}}'
    path.write_bytes(theirs)
    assert "Commit the file" in world.agent("copilot-hooks", str(world.repository))
    assert "already there" in world.agent("copilot-hooks", str(world.repository))
    text = path.read_text()
    assert str(world.home) not in text
    assert "./hello.sh" in text

    # Copilot runs the hooks of the account and of the repository, in this order or at once: an edit counts once.
    content = "".join(f"{line}\n" for line in A3)
    given = {"file_path": str(world.repository / "app.py"), "content": content}
    call = {"session_id": "s", "cwd": str(world.repository), "tool_name": "Write", "tool_input": given}
    opened = {**call, "hook_event_name": "PreToolUse"}
    world.hook("copilot", opened)
    run_shared(path, opened, world.environment)
    world.write("app.py", *A3, by="s")
    closed = {**call, "hook_event_name": "PostToolUse"}
    run_shared(path, closed, world.environment)
    world.hook("copilot", closed)
    assert world.counts(world.commit()) == {"s": 3}
    with sqlite3.connect(world.home / ".headway-agent" / "ledger.db") as connection:
        assert connection.execute("SELECT count(*) FROM written").fetchall() == [(3,)]

    # A colleague without a collector, or with one that is broken.
    colleague = {**world.environment, "HOME": str(tmp_path / "nobody")}
    shells = [shell for shell in ("bash", "dash") if shutil.which(shell)]
    for shell in shells:
        run_shared(path, opened, colleague, shell)
    broken = tmp_path / "nobody" / ".headway-agent"
    broken.mkdir(parents=True)
    (broken / "python").write_text("/nowhere/python\n")
    for shell in shells:
        run_shared(path, opened, colleague, shell)

    assert "removed" in world.agent("copilot-hooks", "--remove", str(world.repository))
    assert path.read_bytes() == theirs
    assert "no hooks to remove" in world.agent("copilot-hooks", "--remove", str(world.repository))
    assert "not in a git repository" in world.agent("copilot-hooks", str(tmp_path), status=1)


def test_copilots_file_goes_with_the_collector_unless_it_is_tracked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home" / ".headway-agent"))
    roots = [tmp_path / name for name in ("tracked", "untracked", "cloned")]
    for root in roots:
        subprocess.run(["git", "init", "-q", str(root)], check=True)
    assert copilot_files.add(str(roots[0]))
    assert copilot_files.add(str(roots[1]))
    subprocess.run(["git", "add", "-A"], cwd=roots[0], check=True)
    path = roots[0] / copilot_files.FILE
    copy = roots[2] / copilot_files.FILE  # somebody else's collector made it
    copy.parent.mkdir(parents=True)
    shutil.copy(path, copy)
    assert not copilot_files.add(str(roots[2]))
    assert list(copilot_files.remove_all()) == [str(path)]
    assert path.exists()
    assert registration.manifest() == {}
    assert [entry.name for entry in roots[1].iterdir()] == [".git"]
    assert copilot_files.remove(str(roots[2]))
    assert [entry.name for entry in roots[2].iterdir()] == [".git"]
    path.write_text("{")
    with pytest.raises(registration.UnreadableSettingsError):
        copilot_files.remove(str(roots[0]))
    with pytest.raises(registration.UnreadableSettingsError):
        copilot_files.add(str(roots[0]))
