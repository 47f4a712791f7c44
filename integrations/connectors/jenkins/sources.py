"""The source of a build: repository, commit and branch.

A build has a BuildData for each checkout, including libraries and tools, in no significant order.  Its own is the one
with the revision that the branch source chose, else that of the multibranch project's repository, else the first that
is no library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from integrations.connectors.base import Json
from integrations.connectors.git.repository import one_spelling
from integrations.connectors.jenkins.causes import actions_of, parameters_of
from integrations.connectors.unchecked import text_of

# The page of a branch or of a pull request in branch sources' form, without the address of its repository.
_BEHIND_REPOSITORY = re.compile(r"/(?:-/)?(?:tree|pull|pulls|pull-requests|merge_requests|src|branch|commits?)/.*$")
_REMOTE_BRANCH = re.compile(r"^(?:refs/(?:heads|remotes/[^/]+)/|origin/)")
_PULL_REQUEST = re.compile(r"(?:PR|MR)-\d+(?:-.+)?", re.IGNORECASE)
# The GitHub pull request builder and similar plugins merge before they build, and name what they merged.
_MERGED_COMMITS = ("ghprbActualCommit", "gitlabMergeRequestLastCommit", "pullRequestCommit")
KNOWN_PARAMETERS = (*_MERGED_COMMITS, "CHANGE_ID")
NO_BRANCHES = frozenset({"detached", "HEAD"})


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a build; fields are empty if the build does not provide them."""

    repository: str = ""
    sha: str = ""
    branch: str = ""
    is_pull_request: bool = False


@dataclass(frozen=True, slots=True)
class _Checkout:
    remotes: tuple[str, ...]
    sha: str
    branch: str


def is_pull_request_job(name: str) -> bool:
    """Whether a job of a multibranch project builds a pull request: PR-12, PR-12-merge, MR-3."""
    return _PULL_REQUEST.fullmatch(name) is not None


def source_of(build: Json, *, branch: str, page: str, libraries: Sequence[str]) -> Source:
    """The source of a build; `branch` and `page` are those of a branch's job, empty outside of multibranch projects.

    `libraries` are patterns of repositories that are never a build's own.
    """
    revision = _revision(build)
    parameters = parameters_of(build)
    merged = next((parameters[name] for name in _MERGED_COMMITS if parameters.get(name)), "")
    chosen = text_of(revision, "pullHash") or text_of(revision, "hash")
    own = _BEHIND_REPOSITORY.sub("", page)
    checkout = _own(_checkouts(build), text_of(revision, "mergeHash") or chosen, own, libraries)
    remote = next(iter(checkout.remotes), "") if checkout else own if branch else ""
    return Source(
        repository=address(remote),
        sha=(chosen or merged or (checkout.sha if checkout else "")).lower(),
        branch=branch or (checkout.branch if checkout else ""),
        is_pull_request=bool(
            (branch and is_pull_request_job(branch))
            or text_of(revision, "pullHash")
            or merged
            or "CHANGE_ID" in parameters
        ),
    )


def repositories_of(build: Json) -> list[str]:
    """All repositories that were checked out, each once."""
    return list(dict.fromkeys(address(remote) for checkout in _checkouts(build) for remote in checkout.remotes))


def address(remote: str) -> str:
    """The address of a remote in one spelling, without credentials; a path on the controller's disk stays as it is."""
    spelling = one_spelling(remote)
    return f"https://{spelling}" if spelling else remote.strip()


def _own(checkouts: Iterable[_Checkout], sha: str, repository: str, libraries: Sequence[str]) -> _Checkout | None:
    all_of = list(checkouts)
    if sha and (found := next((one for one in all_of if one.sha == sha), None)):
        return found
    if repository:
        wanted = address(repository).casefold()
        if found := next(
            (one for one in all_of if wanted in (address(remote).casefold() for remote in one.remotes)), None
        ):
            return found
    return next((one for one in all_of if not any(is_library(remote, libraries) for remote in one.remotes)), None)


def is_library(remote: str, patterns: Sequence[str]) -> bool:
    spelling = (one_spelling(remote) or remote).casefold()
    return any(fnmatchcase(spelling, pattern) or fnmatchcase(spelling, f"*/{pattern}") for pattern in patterns)


def _checkouts(build: Json) -> list[_Checkout]:
    found = []
    for action in actions_of(build):
        built, remotes = action.get("lastBuiltRevision"), action.get("remoteUrls")
        if not isinstance(built, dict) or not isinstance(remotes, list):
            continue
        named = [remote.replace("\0", "") for remote in remotes if isinstance(remote, str)]
        found.append(_Checkout(tuple(named), text_of(built, "SHA1"), _branch(built.get("branch"))))
    return found


def _branch(branches: Any) -> str:
    first = branches[0] if isinstance(branches, list) and branches else None
    name = _REMOTE_BRANCH.sub("", text_of(first, "name").replace("\0", ""))
    return "" if name in NO_BRANCHES else name


def _revision(build: Json) -> Any:
    """The revision that the branch source chose; the first of several is the build's own."""
    return next((action["revision"] for action in actions_of(build) if isinstance(action.get("revision"), dict)), None)
