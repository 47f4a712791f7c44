"""Maintains a bare mirror of a provider's repository: cloned once, fetched afterwards.

The credential is passed only in git's environment: command lines are visible to every account of the machine, and a
repository's configuration stays on the disk.
https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from integrations.connectors.git.commands import GitError, arguments, environment

LONGEST_SECONDS = 2 * 60 * 60  # for the first clone of a very large repository
LONGEST_QUOTATION = 300
# Not refs/pull: one for each pull request ever.  All tags are wanted, also those that no branch contains.
REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/notes/*:refs/notes/*", "+refs/tags/*:refs/tags/*")
# The addresses that may be cloned.  git accepts much else: programs to run (ext::), descriptors (fd::), folders of this
# machine (file://, a path), other accounts' keys (ssh), and words that begin like an option.
ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/[!-~]+")
NO_SUBMODULES = "--no-recurse-submodules"  # their addresses can be anything that somebody committed
TIDY_UP = ("gc.auto=6700", "gc.autoPackLimit=50", "gc.autoDetach=false")  # each fetch leaves a pack behind


def update_mirror(git_dir: Path, url: str, authorization: str) -> None:
    """Update the mirror, cloning it first if there is none yet.

    `authorization` is the value of the HTTP header.  An interrupted clone leaves nothing behind that could be mistaken
    for a mirror.  Raises GitError with a sentence for an admin, before git runs, if the address is not a web address.
    """
    if not ADDRESS.fullmatch(url):
        raise GitError("Repositories are copied from addresses such as https://git.example.com/acme/shop.git only.")
    secrets = _environment(url, authorization)
    if not git_dir.exists():
        _clone(git_dir, url, secrets)
    else:
        fetch = (
            "fetch",
            "--prune",
            "--no-tags",
            "--no-auto-maintenance",
            NO_SUBMODULES,
            "--quiet",
            "--",
            url,
            *REFSPECS,
        )
        _run(arguments(git_dir, *fetch), secrets, url)
    _follow_default_branch(git_dir, url, secrets)
    settings = [word for option in TIDY_UP for word in ("-c", option)]
    _run(["git", f"--git-dir={git_dir}", *settings, "gc", "--auto", "--quiet"], environment(), url)


def _clone(git_dir: Path, url: str, secrets: Mapping[str, str]) -> None:
    git_dir.parent.mkdir(parents=True, exist_ok=True)
    unfinished = git_dir.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    clone = ("git", "clone", "--bare", "--no-tags", "--template=", NO_SUBMODULES, "--quiet", "--", url, str(unfinished))
    try:
        _run(clone, secrets, url)
        _run(arguments(unfinished, "fetch", "--no-tags", NO_SUBMODULES, "--quiet", "--", url, *REFSPECS), secrets, url)
        unfinished.rename(git_dir)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _follow_default_branch(git_dir: Path, url: str, secrets: Mapping[str, str]) -> None:
    """Update HEAD of a bare repository, which names the branch that others are merged into; it may have been
    renamed.
    """
    output = _run(arguments(git_dir, "ls-remote", "--symref", "--", url, "HEAD"), secrets, url).decode(
        "utf-8", "replace"
    )
    for line in output.splitlines():
        name, _, of = line.removeprefix("ref: ").partition("\t")
        if of == "HEAD" and name.startswith("refs/heads/"):
            _run(arguments(git_dir, "symbolic-ref", "HEAD", name), environment(), url)


def _environment(url: str, authorization: str) -> dict[str, str]:
    """The environment for git: only this configuration, only the address's protocol, and only its host."""
    address = urlsplit(url)
    settings = (
        (f"http.{address.scheme}://{address.netloc}/.extraHeader", f"Authorization: {authorization}"),
        ("http.followRedirects", "false"),
        ("credential.helper", ""),
        ("core.hooksPath", os.devnull),
    )
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    authorities = {"GIT_SSL_CAINFO": os.environ["SSL_CERT_FILE"]} if os.environ.get("SSL_CERT_FILE") else {}
    return environment() | {"GIT_ALLOW_PROTOCOL": address.scheme} | authorities | numbered


def _run(words: Sequence[str], seen: Mapping[str, str], url: str) -> bytes:
    try:
        finished = subprocess.run(
            list(words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=dict(seen),
            timeout=LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"Copying {url} took longer than two hours. It is tried again from the beginning.") from None
    except OSError as problem:
        raise GitError(f"git cannot be run: {problem.strerror}. Is it installed, and in the PATH of Headway?") from None
    if finished.returncode != 0:
        raise GitError(_in_words(finished.stderr.decode("utf-8", "replace"), url))
    return finished.stdout


def _in_words(stderr: str, url: str) -> str:
    if any(word in stderr for word in ("Authentication failed", "could not read Username", "error: 401", "error: 403")):
        return f"The provider does not let this token clone {url}. Grant it Contents: read."
    if "not found" in stderr or "error: 404" in stderr:
        return f"The provider shows no repository at {url}. Was it deleted, or hidden from the token?"
    lines = [line for line in stderr.splitlines() if line.strip() and "uthorization" not in line]
    return f"Copying {url} failed: {' '.join(lines)[:LONGEST_QUOTATION] or 'git said nothing'}"
