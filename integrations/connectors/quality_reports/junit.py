"""JUnit XML as test runners write it: pytest, Surefire, Gradle, Jest, go-junit-report, Playwright …

A test that occurs several times in a suite was tried again: its last attempt is its result.  Surefire writes earlier
attempts as children of one test case (`flakyFailure`, `rerunFailure`).  Digests of tests' names serve to compare
the reports of one commit.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from integrations.connectors.quality_reports.xml_events import (
    Attributes,
    UnreadableReportError,
    read_xml,
    seconds,
    whole_number,
)

MOST_TESTS = 100_000
MOST_NAMES = 500  # names of failed tests that are stored; all are counted and compared
LONGEST_NAME = 500
DIGEST_LENGTH = 8
PASSED, SKIPPED, FAILED, ERROR = "passed", "skipped", "failure", "error"
_RETRIED = {"flakyFailure", "flakyError", "rerunFailure", "rerunError"}
_ROOTS = ("testsuites", "testsuite")


@dataclass(frozen=True, slots=True)
class JUnitReport:
    """The results of a report; `failed_names` are the first tests with a failed attempt.

    `failed_tests` and `passed_tests` are the digests of all of them, in order and joined.
    """

    tests: int
    failures: int
    errors: int
    skipped: int
    duration_seconds: float | None
    failed_names: tuple[str, ...]
    failed_tests: str
    passed_tests: str


@dataclass(slots=True)
class _Suite:
    name: str
    stated: Attributes
    seconds: float | None
    is_leaf: bool = True  # it lists neither cases nor suites
    inner_seconds: float = 0.0  # of its cases and suites


@dataclass(slots=True)
class _Reading:
    suites: list[_Suite] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    failed: dict[str, None] = field(default_factory=dict)  # in order
    passed: set[str] = field(default_factory=set)
    case: str | None = None
    result: str = PASSED
    stated: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("tests", "failures", "errors", "skipped"), 0))
    seconds: float = 0.0
    is_timed: bool = False
    root: str = ""

    def begin(self, name: str, attributes: Attributes) -> None:
        if not self.root:
            self.root = name
            if name not in _ROOTS:
                raise UnreadableReportError(f"This is not JUnit XML: its root is {name[:60]!r}, not testsuites.")
        if name in _ROOTS:
            if self.suites:
                self.suites[-1].is_leaf = False
            self.suites.append(_Suite(attributes.get("name", ""), attributes, seconds(attributes)))
        elif name == "testcase" and self.suites:
            self._begin_case(attributes)
        elif self.case is not None:
            self._outcome(name)

    def _begin_case(self, attributes: Attributes) -> None:
        parts = (self.suites[-1].name, attributes.get("classname", ""), attributes.get("name", ""))
        named = " › ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))
        self.case = named.replace("\0", "")[:LONGEST_NAME] or "unnamed"
        self.result = PASSED
        self.suites[-1].is_leaf = False
        taken = seconds(attributes)
        if taken is not None:
            self.suites[-1].inner_seconds += taken
            self.is_timed = True

    def _outcome(self, name: str) -> None:
        if self.case is None:
            return
        if name in (FAILED, ERROR, SKIPPED):
            self.result = name
        elif name in _RETRIED:
            self.failed[self.case] = None

    def end(self, name: str) -> None:
        if name == "testcase" and self.case is not None:
            self._end_case(self.case)
            self.case = None
        elif name in _ROOTS:
            self._end_suite(self.suites.pop())

    def _end_case(self, case: str) -> None:
        if self.result in (FAILED, ERROR):
            self.failed[case] = None
        elif self.result == PASSED:
            self.passed.add(case)
        if self.result != SKIPPED or case not in self.results:  # a skipped retry does not count
            self.results[case] = self.result
        if len(self.results) > MOST_TESTS:
            raise UnreadableReportError(f"A report may have {MOST_TESTS:,} tests. Send it in parts.")

    def _end_suite(self, suite: _Suite) -> None:
        taken = suite.inner_seconds if suite.seconds is None else suite.seconds
        self.is_timed |= suite.seconds is not None
        if self.suites:
            self.suites[-1].inner_seconds += taken
        else:
            self.seconds = taken
        if suite.is_leaf:
            for name in self.stated:
                self.stated[name] += whole_number(suite.stated, name) or 0


def read_junit(text: bytes) -> JUnitReport:
    """The results in a report.  Raises UnreadableReportError."""
    reading = _Reading()
    read_xml(text, reading.begin, reading.end)
    results = list(reading.results.values())
    stated = reading.stated  # of suites that list no cases
    return JUnitReport(
        tests=len(results) + stated["tests"],
        failures=results.count(FAILED) + stated["failures"],
        errors=results.count(ERROR) + stated["errors"],
        skipped=results.count(SKIPPED) + stated["skipped"],
        duration_seconds=reading.seconds if reading.is_timed else None,
        failed_names=tuple([*reading.failed][:MOST_NAMES]),
        failed_tests=_digests_of(reading.failed),
        passed_tests=_digests_of(reading.passed),
    )


def digest_of(name: str) -> str:
    return urlsafe_b64encode(blake2b(name.encode(errors="replace"), digest_size=6).digest()).decode()


def digests_in(text: str) -> set[str]:
    return {text[start : start + DIGEST_LENGTH] for start in range(0, len(text), DIGEST_LENGTH)}


def _digests_of(names: Iterable[str]) -> str:
    return "".join(sorted({digest_of(name) for name in names}))
