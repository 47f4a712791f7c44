"""Git's hooks, in the repositories in which agents work or for all repositories at once; existing hooks still run.

In a repository, our hooks run in front of the existing ones.  For all repositories, git's global core.hooksPath names
our folder, whose hooks run those of the repository.  A repository whose own core.hooksPath names tracked files
(.githooks) is left unchanged in both cases: its commits are matched at the next event of an agent there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from . import registration
from .ledger import Ledger, home, replace_file
from .repository import Repository, git

HOOKS = ("post-commit", "post-rewrite", "post-merge", "post-checkout", "post-applypatch")
PREVIOUS = ".before-headway-agent"
TELL = """\
if [ -n "$HEADWAY_AGENT_WAIT" ]; then
    {command} </dev/null >/dev/null 2>&1
else
    {command} </dev/null >/dev/null 2>&1 &
fi
exit $status
"""
# A shell script runs under its former name, by which husky's finds the script to run.
SCRIPT = (
    """#!/bin/sh
# headway-agent: runs the hook that was here before, then tells the collector, which never holds up git.
previous="$0{previous}"
status=0
if [ -x "$previous" ]; then
    read -r first <"$previous" 2>/dev/null
    case "$first" in
    "#!"*/sh | "#!"*" sh" | "#!"*/bash | "#!"*" bash") ${{first#??}} -c '. "$0{previous}"' "$0" "$@" ;;
    *) "$previous" "$@" ;;
    esac
    status=$?
fi
"""
    + TELL
)
FOLDER = "git-hooks"
KEY = "core.hooksPath"
_SPECIAL = re.compile(r"[][.^$*+?(){}|\\]")
# githooks(5).  fsmonitor-watchman is named by core.fsmonitor, not found in this folder.
ALL_HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg"),
    *("commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "post-rewrite", "pre-push"),
    *("pre-receive", "update", "proc-receive", "post-receive", "post-update", "reference-transaction"),
    *("push-to-checkout", "pre-auto-gc", "post-index-change", "sendemail-validate"),
    *("p4-changelist", "p4-prepare-changelist", "p4-post-changelist", "p4-pre-submit"),
)
OWN = """#!/bin/sh
# headway-agent: a hook of all repositories. It runs the repository's own{purpose}.
folder="${{GIT_DIR:-.git}}"
if [ ! -d "$folder" ] || [ -f "$folder/commondir" ]; then
    folder="$(git rev-parse --git-common-dir 2>/dev/null)"
fi
own="$folder/hooks/{name}"
"""
RUN_ALONE = """\
if [ -x "$own" ]; then
    exec "$own" "$@"
fi
{otherwise}
"""
RUN_FIRST = """\
status=0
if [ -x "$own" ]; then
    "$own" "$@"
    status=$?
fi
"""
# Without these two hooks git acts by itself; with one that merely succeeds it would not.
OTHERWISE = {
    "push-to-checkout": """\
git update-index -q --ignore-submodules --refresh
git diff-files --quiet --ignore-submodules -- || exit 1
head="$(git rev-parse --verify --quiet HEAD || git hash-object -t tree /dev/null)"
git diff-index --quiet --cached --ignore-submodules "$head" -- || exit 1
exec git read-tree -u -m "$1"
""",
    "proc-receive": "exit 1",
}


class OtherHooksError(Exception):
    """A global core.hooksPath that is not ours; the text is shown to the person at this machine."""


def watch(ledger: Ledger, place: Repository) -> str:
    """Install the hooks of a repository if they are missing; return `installed` or the reason why they are not."""
    state = _install(place)
    ledger.set_note(f"watched {place.common}", state)
    return state


def _install(place: Repository) -> str:
    named = git(place.root, "rev-parse", "--git-path", "hooks")
    if not named:
        return "git does not run here"
    folder = Path(place.root, os.fsdecode(named.rstrip(b"\r\n")))
    if os.path.realpath(folder) == os.path.realpath(home() / FOLDER):
        return "installed"  # for all repositories
    if not _is_private(place, folder):
        is_tracked = _is_below(os.path.realpath(folder), place.root)
        return "its hooks are tracked files" if is_tracked else f"its hooks are in {folder}, which is not ours"
    try:
        for name in HOOKS:
            _install_hook(folder / name)
    except OSError as problem:
        return f"its hooks cannot be written: {problem.strerror}"
    return "installed"


def _is_private(place: Repository, folder: Path) -> bool:
    """Whether a hook written there stays on this machine: inside .git, or in a folder that git ignores (husky)."""
    real = os.path.realpath(folder)
    if _is_below(real, place.common):
        return True
    if not _is_below(real, place.root):
        return False  # a folder that several repositories share: not ours to change
    return bool(git(place.root, "check-ignore", os.path.join(real, "post-commit")))


def _is_below(path: str, folder: str) -> bool:
    try:
        return os.path.commonpath([path, folder]) == folder
    except ValueError:
        return False  # another drive


def _install_hook(path: Path) -> None:
    script = _script(path.name)
    if path.exists():
        if path.read_bytes() == script:
            return
        previous = path.with_name(path.name + PREVIOUS)
        if registration.MARK.encode() not in path.read_bytes() and not previous.exists():
            os.replace(path, previous)
    registration.write_recorded(path, script, mode=0o755)


def _script(name: str) -> bytes:
    return SCRIPT.format(previous=PREVIOUS, command=_command(name)).encode("utf-8", "surrogateescape")


def _command(name: str) -> str:
    return f"{quoted(sys.executable)} -IS {quoted(str(home() / 'hook.py'))} git {name}"


def quoted(path: str) -> str:
    return shlex.quote(path.replace("\\", "/") if sys.platform == "win32" else path)


def remove_all() -> dict[str, str]:
    """Remove the hooks from all repositories; return those that could not be restored, with the reason."""
    failed = {}
    for name in list(registration.manifest()):
        path = Path(name)
        if path.name not in HOOKS:
            continue
        previous = path.with_name(path.name + PREVIOUS)
        try:
            registration.restore(path, lambda content: content)
            if previous.exists() and not path.exists():
                os.replace(previous, path)
        except OSError as problem:
            failed[name] = problem.strerror or str(problem)
    return failed


# For all repositories


def global_folder() -> str:
    """The folder that git's global core.hooksPath names on this machine, as written; empty if there is none."""
    for scope in ("--global", "--system"):
        if found := git(str(Path.home()), "config", scope, "--includes", "--get", KEY):
            return os.fsdecode(found.rstrip(b"\r\n"))
    return ""


def is_global() -> bool:
    return _is_ours(global_folder())


def require_no_other() -> None:
    """Raise OtherHooksError if git's global core.hooksPath names a folder that is not ours."""
    found = global_folder()
    if found and not _is_ours(found):
        raise OtherHooksError(
            f"git's {KEY} is set for all repositories already: {found}. Nothing was changed. Remove it, or install"
            " without --global-git-hooks, and add the collector's line from the documentation to its hooks."
        )


def add_global() -> None:
    """Write a hook of every name, and set git's global core.hooksPath to their folder."""
    folder = home() / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in ALL_HOOKS:
        replace_file(folder / name, _global_script(name), mode=0o755)
    if is_global():
        return
    path = _global_configuration()
    before = path.read_bytes() if path.exists() else b""
    registration.write_recorded(path, _edited(before, KEY, folder.as_posix()))


def remove_global() -> None:
    """Remove core.hooksPath from git's global configuration, then the hooks.  Raises OSError."""
    for name in list(registration.manifest()):
        if Path(name) in (_global_configuration(), *_possible_configurations()):
            registration.restore(Path(name), _without_ours)
    if is_global():  # somebody copied it to another file, which needs the hooks
        raise OSError(f"{KEY} names {home() / FOLDER} in a file that the collector did not write")
    shutil.rmtree(home() / FOLDER, ignore_errors=True)


def _global_script(name: str) -> bytes:
    tells = name in HOOKS
    text = OWN.format(name=name, purpose=", then tells the collector" if tells else "")
    if tells:
        text += RUN_FIRST + TELL.format(command=_command(name))
    else:
        text += RUN_ALONE.format(otherwise=OTHERWISE.get(name, "exit 0").rstrip())
    return text.encode("utf-8", "surrogateescape")


def _possible_configurations() -> tuple[Path, ...]:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path.home() / ".gitconfig", Path(folder) / "git" / "config"


def _global_configuration() -> Path:
    """The file to which `git config --global` writes."""
    if named := os.environ.get("GIT_CONFIG_GLOBAL"):
        return Path(named)
    own, other = _possible_configurations()
    return other if other.exists() and not own.exists() else own


def _is_ours(folder: str) -> bool:
    return bool(folder) and os.path.realpath(os.path.expanduser(folder)) == os.path.realpath(home() / FOLDER)


def _without_ours(content: bytes) -> bytes:
    """The configuration without our folder; unchanged if it names another folder, which somebody else set."""
    named = _named_in(content)
    pattern = _SPECIAL.sub(r"\\\g<0>", named)
    return _edited(content, "--unset-all", KEY, f"^{pattern}$") if _is_ours(named) else content


def _named_in(content: bytes) -> str:
    with tempfile.TemporaryDirectory(dir=home()) as folder:
        path = Path(folder, "config")
        path.write_bytes(content)
        return os.fsdecode(git(folder, "config", "--file", str(path), "--get", KEY).rstrip(b"\r\n"))


def _edited(content: bytes, *arguments: str) -> bytes:
    """The configuration after git has edited it.  Raises OSError if git cannot."""
    with tempfile.TemporaryDirectory(dir=home()) as folder:
        path = Path(folder, "config")
        path.write_bytes(content)
        git(folder, "config", "--file", str(path), *arguments)
        changed = path.read_bytes()
    if changed == content:
        raise OSError("git cannot edit its global configuration")
    return changed
