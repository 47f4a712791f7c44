"""Reports of tests, coverage and code scanning, as the demo's pipelines write them (JUnit XML, Cobertura XML, SARIF),
and the alerts of its code host.

Mobile’s browser tests became flaky some weeks ago, Search covers more and more of its code, and the warehouse's alerts
are left open.  The quiet flavour has none of these stories.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from random import Random

from demo.plan.delivery import CodeScanningAlert, Repository
from demo.plan.repositories import REPOSITORIES, DemoRepository
from demo.plan.year import DemoYear

_WEEKS = 13
_FLAKY, _COVERS_MORE, _LEAVES_OPEN = "storefront-app", "search-service", "warehouse-models"
_FLAKY_WEEKS = 12  # before the end
_FLAKY_TESTS = ("pays by card", "restores the cart", "shows the receipt", "applies a voucher")
_FAILURE = '<failure message="timed out"/>'
_TESTS = 120
_LINES = 4000
_RULES = (("py/sql-injection", "8.8"), ("py/clear-text-logging", "7.5"), ("py/unused-import", "2.0"))
_FIXED_AFTER_WEEKS = 2
_HOSTED_RULES = (("py/weak-crypto", "error", "high"), ("py/log-injection", "warning", "medium"))
_WEEKS_BETWEEN_ALERTS, _DISMISSED_OF = 3, 4


@dataclass(frozen=True, slots=True)
class QualityReport:
    """A file, with the parameters that a pipeline pushes with it; `kind` is that of the push API."""

    kind: str
    repository: DemoRepository
    name: str
    sha: str
    at: datetime
    file: bytes


def quality_reports(year: DemoYear) -> Iterator[QualityReport]:
    """The reports of the last weeks, oldest first: each week a commit of each repository is tested, and again where its
    tests are flaky.
    """
    for week in reversed(range(min(_WEEKS, year.weeks))):
        for repository in REPOSITORIES:
            chance = Random(f"{year.seed} {repository.name} {week}")  # noqa: S311  # not for secrets
            sha = sha1(f"{repository.name} {week}".encode(), usedforsecurity=False).hexdigest()
            at = year.anchor - timedelta(weeks=week, days=chance.randrange(1, 5), minutes=chance.randrange(300))
            flaky = repository.name == _FLAKY and week < _FLAKY_WEEKS and not year.flavour.is_quiet
            for attempt in range(2 if flaky else 1):
                file = _junit(chance, failing=_failing(chance, attempt) if flaky else ())
                again = at + timedelta(minutes=25 * attempt)
                yield QualityReport("junit", repository, "browser", sha, again, file)
            if week % 2 == 0:
                yield QualityReport("cobertura", repository, "unit", sha, at, _cobertura(year, repository, week))
                yield QualityReport("sarif", repository, "", sha, at, _sarif(year, repository, week))


def alerts_of_host(year: DemoYear, planned: DemoRepository, repository: Repository) -> Iterator[CodeScanningAlert]:
    """The year's alerts of CodeQL, which the warehouse does not use: one every third week, fixed within two or
    dismissed.
    """
    if planned.name == _LEAVES_OPEN:
        return
    folder = planned.folders[0]
    for number, week in enumerate(range(year.weeks - 1, 0, -_WEEKS_BETWEEN_ALERTS), start=1):
        chance = Random(f"{year.seed} {planned.name} alert {number}")  # noqa: S311  # not for secrets
        created_at = year.anchor - timedelta(weeks=week, minutes=chance.randrange(1, 4000))
        ended_at = created_at + timedelta(days=chance.randrange(2, 13))
        rule, level, severity = chance.choice(_HOSTED_RULES)
        is_dismissed = number % _DISMISSED_OF == 0
        yield CodeScanningAlert(
            number=number,
            repository=repository,
            rule=rule,
            level=level,
            severity=severity,
            path=f"{folder.path}/module_{number}{folder.suffix}",
            created_at=created_at.astimezone(UTC),
            fixed_at=None if is_dismissed else ended_at.astimezone(UTC),
            dismissed_at=ended_at.astimezone(UTC) if is_dismissed else None,
        )


def _failing(chance: Random, attempt: int) -> tuple[str, ...]:
    """Some of the flaky tests, and others when they are tried again."""
    drawn = chance.sample(_FLAKY_TESTS, 2)
    return tuple(drawn if attempt == 0 else drawn[:1])


def _junit(chance: Random, *, failing: tuple[str, ...]) -> bytes:
    names = (*_FLAKY_TESTS, *(f"case {number}" for number in range(_TESTS - len(_FLAKY_TESTS))))
    cases = "".join(
        f'<testcase classname="browser" name="{name}">{_FAILURE if name in failing else ""}</testcase>'
        for name in names
    )
    suite = f'<testsuite name="browser" time="{chance.uniform(420, 640):.1f}">{cases}</testsuite>'
    return f"<testsuites>{suite}</testsuites>".encode()


def _cobertura(year: DemoYear, repository: DemoRepository, week: int) -> bytes:
    share = 0.62 + 0.04 * (len(repository.name) % 5)
    if repository.name == _COVERS_MORE and not year.flavour.is_quiet:
        share = 0.74 - 0.013 * week
    return f'<coverage lines-valid="{_LINES}" lines-covered="{round(_LINES * share)}"/>'.encode()


def _sarif(year: DemoYear, repository: DemoRepository, week: int) -> bytes:
    """A SARIF report; every other one has a new result, fixed two weeks later, except at the warehouse."""
    folder = repository.folders[0].path
    leaves_open = repository.name == _LEAVES_OPEN and not year.flavour.is_quiet
    found = [
        {
            "ruleId": rule,
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": f"{folder}/part_{since}.py"}}}],
            "partialFingerprints": {"primaryLocationLineHash": f"{rule} {since}"},
        }
        for since in range(_WEEKS - 1, week - 1, -4)
        for rule, _ in _RULES[: 3 if leaves_open else 1]
        if leaves_open or week > since - _FIXED_AFTER_WEEKS
    ]
    rules = [{"id": rule, "properties": {"security-severity": score}} for rule, score in _RULES]
    run = {"tool": {"driver": {"name": "Semgrep", "rules": rules}}, "results": found}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()
