"""Causes of a build: why it began, who began it, and which earlier build it repeats.

https://javadoc.jenkins.io/hudson/model/Cause.html, and the causes of the usual plugins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from integrations.connectors.base import Json
from integrations.connectors.drafts import Who
from integrations.connectors.unchecked import objects_of, text_of

_CAUSES = "hudson.model.CauseAction"
_PUSHES = ("BranchEventCause", "SCMTriggerCause", "GitHubPushCause", "GitLabWebHookCause", "BitBucketPushCause")
_REPEATS = {
    "ReplayCause": "replay",
    "RebuildCause": "rebuild",
    "RestartDeclarativePipelineCause": "restart",
    "NaginatorCause": "retry",
}
_TRIGGERS = {
    **dict.fromkeys((*_PUSHES, "CommitHookCause"), "push"),
    **dict.fromkeys(("TimerTriggerCause", "ParameterizedTimerTriggerCause"), "schedule"),
    **dict.fromkeys(("UserIdCause", "UserCause"), "manual"),
    **dict.fromkeys(("UpstreamCause", "BuildUpstreamCause"), "upstream"),
    "BranchIndexingCause": "branch_indexing",
    "RemoteCause": "remote",
    **_REPEATS,
}
_NUMBER = re.compile(r"#(\d{1,9})")
NOBODY = frozenset({"", "SYSTEM", "anonymous"})


def trigger_of(build: Json) -> str:
    """The trigger in other providers' terms if they have one; an unknown cause by its own name."""
    names = [_name(cause) for cause in causes_of(build)]
    first = next((name for name in names if name in _REPEATS), names[0] if names else "")
    return _TRIGGERS.get(first, first.removesuffix("Cause").lower())


def started_by(build: Json) -> Who | None:
    for cause in causes_of(build):
        login = text_of(cause, "userId")
        if login not in NOBODY:
            return Who(login=login.replace("\0", ""), name=text_of(cause, "userName").replace("\0", ""))
    return None


def repeated_by(build: Json, job: str) -> int | None:
    """The number of the build of this job that the build repeats: by replay, rebuild, restart of a stage or retry."""
    for cause in causes_of(build):
        if _name(cause) not in _REPEATS or text_of(cause, "upstreamProject") not in ("", job):
            continue
        named = text_of(cause, "upstreamBuild") or _number_in(text_of(cause, "shortDescription"))
        if named.isdecimal() and int(named) > 0:
            return int(named)
    return None


def parent_of(build: Json, page: str) -> str:
    """The address of the build that started it, empty if none did; `page` is the controller's address."""
    for cause in causes_of(build):
        project, number = text_of(cause, "upstreamProject"), text_of(cause, "upstreamBuild")
        if _TRIGGERS.get(_name(cause)) == "upstream" and project and number.isdecimal():
            return f"{page}{''.join(f'job/{quote(name)}/' for name in project.split('/'))}{number}/"
    return ""


def causes_of(build: Json) -> Iterator[Json]:
    """The causes of the build's start; an InterruptedBuildAction has causes of its end."""
    for action in actions_of(build):
        if text_of(action, "_class") in ("", _CAUSES):
            yield from objects_of(action.get("causes"))


def actions_of(build: Json) -> list[Json]:
    """The build's actions; Jenkins lists those that it does not export as {}."""
    return objects_of(build.get("actions"))


def parameters_of(build: Json) -> dict[str, str]:
    """The parameters by name; values of switches are true and false."""
    parameters: dict[str, str] = {}
    for action in actions_of(build):
        for parameter in objects_of(action.get("parameters")):
            value = parameter.get("value")
            if isinstance(value, bool):
                parameters[text_of(parameter, "name")] = str(value).lower()
            elif isinstance(value, str | int | float):
                parameters[text_of(parameter, "name")] = str(value)
    return parameters


def _number_in(text: str) -> str:
    """The build number in a text: Replayed #12; Restarted from build #12, stage Deploy."""
    found = _NUMBER.search(text)
    return found[1] if found else ""


def _name(cause: Json) -> str:
    """The short name of a cause: hudson.model.Cause$UserIdCause → UserIdCause."""
    return re.split(r"[.$]", text_of(cause, "_class"))[-1]
