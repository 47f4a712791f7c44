"""Work item keys in branches, titles, descriptions and commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from integrations.connectors.drafts import WorkItemReference
from integrations.enums import LinkMethod

LONGEST_READ = 100_000  # characters of a description that are looked at
MOST_KEYS = 100  # of one pull request and place; a list of everything ever done links nothing
_KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9_]{1,20}-[1-9][0-9]{0,8})(?![A-Za-z0-9]|-[0-9])")
_KEY_OF_BRANCH = re.compile(r"(?:^|/)([A-Za-z][A-Za-z0-9]{1,20}-[1-9][0-9]{0,8})(?=$|[/_-](?![0-9]))")
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
    """Keys in a branch's name; at the beginning of a part also in small letters, as trackers suggest it."""
    yield from tracker_keys(branch)
    for match in _KEY_OF_BRANCH.finditer(branch[:LONGEST_READ]):
        word = match[1].partition("-")[0].upper()
        if word not in _NO_TRACKERS and word not in _WORDS_OF_BRANCHES:
            yield match[1].upper()


def references(keys: Iterable[str], method: LinkMethod) -> list[WorkItemReference]:
    """Each key once, in order."""
    return [WorkItemReference(key=key, method=method) for key in list(dict.fromkeys(keys))[:MOST_KEYS]]
