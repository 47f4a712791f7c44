"""Issues of a simulated Jira that were written by its API or in its pages, beside those that its history tells.

A workflow leads from every status to every other one; a project may demand fields, or lack some.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.providers.faults import Answer, Request
from demo.providers.jira_issues import DONE, IN_PROGRESS, STATUSES, TO_DO, written

FIRST_ID = 900_001
RESOLUTIONS = ("Done", "Won't Do")
_SCREENS = frozenset({"summary", "description", "project", "issuetype", "labels", "duedate", "assignee"})


class WrittenIssues:
    """`required` are fields of the create screen by id, with their names; `lacking` are not on any screen.

    Projects in `closed` let nobody create issues.  `stuck` statuses have no transition.  A `file` keeps what the
    API wrote for the next start.
    """

    def __init__(self, project_of: Callable[[str], Mapping[str, Any] | None], file: Path | None = None) -> None:
        self._file = file
        self.issues: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file and file.exists() else {}
        self.required: dict[str, str] = {}
        self.lacking: set[str] = set()
        self.closed: set[str] = set()
        self.stuck: set[str] = set()
        self.accounts: list[dict[str, Any]] = []
        self._project_of = project_of
        self._now = datetime.now(UTC).replace(microsecond=0)

    def of_project(self, project: int) -> list[dict[str, Any]]:
        return [one for one in self.issues.values() if one["fields"]["project"]["id"] == str(project)]

    def by_key(self, key: str) -> dict[str, Any] | None:
        """Find an issue by id, key, or former key."""
        named = (one for one in self.issues.values() if key in (one["id"], one["key"], *one["keys"]))
        return next(named, None)

    # What people do on its page -------------------------------------------------------------------------------

    def change(self, issue: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The payload of the webhook that reports the change."""
        self._now += timedelta(seconds=1)
        issue["fields"] |= {**fields, "updated": written(self._now)}
        shown = {name: value for name, value in issue.items() if name not in ("changelog", "keys")}
        return {"webhookEvent": "jira:issue_updated", "issue": shown}

    def put(self, issue: dict[str, Any], status: str, resolution: str = "") -> dict[str, Any]:
        """Move the issue to a status, as the board does."""
        before = issue["fields"]["status"]
        payload = self.change(issue, **_in(status, self._now, resolution or ("Done" if status == DONE else "")))
        item = {"field": "status", "fieldId": "status", "from": before["id"], "fromString": before["name"]}
        item |= {"to": status, "toString": STATUSES[status][0]}
        self._log(issue, item)
        return payload

    def move(self, issue: dict[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:
        """Move the issue to another project, with a new key; the old key still leads to it."""
        before, issue["key"] = issue["key"], f"{project['key']}-{issue['id']}"
        issue["keys"].append(before)
        payload = self.change(issue, project=dict(project))
        item = {"field": "Key", "from": None, "fromString": before, "to": None, "toString": issue["key"]}
        self._log(issue, item)
        return payload

    def _log(self, issue: dict[str, Any], item: Mapping[str, Any]) -> None:
        entry = {"id": str(len(issue["changelog"]) + 1), "created": issue["fields"]["updated"], "items": [item]}
        issue["changelog"].append(entry)

    def delete(self, issue: dict[str, Any]) -> dict[str, Any]:
        del self.issues[issue["id"]]
        return {**self.change(issue), "webhookEvent": "jira:issue_deleted"}

    # What the API does ----------------------------------------------------------------------------------------

    def answer(self, path: str, request: Request) -> Answer | None:
        """The response to a request for written issues; None for any other request."""
        for pattern, answer in self._routes():
            if (named := pattern.fullmatch(path)) is not None:
                answered = answer(request, *named.groups())
                if request.method != "GET":
                    self._save()
                return answered
        return None

    def _routes(self) -> Sequence[tuple[re.Pattern[str], Callable[..., Answer]]]:
        return (
            (re.compile("/rest/api/3/issue"), self._create),
            (re.compile(r"/rest/api/3/issue/createmeta/(\w+)/issuetypes"), self._types),
            (re.compile(r"/rest/api/3/issue/([A-Z0-9]+-\d+)"), self._issue),
            (re.compile(r"/rest/api/3/issue/([A-Z0-9]+-\d+)/transitions"), self._transitions),
            (re.compile("/rest/api/3/user/search"), self._users),
        )

    def _save(self) -> None:
        if self._file is not None:
            draft = self._file.with_name(f".{self._file.name}.draft")
            draft.write_text(json.dumps(self.issues))
            draft.replace(self._file)

    def _create(self, request: Request) -> Answer:
        fields = request.json()["fields"]
        project = self._project_of(str(fields["project"]["id"]))
        if project is None or str(project["id"]) in self.closed:
            return _rejected({"project": "You cannot create issues in this project."})
        problems = {id_: f"{name} is required." for id_, name in self.required.items() if id_ not in fields}
        if problems or (problems := self._not_on_screen(fields)):
            return _rejected(problems)
        self._now += timedelta(seconds=1)
        id_ = str(FIRST_ID + len(self.issues))
        issue = {"id": id_, "key": f"{project['key']}-{id_}", "keys": [], "changelog": []}
        usual: dict[str, Any] = {
            "labels": [],
            "duedate": None,
            "assignee": None,
            "issuetype": {"id": "10", "name": "Task"},
        }
        at = {"created": written(self._now), "updated": written(self._now)}
        status = _in(TO_DO, self._now, "")
        self.issues[id_] = {**issue, "fields": {**usual, **fields, **at, **status, "project": dict(project)}}
        return Answer.of({"id": id_, "key": issue["key"]}, status=201)

    def _types(self, request: Request, project: str) -> Answer:
        types = [{"id": "9", "name": "Sub-task", "subtask": True}, {"id": "10", "name": "Task", "subtask": False}]
        listed = [] if project in self.closed else types
        return Answer.of({"issueTypes": listed, "values": listed, "total": len(listed)})

    def _issue(self, request: Request, key: str) -> Answer:
        issue = self.by_key(key)
        if issue is None:
            return _gone()
        if request.method == "PUT":
            fields = request.json()["fields"]
            if problems := self._not_on_screen(fields):
                return _rejected(problems)
            self.change(issue, **fields)
            return Answer(204)
        return Answer.of({name: value for name, value in issue.items() if name not in ("changelog", "keys")})

    def _transitions(self, request: Request, key: str) -> Answer:
        issue = self.by_key(key)
        if issue is None:
            return _gone()
        if request.method == "POST":
            document = request.json()
            resolution = (document.get("fields") or {}).get("resolution", {}).get("name", "")
            self.put(issue, document["transition"]["id"], resolution)
            return Answer(204)
        names = {"resolution": {"required": False, "allowedValues": [{"name": name} for name in RESOLUTIONS]}}
        listed = [
            {"id": id_, "name": name, "to": _status(id_), "fields": names if id_ == DONE else {}}
            for id_, (name, _) in STATUSES.items()
            if id_ in (TO_DO, IN_PROGRESS, DONE) and issue["fields"]["status"]["id"] not in (id_, *self.stuck)
        ]
        return Answer.of({"transitions": listed})

    def _users(self, request: Request) -> Answer:
        searched = request.query.get("query") or request.query.get("username") or ""
        return Answer.of([one for one in self.accounts if one.get("emailAddress", "") == searched])

    def _not_on_screen(self, fields: Mapping[str, Any]) -> dict[str, str]:
        unknown = set(fields) - (_SCREENS - self.lacking) - set(self.required)
        return {
            id_: f"Field '{id_}' cannot be set. It is not on the appropriate screen, or unknown."
            for id_ in sorted(unknown)
        }


def _status(id_: str) -> dict[str, Any]:
    name, category = STATUSES[id_]
    return {"id": id_, "name": name, "statusCategory": {"key": category}}


def _in(status: str, at: datetime, resolution: str) -> dict[str, Any]:
    """The fields that follow from a status."""
    resolved = {"resolution": {"name": resolution}, "resolutiondate": written(at)} if resolution else {}
    return {"status": _status(status), "resolution": None, "resolutiondate": None, **resolved}


def _rejected(errors: Mapping[str, str]) -> Answer:
    return Answer.of({"errorMessages": [], "errors": dict(errors)}, status=400)


def _gone() -> Answer:
    message = "Issue does not exist or you do not have permission to see it."
    return Answer.of({"errorMessages": [message], "errors": {}}, status=404)
