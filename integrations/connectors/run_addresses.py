"""The pipeline run that an address names: GitHub Actions, GitLab, Jenkins, Azure, Buildkite, CircleCI, Bitbucket.

The addresses are those that tools put into a deployment's statuses, or that build systems push beside a deployment.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 200
# GitHub's run ids are those of its API, whatever the repository is called now; others are cut after the id.
_GITHUB = re.compile(
    r"^https?://[^/?#]+/[^/?#]+/[^/?#]+/actions/runs/(?P<run>\d+)(?:/attempts/\d+)?(?:/job/(?P<job>\d+))?"
)
_OTHERS = (
    re.compile(r"^https?://(?P<run>[^?#]+/-/(?:pipelines|jobs)/\d+)"),  # GitLab
    re.compile(r"^https?://(?P<run>buildkite\.com/[^/?#]+/[^/?#]+/builds/\d+)"),
    re.compile(r"^https?://(?P<run>(?:app\.)?circleci\.com/[^?#]*?/workflows/[0-9a-f-]{36})"),
    re.compile(r"^https?://(?P<run>bitbucket\.org/[^/?#]+/[^/?#]+/(?:addon/)?pipelines/[^?]*?results/\d+)"),
    re.compile(r"^https?://(?P<run>[^?#]+/_build/results\?(?:[^#]*&)?buildId=\d+)", re.IGNORECASE),  # Azure
    re.compile(r"^https?://(?P<run>[^?#]+/job/[^?#]+?/\d+)(?:/|$)"),  # Jenkins
)


class NamedRun(NamedTuple):
    """The run, and within it the job, as the tool numbers them; empty: none is named."""

    run: str = ""
    job: str = ""


def run_in(address: str) -> NamedRun:
    """The run that the address names; the address of an environment names none."""
    if found := _GITHUB.match(address):
        return NamedRun(found["run"], found["job"] or "")
    for pattern in _OTHERS:
        if found := pattern.match(address):
            return NamedRun(found["run"].lower()[:LONGEST])
    return NamedRun()
