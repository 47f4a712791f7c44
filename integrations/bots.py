"""Accounts of programs such as reviewers and merge queues, whatever their provider calls them.

Maintained by hand from these tools' documented accounts, in lower case and without "[bot]", which some providers and
most senders leave out.  Names that a person could have are not listed.
"""

from __future__ import annotations

import re

_ENDING = re.compile(r"\[bot\]$", re.IGNORECASE)

REVIEW_BOTS = frozenset(
    {
        "amazon-q-developer",
        "baz-reviewer",
        "bito-code-review",
        "codacy-production",
        "codeant-ai",
        "codecov",
        "codecov-commenter",
        "codefactor-io",
        "coderabbitai",
        "codescene-delta-analysis",
        "copilot",
        "copilot-pull-request-reviewer",
        "cubic-dev-ai",
        "deepsource-autofix",
        "deepsource-io",
        "ellipsis-dev",
        "entelligence-ai-pr-reviews",
        "gitar-bot",
        "github-advanced-security",
        "github-code-quality",
        "graphite-app",
        "greptile-apps",
        "houndci-bot",
        "kilo-code-bot",
        "korbit-ai",
        "llamapreview",
        "qodo-code-review",
        "qodo-merge-pro",
        "reviewdog",
        "semgrep-app",
        "sonarcloud",
        "sonarqubecloud",
        "sourcery-ai",
        "sourcery-ai-experiments",
        "sweep-ai",
        "what-the-diff",
    }
)
MERGE_BOTS = frozenset(
    {
        "aviator-app",
        "asfgit",
        "bors",
        "bors-ng",
        "bors-servo",
        "copybara-service",
        "facebook-github-bot",
        "gopherbot",
        "homu",
        "mergify",
        "merge-queue",
        "meta-codesync",
        "pytorchmergebot",
        "rust-bors",
        "trunk-io",
        "zuul",
    }
)
"""They bring branches to the default branch themselves and close the pull requests, which hosts then call closed."""


def bot_name(login: str) -> str:
    """The login in the form of these lists."""
    return _ENDING.sub("", login.strip()).lower()
