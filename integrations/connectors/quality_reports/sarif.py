"""SARIF 2.1.0 as code scanning tools write it: CodeQL, Semgrep, Trivy, Checkov, ESLint …

Of each result its rule, severity, file and state are read.  Messages and snippets are not: they may quote code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from integrations.connectors.quality_reports.xml_events import UnreadableReportError
from integrations.enums import AlertState, Severity

MOST_RESULTS = 10_000
MOST_RUNS = 50
LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.LOW}
_SCORES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))


@dataclass(frozen=True, slots=True)
class SarifAlert:
    """A result; `fingerprint` stays the same while the code around it moves, as far as the tool says so."""

    fingerprint: str
    rule: str
    path: str
    state: AlertState
    native_state: str  # the tool's own word
    severity: Severity
    native_severity: str


@dataclass(frozen=True, slots=True)
class SarifRun:
    """The alerts of one run of a tool; `category` distinguishes its runs on one repository."""

    tool: str
    category: str
    alerts: tuple[SarifAlert, ...]


def read_sarif(text: bytes) -> list[SarifRun]:
    """The runs of a report.  Raises UnreadableReportError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableReportError("The body is not JSON. Send a SARIF log in UTF-8.") from None
    if not isinstance(document, dict) or document.get("version") != "2.1.0":
        raise UnreadableReportError('This is not SARIF 2.1.0: it lacks "version": "2.1.0".')
    runs = _list(document, "runs")
    if not runs or len(runs) > MOST_RUNS:
        raise UnreadableReportError(f"A report has 1 to {MOST_RUNS} runs, and this one has {len(runs):,}.")
    return [_run(run) for run in runs]


def _run(run: Any) -> SarifRun:
    tool = _dict(_dict(run, "tool"), "driver")
    results = _list(run, "results")
    if len(results) > MOST_RESULTS:
        raise UnreadableReportError(f"A run may have {MOST_RESULTS:,} results, and this one has {len(results):,}.")
    if not (name := _text(tool, "name")):
        raise UnreadableReportError("A run does not name its tool: runs[].tool.driver.name is missing.")
    parts = [tool, *_list(_dict(run, "tool"), "extensions")]
    rules = [rule for part in parts for rule in _list(part, "rules")]
    by_id = {_text(rule, "id"): rule for rule in reversed(rules)}
    # The last part of the id is that of this run alone, unless there is none.
    category = _text(_dict(run, "automationDetails"), "id").rpartition("/")[0]
    alike: Counter[str] = Counter()
    alerts = []
    for result in results:
        if _text(result, "kind") not in ("", "fail"):
            continue
        alert = _alert(result, _list(tool, "rules"), by_id)
        alike[alert.fingerprint] += 1
        number = alike[alert.fingerprint]
        if number > 1:  # several results that nothing distinguishes
            alert = replace(alert, fingerprint=_hash(alert.fingerprint, str(number)))
        alerts.append(alert)
    return SarifRun(name[:200], category[:200], tuple(alerts))


def _alert(result: Any, rules: Sequence[Any], by_id: Mapping[str, Any]) -> SarifAlert:
    rule_id, rule = _rule_of(result, rules, by_id)
    location = _dict(_dict((_list(result, "locations") or [None])[0], "physicalLocation"), "artifactLocation")
    path = _text(location, "uri")
    fingerprints = _dict(result, "fingerprints") or _dict(result, "partialFingerprints")
    provided = [f"{name}={value}" for name, value in sorted(fingerprints.items()) if isinstance(value, str)]
    if not provided:  # its message distinguishes results in one file, and stays when lines move
        provided = [json.dumps(_dict(result, "message"), sort_keys=True)]
    severity, native = _severity(result, rule)
    state, native_state = _state(result)
    return SarifAlert(
        _hash(rule_id, path, *provided), rule_id[:300], path[:500], state, native_state, severity, native[:200]
    )


def _rule_of(result: Any, rules: Sequence[Any], by_id: Mapping[str, Any]) -> tuple[str, Any]:
    reference = _dict(result, "rule")
    id_ = _text(result, "ruleId") or _text(reference, "id")
    index = result.get("ruleIndex", reference.get("index")) if isinstance(result, dict) else None
    if not id_ and isinstance(index, int) and 0 <= index < len(rules):
        id_ = _text(rules[index], "id")
    # A hierarchical id (CA1000/2) names a part of a rule.
    return id_ or "unnamed", by_id.get(id_) or by_id.get(id_.partition("/")[0])


def _severity(result: Any, rule: Any) -> tuple[Severity, str]:
    """The severity by the rule's security score (CVSS), else by the result's level."""
    score = _dict(rule, "properties").get("security-severity")
    try:
        scored = float(score) if isinstance(score, str | int | float) else -1.0
    except ValueError:
        scored = -1.0
    if 0.0 <= scored <= 10.0:
        return next(severity for bound, severity in _SCORES if scored >= bound), str(score)
    level = _text(result, "level") or _text(_dict(rule, "defaultConfiguration"), "level") or "warning"
    return LEVELS.get(level, Severity.UNKNOWN), level


def _state(result: Any) -> tuple[AlertState, str]:
    suppressions = _list(result, "suppressions")
    if suppressions and all(_text(one, "status") in ("", "accepted") for one in suppressions):
        return AlertState.DISMISSED, "suppressed"
    baseline = _text(result, "baselineState")
    return (AlertState.FIXED if baseline == "absent" else AlertState.OPEN), baseline


def _hash(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(errors="replace"), digest_size=16).hexdigest()


def _dict(value: Any, name: str) -> dict[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _list(value: Any, name: str) -> list[Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, list) else []


def _text(value: Any, name: str) -> str:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner.replace("\0", "") if isinstance(inner, str) else ""
