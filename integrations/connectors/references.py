"""Work item keys in branches, titles, descriptions and commits, and references to issues of a code host.

A code host's issue is owner/repository#12, #12 within its repository, or the address of its page: GitHub, Gitea and
GitLab write it alike.  AB#12 is a work item of Azure Boards.  A pull request that says "Fixes #12" is linked with the
issue by the provider itself: such references have the method *provider*.  Links made by hand in the sidebar of a GitHub
pull request are only available over GraphQL, and are read in neither form, so that both give the same links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from integrations.connectors.drafts import WorkItemReference
from integrations.enums import LinkMethod

LONGEST_READ = 100_000  # characters of a description that are searched
MOST_KEYS = 100  # per pull request and place; a list of everything ever done links nothing
_KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9_]{1,20}-[1-9][0-9]{0,8})(?![A-Za-z0-9]|-[0-9])")
_KEY_OF_BRANCH = re.compile(r"(?:^|/)([A-Za-z][A-Za-z0-9]{1,20}-[1-9][0-9]{0,8})(?=$|[/_-](?![0-9]))")
_NUMBER = r"(?P<number>[1-9][0-9]{0,8})(?![A-Za-z0-9_])"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/(?!-/)[A-Za-z0-9._-]{1,100}){1,20}"  # GitLab's groups have subgroups
_PAGE = r"(?:/-)?/(?:issues|work_items)/"  # GitLab's begin with a dash
_ISSUE = re.compile(
    rf"(?:https?://(?P<host>[A-Za-z0-9.:-]+)/(?P<page>{_NAME}){_PAGE}|(?P<name>(?<![A-Za-z0-9_./-]){_NAME})#"
    rf"|(?<![A-Za-z0-9_/#&])(?:(?P<boards>AB)?#|GH-)){_NUMBER}"
)
_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s*:?\s+$", re.IGNORECASE)
_LONGEST_CLOSING = len("resolved :  ") + 20  # the distance back over which a keyword is searched
_NO_TRACKERS = frozenset(
    {
        "AES",
        "CVE",
        "CWE",
        "DES",
        "GH",
        "GPL",
        "GPT",
        "HTTP",
        "IEC",
        "IEEE",
        "IPV",
        "ISO",
        "LGPL",
        "MD",
        "PEP",
        "PKCS",
        "RFC",
    }
    | {"RSA", "SHA", "SSL", "TLS", "UCS", "UTC", "UTF", "WCAG"}
)
"""Words that are written like the key of a tracker's project, and name something else: UTF-8, SHA-256, CVE-2026-…"""

_WORDS_OF_BRANCHES = frozenset(
    {"BUG", "BUGFIX", "BUMP", "CHORE", "DEPS", "FEAT", "FEATURE", "FIX", "GH", "GO", "HOTFIX", "ISSUE", "JAVA", "NODE"}
    | {
        "PATCH",
        "PHP",
        "PR",
        "PYTHON",
        "RELEASE",
        "RUBY",
        "SPRINT",
        "STABLE",
        "TASK",
        "TEST",
        "UPDATE",
        "VERSION",
        "WIP",
    }
)


def tracker_keys(text: str) -> Iterator[str]:
    """Keys such as SHOP-12 in the text, in capitals."""
    for match in _KEY.finditer(text[:LONGEST_READ]):
        if match[1].partition("-")[0] not in _NO_TRACKERS:
            yield match[1]


def branch_keys(branch: str) -> Iterator[str]:
    """Keys in a branch's name; also in lower case at the start of a part, as trackers suggest."""
    yield from tracker_keys(branch)
    for match in _KEY_OF_BRANCH.finditer(branch[:LONGEST_READ]):
        word = match[1].partition("-")[0].upper()
        if word not in _NO_TRACKERS and word not in _WORDS_OF_BRANCHES:
            yield match[1].upper()


def references(keys: Iterable[str], method: LinkMethod) -> list[WorkItemReference]:
    """Each key once, in order."""
    return [WorkItemReference(key=key, method=method) for key in list(dict.fromkeys(keys))[:MOST_KEYS]]


def issue_key(repository: str, number: int) -> str:
    """The key of an issue: shop's twelfth issue → acme/shop#12."""
    return f"{repository}#{number}"


def pull_request_references(
    *, repository: str, host: str, branch: str, title: str, body: str, commits: Iterable[str]
) -> list[WorkItemReference]:
    """All work items that a pull request names; `host` is the host of pages, for addresses of issues."""
    closing, mentioned = _in_text(body, repository, host)
    linked = references(closing, LinkMethod.PROVIDER)
    linked += references(branch_keys(branch), LinkMethod.BRANCH)
    linked += references((*tracker_keys(title), *_all(title, repository, host)), LinkMethod.TITLE)
    linked += references((*tracker_keys(body), *mentioned), LinkMethod.BODY)
    subjects = list(commits)
    in_commits = [key for subject in subjects for key in (*tracker_keys(subject), *_all(subject, repository, host))]
    return linked + references(in_commits, LinkMethod.COMMIT)


def _all(text: str, repository: str, host: str) -> Iterator[str]:
    closing, mentioned = _in_text(text, repository, host)
    yield from closing
    yield from mentioned


def _in_text(text: str, repository: str, host: str) -> tuple[list[str], list[str]]:
    """Issues that the text closes, and those that it only mentions."""
    closing: list[str] = []
    mentioned: list[str] = []
    read = text[:LONGEST_READ]
    for match in _ISSUE.finditer(read):
        if match["host"] and match["host"] != host:
            continue
        key = issue_key(match["page"] or match["name"] or match["boards"] or repository, int(match["number"]))
        before = read[max(0, match.start() - _LONGEST_CLOSING) : match.start()]
        (closing if _CLOSING.search(before) else mentioned).append(key)
    return closing, mentioned


def host_of(page: str) -> str:
    """The host of a record's html_url."""
    return urlsplit(page).netloc
