"""The commands that a person types: install, status, doctor, backfill, copilot-hooks, pause, resume, update, uninstall,
show-last.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path

from . import VERSION, copilot_files, git_hooks, notes, registration
from .hook import alone, run_worker
from .ledger import DAY, Ledger, home, read_settings, replace_file, write_settings
from .managed import UnreadableManagedError, managed_settings
from .registration import AGENTS, UnreadableSettingsError
from .repository import find_repository, git
from .sessions import MOST_DAYS, begin, begin_again, note_pause, read_transcripts, read_transcripts_soon
from .upload import next_part, report_of, send_queue

OLDEST_PYTHON = (3, 9)
LAUNCHER = """\
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
try:
    from headway_agent.hook import main
    main(sys.argv[1:])
except BaseException:
    pass
"""
COMMAND = """#!/bin/sh
# headway-agent
exec {python} {archive} "$@"
"""
LATE = 2 * DAY  # seconds without a report that `doctor` reports
SECONDS_TO_WAIT = 60  # for a worker that reads or sends
WRONG_CLOCK = 600  # seconds off the server's clock that `doctor` reports
OTHER_TOOLS = {"refs/notes/ai": "git-ai", "refs/heads/entire": "Entire", "refs/notes/whogitit": "whogitit"}


class CommandError(Exception):
    """An error that is shown to the person at this machine."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="headway-agent", description="Records which lines of a commit an agent wrote."
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser("install", help="install for this account, and register hooks with its agents")
    install.add_argument("--server", help="address of Headway")
    install.add_argument("--token", help="this machine's token; or set HEADWAY_TOKEN")
    install.add_argument(
        "--no-git-hooks",
        action="store_true",
        help="leave repositories alone: commits are then recognised at the next event of an agent",
    )
    install.add_argument(
        "--notes",
        action=argparse.BooleanOptionalAction,
        help=f"write {notes.REF} in git-ai's format, where git-ai is not in use; unchanged by default",
    )
    install.add_argument(
        "--global-git-hooks",
        action=argparse.BooleanOptionalAction,
        help="let git run the collector's hooks in all repositories (core.hooksPath); unchanged by default",
    )
    copilot = commands.add_parser(
        "copilot-hooks", help=f"add Copilot's hooks to a repository, as {copilot_files.FILE}, for everybody who has it"
    )
    copilot.add_argument("folder", nargs="?", default=".", help="in the repository; here by default")
    copilot.add_argument("--remove", action="store_true", help="remove them again")
    backfill = commands.add_parser("backfill", help="send sessions of the last days, from the agents' transcripts")
    backfill.add_argument("--days", type=int, default=30, help="how far back, at most a year; 30 by default")
    for name, text in (
        ("status", "show whether it is running, and what is waiting to be sent"),
        ("doctor", "name the problems that keep it from working"),
        ("pause", "record nothing until `resume`"),
        ("resume", "record again"),
        ("update", "install the server's version"),
        ("uninstall", "remove it, and restore all settings"),
        ("show-last", "print the last report that was sent"),
    ):
        commands.add_parser(name, help=text)
    options = parser.parse_args(arguments)
    try:
        if options.command == "install":
            _install(options)
        elif options.command == "backfill":
            return _backfill(options.days)
        elif options.command == "copilot-hooks":
            _copilot_hooks(options.folder, options.remove)
        else:
            return {
                "status": _status,
                "doctor": _doctor,
                "pause": _pause,
                "resume": _resume,
                "update": _update,
                "uninstall": _uninstall,
                "show-last": _show_last,
            }[options.command]()
    except (CommandError, UnreadableSettingsError, git_hooks.OtherHooksError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except sqlite3.Error as problem:
        print(f"The ledger cannot be used: {problem}. Is the disk full, or {home()} read-only?", file=sys.stderr)
        return 1
    except OSError as problem:
        where = problem.filename or home()
        print(f"{where} cannot be used: {problem.strerror}. Is the disk full, or {home()} read-only?", file=sys.stderr)
        return 1
    return 0


# Install, update, uninstall


def _install(options: argparse.Namespace) -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise CommandError("Python 3.9 or later is needed.")
    try:
        managed = managed_settings()
    except UnreadableManagedError as problem:
        raise CommandError(str(problem)) from None
    settings = {**read_settings(), **managed}
    server = _checked_address(options.server or settings.get("server", ""))
    token = options.token or os.environ.get("HEADWAY_TOKEN") or settings.get("token")
    if not token:
        raise CommandError("Pass the machine's token with --token: it is shown on the server's page /agent/.")
    is_global = settings.get("global_git_hooks", False)
    if options.global_git_hooks is not None:
        is_global = options.global_git_hooks
    if is_global:
        git_hooks.require_no_other()
    chosen = {
        "global_git_hooks": is_global,
        "git_hooks": managed.get("git_hooks", not options.no_git_hooks),
        "notes": managed.get("notes", settings.get("notes", False) if options.notes is None else options.notes),
    }
    write_settings({**settings, "server": server, "token": token, **chosen})
    _unpack(Path(sys.argv[0]))
    _link_command()
    _end_pause()
    print(f"headway-agent {VERSION} is installed in {home()}.")
    _set_global_hooks(is_global)
    _register_agents()
    with Ledger() as ledger:
        ledger.salt()
        begin(ledger, time.time())
        sent = send_queue(ledger, force=True)
        failure = ledger.note("last problem")
    print(
        f"{server}: {failure}"
        if failure
        else f"{server} accepted the first report{f' of {sent} records' if sent else ''}."
    )


def _set_global_hooks(is_global: bool) -> None:
    """Switch between hooks for all repositories and hooks in single ones: never both, so that git calls the collector
    once.
    """
    if is_global:
        git_hooks.remove_all()
        git_hooks.add_global()
        print(
            f"git runs hooks of {home() / git_hooks.FOLDER} in all repositories, and these run each repository's own."
        )
    elif (home() / git_hooks.FOLDER).exists():
        git_hooks.remove_global()
        with Ledger() as ledger:
            ledger.forget_watched()
        print("git runs the hooks of each repository again.")


def _copilot_hooks(folder: str, is_to_go: bool) -> None:
    _require_installed()
    place = find_repository(folder)
    if place is None:
        raise CommandError(f"{os.path.abspath(folder)} is not in a git repository with a work tree.")
    path = Path(place.root, copilot_files.FILE)
    if is_to_go:
        is_removed = copilot_files.remove(place.root)
        print(f"{path}: {'the hooks are removed' if is_removed else 'there are no hooks to remove'}.")
    elif copilot_files.add(place.root):
        print(
            f"{path}: hooks added. Commit the file, and Copilot runs them for everybody who works in this repository."
        )
    else:
        print(f"{path}: the hooks are already there.")


def _checked_address(server: str) -> str:
    parts = urllib.parse.urlsplit(server)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise CommandError("Pass the server's address with --server, such as https://headway.example.com.")
    if parts.scheme == "http" and not local:
        print(f"{server} is not encrypted: the token can be read on the way.", file=sys.stderr)
    return server.rstrip("/")


def _unpack(archive: Path) -> None:
    """Unpack the archive's modules into files, so that Python caches their compiled form: a hook then starts twice as
    fast.
    """
    kept = home() / "headway-agent.pyz"
    if not zipfile.is_zipfile(archive):
        raise CommandError("Run this command from the file headway-agent.pyz.")
    content = archive.read_bytes()
    if archive.resolve() != kept.resolve():
        replace_file(kept, content, mode=0o755)
    fresh = home() / "lib.new"
    shutil.rmtree(fresh, ignore_errors=True)
    with zipfile.ZipFile(kept) as files:
        for name in files.namelist():
            if name.startswith("headway_agent/") and name.endswith(".py"):
                target = fresh / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files.read(name))
    old = home() / "lib.old"
    shutil.rmtree(old, ignore_errors=True)
    if (home() / "lib").exists():
        os.replace(home() / "lib", old)
    os.replace(fresh, home() / "lib")
    shutil.rmtree(old, ignore_errors=True)
    replace_file(home() / "hook.py", LAUNCHER.encode())
    replace_file(
        home() / "python", f"{sys.executable}\n".encode("utf-8", "surrogateescape")
    )  # for files of repositories


def _link_command() -> None:
    """Write the command `headway-agent` into ~/.local/bin, if that folder exists."""
    folder = Path.home() / ".local" / "bin"
    if sys.platform != "win32" and folder.is_dir() and not (folder / "headway-agent").is_symlink():
        text = COMMAND.format(
            python=git_hooks.quoted(sys.executable), archive=git_hooks.quoted(str(home() / "headway-agent.pyz"))
        )
        registration.write_recorded(folder / "headway-agent", text.encode(), mode=0o755)


def _register_agents() -> None:
    for agent in AGENTS:
        if not registration.in_use(agent):
            print(f"{agent.label}: not in use here")
            continue
        try:
            if registration.state_of(agent) != "installed":
                registration.register(agent)
        except (UnreadableSettingsError, OSError) as problem:
            print(f"{agent.label}: {problem}")
            continue
        print(
            f"{agent.label}: hooks in {registration.settings_path(agent)}{'. ' + agent.remark if agent.remark else ''}"
        )


def _update() -> int:
    settings = read_settings()
    server = settings.get("server")
    if not server:
        raise CommandError("The collector is not installed.")
    try:
        with urllib.request.urlopen(f"{server}/agent/headway-agent.pyz", timeout=30) as response:  # noqa: S310
            content = response.read(20_000_000)
        with urllib.request.urlopen(f"{server}/agent/headway-agent.pyz.sha256", timeout=30) as response:  # noqa: S310
            expected = response.read(200).decode("ascii", "replace").split()
    except OSError as problem:
        raise CommandError(f"{server} cannot be reached: {problem}") from None
    if not expected or hashlib.sha256(content).hexdigest() != expected[0]:
        raise CommandError("The file's SHA-256 is not the one that the server states. Nothing was changed.")
    replace_file(home() / "update.pyz", content)
    _unpack(home() / "update.pyz")
    (home() / "update.pyz").unlink()
    if read_settings().get("global_git_hooks"):
        git_hooks.add_global()
    _register_agents()
    print("Updated.")
    return 0


def _backfill(days: int) -> int:
    """Read and send the sessions of the last `days`, including those before the installation, and print the result."""
    _require_installed()
    if not 1 <= days <= MOST_DAYS:
        raise CommandError(f"Pass a number of days from 1 to {MOST_DAYS} with --days.")
    if (home() / "paused").exists():
        raise CommandError("The collector is paused. Run `headway-agent resume` to continue.")
    now = time.time()
    with alone(SECONDS_TO_WAIT) as is_alone, Ledger() as ledger:
        if not is_alone:
            raise CommandError("The collector is reading or sending at the moment. Try again in a minute.")
        begin_again(ledger, days, now)
        found = read_transcripts(ledger, most_bytes=sys.maxsize)
        send_queue(ledger, force=True)
        problem = ledger.note("last problem")
        waiting = ledger.waiting()
    day = time.strftime("%Y-%m-%d", time.localtime(now - days * DAY))
    print(f"{found} new requests, tool calls and turns since {day}.")
    if problem:
        print(f"Records waiting to be sent: {waiting}. {problem}")
    return 1 if problem else 0


def _uninstall() -> int:
    failed = git_hooks.remove_all()
    try:
        git_hooks.remove_global()
    except OSError as problem:
        failed[f"git's {git_hooks.KEY}"] = str(problem)
    for path, reason in copilot_files.remove_all().items():
        print(f"{path} stays: {reason}.")
    for agent in AGENTS:
        try:
            registration.unregister(agent)
        except OSError as problem:
            failed[str(registration.settings_path(agent))] = str(problem)
    for path in list(registration.manifest()):
        if Path(path).name not in git_hooks.HOOKS:
            try:
                registration.restore(Path(path))
            except OSError as problem:
                failed.setdefault(path, str(problem))
    for path, reason in failed.items():
        print(f"{path} is left unchanged: {reason}", file=sys.stderr)
    if failed:  # its backups are still needed
        print(f"{home()} is kept. Fix this, and uninstall again.", file=sys.stderr)
        return 1
    shutil.rmtree(home())
    print("headway-agent is removed. Revoke this machine's token on the server's page /agent/.")
    return 0


def _pause() -> int:
    _require_installed()
    if not (home() / "paused").exists():  # its time is the beginning of the pause
        (home() / "paused").touch()
    print("Paused: nothing is recorded until `headway-agent resume`.")
    return 0


def _resume() -> int:
    _require_installed()
    _end_pause()
    print("Recording.")
    return 0


def _end_pause() -> None:
    paused = home() / "paused"
    if paused.exists():
        with Ledger() as ledger:
            note_pause(ledger, paused.stat().st_mtime, time.time())
        paused.unlink()


# Its reports about itself


def _require_installed() -> None:
    if not (home() / "hook.py").exists():
        raise CommandError("The collector is not installed.")


def _status() -> int:
    _require_installed()
    with Ledger() as ledger:
        waiting = ledger.waiting()
        sent_at = ledger.note("state sent")
        problem = ledger.note("last problem")
        seen = ledger.notes("seen ")
    print(f"headway-agent {VERSION}, {'paused' if (home() / 'paused').exists() else 'recording'}")
    print(f"Server: {read_settings().get('server', 'none')}, last report {_ago(sent_at)}")
    print(f"Records waiting to be sent: {waiting}")
    if problem:
        print(f"Last problem: {problem}")
    for agent in AGENTS:
        state = registration.state_of(agent) if registration.in_use(agent) else "not in use here"
        print(f"{agent.label}: {state}, last event {_ago(seen.get(agent.name, ''))}")
    return 0


def _doctor() -> int:
    _require_installed()
    problems: list[str] = []
    with Ledger() as ledger:
        seen = ledger.notes("seen ")
        watched = ledger.notes("watched ")
        read_transcripts_soon(ledger)
        run_worker()
        if problem := ledger.note("last problem"):
            problems.append(problem)
        elif time.time() - float(ledger.note("state sent") or 0) > LATE:
            problems.append("No report has been sent for two days, and none failed. Is the clock right?")
        problems += _problems_of_reports(ledger)
    if (home() / "ledger.damaged.db").exists():
        problems.append(f"The ledger was damaged, and a new one was started. Delete {home() / 'ledger.damaged.db'}.")
    if (home() / "paused").exists():
        problems.append("The collector is paused. Run `headway-agent resume` to continue.")
    if not Path(sys.executable).exists():
        problems.append(f"Hooks start {sys.executable}, which no longer exists. Install again with another Python.")
    for agent in AGENTS:
        problems += _problems_of(agent, seen)
    if read_settings().get("global_git_hooks") and not git_hooks.is_global():
        problems.append(
            f"git's {git_hooks.KEY} of all repositories is {git_hooks.global_folder() or 'not set'}, not"
            f" {home() / git_hooks.FOLDER}. Install again with --global-git-hooks, or with --no-global-git-hooks."
        )
    for common, state in watched.items():
        if state != "installed" and os.path.isdir(common):
            problems.append(
                f"{common}: {state}. Its commits are recognised at the next event of an agent there; to recognise"
                " them at once, add the collector's line from the documentation to its post-commit hook."
            )
    for tool, common in _other_tools(watched).items():
        print(f"{common}: {tool} records lines here, and the server reads them. The collector is not needed here.")
    for problem in problems:
        print(problem)
    if not problems:
        print("Everything works.")
    return 1 if problems else 0


def _problems_of_reports(ledger: Ledger) -> list[str]:
    problems = []
    for sha, reason in ledger.rows("SELECT sha, refused FROM queue WHERE refused IS NOT NULL"):
        problems.append(f"The server refused the report of {sha[:12]}: {reason}")
    for count, reason in ledger.rows(
        "SELECT count(*), refused FROM activity WHERE refused IS NOT NULL GROUP BY refused"
    ):
        problems.append(f"The server refused records of sessions ({count}): {reason}")
    if abs(ahead := float(ledger.note("clock ahead") or 0)) > WRONG_CLOCK:
        problems.append(
            f"This machine's clock is {abs(ahead) / 60:.0f} minutes {'ahead of' if ahead > 0 else 'behind'} the"
            " server's: sessions carry its times."
        )
    return problems


def _problems_of(agent: registration.Agent, seen: dict[str, str]) -> list[str]:
    if not registration.in_use(agent):
        return []
    state, path = registration.state_of(agent), registration.settings_path(agent)
    if state == "unreadable":
        return [f"{agent.label}: {path} is not plain JSON. Remove its comments, and install again."]
    if state == "off":
        return [f"{agent.label}: {path} disables all hooks (disableAllHooks)."]
    if state != "installed":
        return [f"{agent.label}: its hooks are {state} in {path}. Install again."]
    if agent.name not in seen:
        return [f"{agent.label}: no hook has run yet. {agent.remark}".rstrip()]
    return []


def _other_tools(watched: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for common in watched:
        place = find_repository(os.path.dirname(common))
        if place is None:
            continue
        listed = git(place.root, "for-each-ref", "--count=20", "--format=%(refname)", *OTHER_TOOLS)
        for reference, tool in OTHER_TOOLS.items():
            is_ours = reference == notes.REF and read_settings().get("notes") and not notes.is_git_ai_at_work(place)
            if reference.encode() in listed and not is_ours:
                found[tool] = common
    return found


def _show_last() -> int:
    _require_installed()
    with Ledger() as ledger:
        last = ledger.note("last report")
        part = next_part(ledger, time.time())
        following = report_of(ledger, part)
    print(last or "Nothing was sent yet.")
    if part.size:
        print("Waiting to be sent:")
        print(json.dumps(following, indent=2, sort_keys=True))
    return 0


def _ago(at: str) -> str:
    if not at:
        return "never"
    minutes = max(0, int(time.time() - float(at))) // 60
    return f"{minutes} minutes ago" if minutes < 120 else f"{minutes // 60} hours ago"
