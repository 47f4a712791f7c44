"""The collector comes and goes without a trace, stands in nobody's way, and loses nothing."""

from __future__ import annotations

import ast
import contextlib
import getpass
import io
import json
import os
import plistlib
import shutil
import subprocess
import sys
import tarfile
import types
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import VERSION, managed, registration, upload
from agent.ledger import HOME_VARIABLE, Ledger, write_settings
from agent.lines import file_type
from bench.collector_cases import A3, B3
from bench.collector_world import World
from integrations.collector.packages import FILES, SOURCES, archive, bundle, debian_package, sha256_of
from tests.collector.door import Door
from tests.servers import PROJECT_DIR

Tree = dict[str, tuple[int, bytes]]


def tree(folder: Path) -> Tree:
    """Every file and folder with its mode and content; git's own records are left out."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


SETTINGS: dict[str, dict[str, bytes]] = {
    "nothing there": {},
    "settings of one's own": {
        ".claude/settings.json": b'{\n\t"model": "opus",\n\t"env": {"A": "\\u00e4"}\n}',
        ".codex/hooks.json": b'{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]}}\n\n',
        ".gemini/settings.json": b"",
        ".cursor/hooks.json": b'{"version": 1, "hooks": {"afterFileEdit": [{"command": "./format.sh"}]}}',
        ".copilot/settings.json": b"{}",
    },
    "a byte order mark": {".claude/settings.json": b'\xef\xbb\xbf{"model": "x"}\r\n'},
}


def prepare(world: World, files: dict[str, bytes]) -> Tree:
    """Uninstall, and put settings there; returns the home as it is before the next installation."""
    world.agent("uninstall")
    for name, content in files.items():
        (world.home / name).write_bytes(content)
    return tree(world.home)


def install(world: World) -> str:
    return world.agent("install", "--server", "http://127.0.0.1:9", "--token", "hwi_none")


@pytest.mark.parametrize("name", SETTINGS)
def test_uninstalling_leaves_the_home_as_it_was(tmp_path: Path, name: str) -> None:
    world = World(tmp_path)
    (world.home / ".local" / "bin").mkdir(parents=True)
    before = prepare(world, SETTINGS[name])
    install(world)
    world.edit("a", "app.py", *A3)
    world.commit()
    assert world.counts("HEAD") == {"a": 3}
    install(world)  # twice changes nothing
    world.agent("uninstall")
    assert tree(world.home) == before
    assert [path.name for path in (world.repository / ".git" / "hooks").iterdir() if ".sample" not in path.name] == []


def test_hooks_of_ones_own_stay_registered(tmp_path: Path) -> None:
    world = World(tmp_path)
    prepare(world, SETTINGS["settings of one's own"])
    install(world)
    codex = json.loads((world.home / ".codex/hooks.json").read_text())
    assert "say done" in json.dumps(codex["hooks"]["Stop"][0])
    assert "headway-agent" in json.dumps(codex["hooks"]["Stop"][1])
    assert (world.home / ".claude/settings.json").read_text().count("\n\t") > 5  # indented as it was


def test_what_was_changed_since_stays(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = world.home / ".claude" / "settings.json"
    prepare(world, {".claude/settings.json": b'{"model": "opus"}'})
    install(world)
    settings = json.loads(path.read_text())
    settings["model"] = "haiku"
    settings["hooks"]["Stop"].append({"hooks": [{"type": "command", "command": "say done"}]})
    path.write_text(json.dumps(settings))
    world.agent("uninstall")
    assert json.loads(path.read_text()) == {
        "model": "haiku",
        "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]},
    }


@pytest.mark.parametrize(
    "content",
    [b'{"model": "x", // my choice\n}', b"{", b"[]", b'{"hooks": []}', b'{"hooks": {"Stop": {}}}', b"\xff\xfe{"],
)
def test_settings_that_cannot_be_merged_are_left_alone(tmp_path: Path, content: bytes) -> None:
    world = World(tmp_path)
    before = prepare(world, {".claude/settings.json": content})
    said = install(world)
    assert str(world.home / ".claude" / "settings.json") in said
    assert (world.home / ".claude" / "settings.json").read_bytes() == content
    assert "Claude Code: " in world.agent("doctor", status=1)
    world.agent("uninstall")
    assert tree(world.home) == before


@pytest.mark.parametrize("stdin", [b"", b"{", b"[]", b"null", b'{"session_id": 7}', b"\xff" * 100, b"[" * 100_000])
@pytest.mark.parametrize("agent", ["claude_code", "copilot"])
def test_a_hook_ends_well_and_says_nothing_whatever_it_is_given(tmp_path: Path, agent: str, stdin: bytes) -> None:
    world = World(tmp_path)
    run_hook(world, agent, stdin)


def run_hook(world: World, agent: str, stdin: bytes) -> None:
    script = world.home / ".headway-agent" / "hook.py"
    done = subprocess.run(
        [sys.executable, "-IS", str(script), "agent", agent],
        input=stdin,
        env=world.environment,
        cwd=world.repository,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def remove_modules(home: Path) -> None:
    shutil.rmtree(home / "lib")


def damage_ledger(home: Path) -> None:
    (home / "ledger.db").write_bytes(b"no database" * 1000)


def remove_everything_but_the_hook(home: Path) -> None:
    for path in home.iterdir():
        if path.name not in ("hook.py", "lib"):
            path.unlink()


def replace_ledger_by_folder(home: Path) -> None:
    for path in home.glob("ledger.db*"):
        path.unlink()
    (home / "ledger.db").mkdir()


@pytest.mark.parametrize(
    "harm", [remove_modules, damage_ledger, remove_everything_but_the_hook, replace_ledger_by_folder]
)
def test_a_broken_installation_stands_in_nobodys_way(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    world = World(tmp_path)
    world.edit("a", "app.py", *A3)
    harm(world.home / ".headway-agent")
    world.edit("a", "app.py", *A3, *B3)  # its hooks run, and the world fails on any word of theirs
    world.commit()
    assert world.git("log", "--oneline").count("change") == 1


def test_a_full_disk_stands_in_nobodys_way(tmp_path: Path) -> None:
    """/dev/full stands for the ledger's disk."""
    world = World(tmp_path)
    home = world.home / ".headway-agent"
    for path in home.glob("ledger.db*"):
        path.unlink()
    os.symlink("/dev/full", home / "ledger.db")
    (home / "log.txt").unlink(missing_ok=True)
    os.symlink("/dev/full", home / "log.txt")
    world.edit("a", "app.py", *A3)
    world.commit()


def test_nothing_is_recorded_while_it_is_paused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.agent("pause")
    world.edit("a", "app.py", *A3)
    world.commit()
    world.agent("resume")
    assert world.counts("HEAD") == {}
    world.edit("a", "app.py", *A3, *B3)
    world.commit()
    assert world.counts("HEAD") == {"a": 3}


# Git's hooks


def hook(world: World, path: Path, *, status: int = 0) -> Path:
    """A hook of somebody's own that writes down its arguments and its input."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$0 $*" >> {world.folder}/ran\ncat >> {world.folder}/ran\nexit {status}\n')
    path.chmod(0o755)
    return path


def ran(world: World) -> str:
    path = world.folder / "ran"
    return path.read_text() if path.exists() else ""


def test_a_hook_that_was_there_still_runs_and_decides(tmp_path: Path) -> None:
    world = World(tmp_path)
    folder = world.repository / ".git" / "hooks"
    own = [hook(world, folder / name).read_bytes() for name in ("post-commit", "post-rewrite")]
    checkout = hook(world, folder / "post-checkout", status=7).read_bytes()
    world.edit("a", "app.py", *A3)
    old = world.commit()
    world.git("commit", "-q", "--amend", "-m", "better")
    assert f"{old} {world.git('rev-parse', 'HEAD')}" in ran(world)  # the input of post-rewrite
    done = subprocess.run(
        ["git", "checkout", "-qb", "side"],
        cwd=world.repository,
        env=world.environment,
        check=False,
        capture_output=True,
    )
    assert done.returncode != 0
    assert world.counts("HEAD") == {"a": 3}
    world.agent("uninstall")
    assert [(folder / name).read_bytes() for name in ("post-commit", "post-rewrite")] == own
    assert (folder / "post-checkout").read_bytes() == checkout
    assert not list(folder.glob("*headway*"))


# As husky 9 does: a hook finds by its own name which of the repository's files to run.
HUSKY = ('n=$(basename "$0")', 's=$(dirname "$(dirname "$0")")/$n', '[ ! -f "$s" ] && exit 0', 'sh -e "$s" "$@"')


def test_the_folder_of_husky_is_used_and_restored(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(".husky/_/.gitignore", "*")
    world.write(".husky/_/h", *HUSKY)
    world.write(".husky/_/post-commit", "#!/usr/bin/env sh", '. "$(dirname "$0")/h"')
    (world.repository / ".husky" / "_" / "post-commit").chmod(0o755)
    own = (world.repository / ".husky" / "_" / "post-commit").read_bytes()
    hook(world, world.repository / ".husky" / "post-commit")
    world.git("config", "core.hooksPath", ".husky/_")
    world.edit("a", "app.py", *A3)
    world.commit()
    assert "post-commit" in ran(world)
    assert world.counts("HEAD") == {"a": 3}
    assert world.git("status", "--porcelain") == ""
    world.agent("uninstall")
    assert (world.repository / ".husky" / "_" / "post-commit").read_bytes() == own


def test_tracked_hooks_are_left_alone_and_the_next_event_catches_up(tmp_path: Path) -> None:
    world = World(tmp_path)
    hook(world, world.repository / ".githooks" / "pre-commit")
    world.git("config", "core.hooksPath", ".githooks")
    world.edit("a", "app.py", *A3)
    sha = world.commit()
    assert world.git("status", "--porcelain") == ""
    assert world.document(sha) == {}
    world.hook("claude_code", {"session_id": "a", "cwd": str(world.repository), "hook_event_name": "Stop"})
    assert world.counts(sha) == {"a": 3}
    assert "its hooks are tracked files" in world.agent("doctor", status=1)


def test_a_framework_that_wraps_our_hook_keeps_it(tmp_path: Path) -> None:
    """As `pre-commit install` does: it moves what is there to .legacy, and calls it."""
    world = World(tmp_path)
    world.edit("a", "app.py", *A3)
    world.commit()
    path = world.repository / ".git" / "hooks" / "post-commit"
    path.rename(path.with_name("post-commit.legacy"))
    path.write_text('#!/bin/sh\nexec "$0.legacy" "$@"\n')
    path.chmod(0o755)
    world.insert("app.py", A3[2], "typed = 1")
    world.edit("a", "more.py", *B3)
    world.commit()
    assert world.counts("HEAD") == {"a": 3}
    world.agent("uninstall")
    world.write("more.py", "typed = 2")
    world.commit()  # what is left of it is silent


def test_repositories_are_left_alone_where_wished(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.agent("install", "--no-git-hooks")
    world.edit("a", "app.py", *A3)
    sha = world.commit()
    assert not (world.repository / ".git" / "hooks" / "post-commit").exists()
    world.hook("claude_code", {"session_id": "a", "cwd": str(world.repository), "hook_event_name": "SessionEnd"})
    assert world.counts(sha) == {"a": 3}


def test_odd_repositories(tmp_path: Path) -> None:
    """Without a commit, bare, none at all, and a submodule."""
    world = World(tmp_path)
    world.shell("a", "true")
    bare = world.folder / "bare.git"
    world.git_at(world.folder, "init", "-q", "--bare", str(bare))
    world.edit("a", "file.txt", "written = 1", root=bare)
    (world.folder / "plain").mkdir()
    world.edit("a", "file.txt", "written = 1", root=world.folder / "plain")
    inner = world.folder / "inner"
    world.git_at(world.folder, "init", "-q", str(inner))
    world.write("lib.py", "typed = 1", root=inner)
    world.git_at(inner, "add", "-A")
    world.git_at(inner, "commit", "-qm", "inner")
    world.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "inner")
    world.commit()
    world.edit("a", "lib.py", "typed = 1", *A3, root=world.repository / "inner")
    world.git_at(world.repository / "inner", "add", "-A")
    world.git_at(world.repository / "inner", "commit", "-qm", "more")
    sha = world.git_at(world.repository / "inner", "rev-parse", "HEAD")
    assert [kind["sessions"][0]["lines"] for kind in world.document(sha)["file_types"]] == [3]
    assert not (world.home / ".headway-agent" / "log.txt").read_text().count("Traceback")


# The queue


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"oops"), (200, b"<html>Sign in</html>"), (200, b"[]"), (401, b"{}"), (302, b""), (429, b""), (503, b"")],
)
def test_nothing_is_lost_or_sent_twice(tmp_path: Path, door: Door, status: int, body: bytes) -> None:
    world = World(tmp_path, server=door.address)
    door.arrived.clear()
    door.answer = status, body
    world.edit("a", "app.py", *A3)
    sha = world.commit()
    assert door.address in world.agent("doctor", status=1)
    assert "Records waiting to be sent: 1" in world.agent("status")
    door.arrived.clear()
    door.answer = 200, b'{"accepted": 1}'
    world.agent("install")  # tries at once
    world.agent("install")
    assert [commit["commit"] for commit in door.commits] == [sha]


def test_a_report_that_is_refused_for_good_holds_up_no_other(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    door.answer = 400, b'{"error": "commits[0].patch_id is not a patch id."}'
    world.edit("a", "app.py", *A3)
    sha = world.commit()
    assert f"refused the report of {sha[:12]}" in world.agent("doctor", status=1)
    door.answer = 200, b'{"accepted": 1}'
    world.edit("a", "app.py", *A3, *B3)
    world.commit()
    assert [commit["commit"] for commit in door.commits] == [world.git("rev-parse", "HEAD")]


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "agent"))
    write_settings({"server": "http://127.0.0.1:9", "token": "hwi_none"})
    with Ledger() as opened:
        yield opened


def test_a_clock_that_was_wrong_by_a_day_stops_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt failed while the clock was a day ahead: set right, the next one is not a day away."""
    sent: list[object] = []
    now = 1_800_000_000.0
    assert upload.send_queue(ledger, now=now + 86_400) == 0
    assert float(ledger.note("next attempt")) > now + 86_400
    ledger.judge("r", "a" * 40, [], {"commit": "a" * 40})
    monkeypatch.setattr(upload, "post", lambda *report: sent.append(report))
    assert upload.send_queue(ledger, now=now) == 1
    assert len(sent) == 1


def test_two_weeks_without_network_keep_everything(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    now, attempts = 1_800_000_000.0, 0

    def refuse(*_: object) -> None:
        nonlocal attempts
        attempts += 1
        raise upload.RefusedError("no network")

    monkeypatch.setattr(upload, "post", refuse)
    shas = [f"{number:040x}" for number in range(500)]
    for number, sha in enumerate(shas):
        ledger.judge("r", sha, [], {"commit": sha})
        upload.send_queue(ledger, now=now + number * 14 * 86_400 / 500)
    assert attempts < 80  # the pause grows to six hours
    sent: list[str] = []
    monkeypatch.setattr(upload, "post", lambda *report: sent.extend(c["commit"] for c in report[2]["commits"]))
    assert upload.send_queue(ledger, now=now + 15 * 86_400) == 500
    assert sorted(sent) == shas


# The file


def test_it_is_one_file_of_the_standard_library_for_python_3_9() -> None:
    """Syntax by the grammar of 3.9; what came to the library later is not called by name."""
    later = {
        "bit_count",
        "pairwise",
        "removeprefixes",
        "UTC",
        "tomllib",
        "StrEnum",
        "TypeAlias",
        "ParamSpec",
        "batched",
    }
    for path in SOURCES.glob("*.py"):
        parsed = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
        for node in ast.walk(parsed):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] in sys.stdlib_module_names, path
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= sys.stdlib_module_names, path
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            assert name not in later, path
            if isinstance(node, ast.Call):
                assert "strict" not in {keyword.arg for keyword in node.keywords}, path
            assert not isinstance(node, ast.Match), path
        assert any("annotations" in ast.dump(node) for node in parsed.body[:2]) or path.stem in ("__init__", "__main__")


def test_the_same_sources_make_the_same_files(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT_DIR / "scripts" / "build_agent.py"), str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    for name, content in FILES.items():
        assert (tmp_path / name).read_bytes() == content()
        assert f"{sha256_of(name)}  {name}\n" in done.stdout


def test_the_debian_package_is_one(tmp_path: Path) -> None:
    """By its documented form: https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html"""
    parts = members_of(debian_package())
    assert list(parts) == ["debian-binary", "control.tar", "data.tar"]
    assert parts["debian-binary"] == b"2.0\n"
    with tarfile.open(fileobj=io.BytesIO(parts["control.tar"])) as tar:
        control = tar.extractfile("./control")
        assert control is not None
        assert f"Version: {VERSION}\n".encode() in control.read()
    with tarfile.open(fileobj=io.BytesIO(parts["data.tar"])) as tar:
        tar.extractall(tmp_path, filter="fully_trusted")  # noqa: S202  # our own
        assert {(entry.uid, entry.uname, entry.mtime) for entry in tar} == {(0, "root", 0)}
    program = tmp_path / "usr" / "lib" / "headway-agent" / "headway-agent.pyz"
    assert program.read_bytes() == archive()
    assert os.access(tmp_path / "usr" / "bin" / "headway-agent", os.X_OK)


def members_of(content: bytes) -> dict[str, bytes]:
    """Members of an ar archive."""
    assert content.startswith(b"!<arch>\n")
    found, start = {}, 8
    while start < len(content):
        header = content[start : start + 60]
        assert header.endswith(b"`\n")
        size = int(header[48:58])
        found[header[:16].decode().strip()] = content[start + 60 : start + 60 + size]
        start += 60 + size + size % 2
    return found


def test_the_bundle_installs_from_its_folder(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(bundle())).extractall(tmp_path)  # noqa: S202  # our own
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    folder = tmp_path / "headway-agent"
    line = ["sh", str(folder / "install.sh"), "--server", "http://127.0.0.1:9", "--token", "hwi_none"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    assert "is installed" in done.stdout
    profile = plistlib.loads((folder / "examples" / "headway-agent.mobileconfig").read_bytes())
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadType"] == managed.DOMAIN
    example = json.loads((folder / "examples" / "settings.json").read_text())
    assert set(example) == set(managed.KINDS) >= payload.keys() - profile.keys()


def test_managed_settings_are_read_on_every_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"server": "https://headway.example.com", "token": "hwi_managed", "git_hooks": False}
    monkeypatch.setattr(managed, "LINUX", tmp_path / "settings.json")
    assert managed.managed_settings() == {}
    (tmp_path / "settings.json").write_text(json.dumps({**given, "colour": "blue"}))
    assert managed.managed_settings() == given
    for broken in ("{", "[]", '{"server": 7}'):
        (tmp_path / "settings.json").write_text(broken)
        with pytest.raises(managed.UnreadableManagedError):
            managed.managed_settings()

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(managed, "MACOS", tmp_path)
    assert managed.managed_settings() == {}
    (tmp_path / f"{managed.DOMAIN}.plist").write_bytes(plistlib.dumps(given))
    assert managed.managed_settings() == given
    own = tmp_path / getpass.getuser() / f"{managed.DOMAIN}.plist"
    own.parent.mkdir()
    own.write_bytes(plistlib.dumps({"token": "hwi_own"}))
    assert managed.managed_settings() == {"token": "hwi_own"}

    monkeypatch.setattr(sys, "platform", "win32")
    values = {**given, "git_hooks": 0}  # the registry has numbers
    registry = types.SimpleNamespace(
        HKEY_LOCAL_MACHINE=1,
        OpenKey=lambda root, name: contextlib.nullcontext(name),
        QueryValueEx=lambda key, name: (values[name], 1) if name in values else _missing(),
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert managed.managed_settings() == given


def _missing() -> None:
    raise FileNotFoundError


def test_commands_for_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quoted for cmd and PowerShell, without a shell's `||`; paths with backslashes have their suffix."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "executable", r"C:\Program Files\Python\python.exe")
    monkeypatch.setenv(HOME_VARIABLE, "/home/a b")
    command = registration.hook_command(registration.AGENTS[0])
    assert command.startswith(r'"C:\Program Files\Python\python.exe" -IS "/home/a b/hook.py" agent claude_code')
    assert "||" not in command
    copilot = next(agent for agent in registration.AGENTS if agent.name == "copilot")
    powershell = registration._entry(copilot, "PreToolUse")["powershell"]  # where a quoted path alone runs nothing
    assert r"$given | & 'C:\Program Files\Python\python.exe' -IS '/home/a b/hook.py' agent copilot" in powershell
    assert powershell.endswith("catch { }; exit 0")
    assert file_type(r"C:\work\App.PY") == ".py"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/b.py", ".py"),
        ("Makefile", ""),
        (".env", ""),
        ("a.tar.gz", ".gz"),
        ("web/package-lock.json", "lock file"),
        ("name.with-dash", ""),
        ("secret.customername-2026", ""),
        ("x.ÄÖ", ""),
        ("x." + "y" * 13, ""),
    ],
)
def test_a_file_type_tells_no_name(path: str, kind: str) -> None:
    assert file_type(path) == kind
