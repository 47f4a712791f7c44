"""Mirrors of action tickets as issues.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/: it takes *Create issues*, *Edit issues*,
*Transition issues* and *Assign issues* in the project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import FetchedResource, Http, Json, MirrorDraft, MirroredItem, Refused
from integrations.connectors.drafts import Who
from integrations.connectors.errors import ConnectorError, PermanentError
from integrations.connectors.jira.issues import CATEGORIES
from integrations.connectors.jira.site import Site
from integrations.connectors.json_text import list_in
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, objects_of
from integrations.enums import MirrorState, StatusCategory

LONGEST_SUMMARY = 255
OPTIONAL = frozenset({"description", "duedate", "assignee", "labels"})  # fields that a project's screens may lack
USUAL_TYPES = ("task", "story")
WITHOUT_DELIVERY = frozenset(
    {"won't do", "won't fix", "wontfix", "not planned", "cancelled", "canceled", "rejected", "declined", "dropped"}
    | {"duplicate", "cannot reproduce", "invalid", "obsolete", "abandoned", "withdrawn"}
)
CATEGORIES_OF: Mapping[MirrorState, Sequence[StatusCategory]] = {
    MirrorState.OPEN: (StatusCategory.TODO, StatusCategory.IN_PROGRESS),
    MirrorState.DONE: (StatusCategory.DONE,),
    MirrorState.DROPPED: (StatusCategory.DONE,),
}
GRANT = "Grant the account “Create issues”, “Edit issues”, “Transition issues” and “Assign issues” in {project}."


class RejectedFieldsError(PermanentError):
    """An error of Jira about fields of an issue that was sent; `fields` are its messages by id."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        named = "; ".join(
            f"{message.rstrip('.')} ({id_})" if id_.startswith("customfield_") else message.rstrip(".")
            for id_, message in fields.items()
        )
        super().__init__(
            f"Jira does not accept the issue: {named}.",
            what_to_do="Give the field a default value in the project, or make it optional there, and try again.",
        )
        self.fields = fields


def refusal_of(answer: Refused) -> ConnectorError | None:
    """The error of a request that writes an issue; None for any other."""
    if answer.method not in ("POST", "PUT") or "/issue" not in answer.path:
        return None
    named = object_of(answer.document, "errors")
    if answer.status == 400 and named:
        return RejectedFieldsError({str(id_): str(message) for id_, message in named.items()})
    if answer.status == 403:
        return PermanentError(
            "Jira does not let this account write issues.", what_to_do=GRANT.format(project="the project")
        )
    return None


@dataclass(frozen=True, slots=True)
class Issues:
    """The issues of one project."""

    http: Http
    site: Site
    project: FetchedResource

    def write(self, draft: MirrorDraft, key: str) -> MirroredItem:
        """Create or update the issue; an empty `key` creates it, unless an unanswered request already did."""
        known = key or self._created_before(draft)
        if known:
            self._accepted(self._fields(draft), lambda fields: self._put(known, fields))
        else:
            known = self._create(draft)
        issue = self._read(known)
        if _state(issue) is not draft.state:
            self._move(known, issue, draft.state)
            issue = self._read(known)
        return self._item(issue)

    def _created_before(self, draft: MirrorDraft) -> str:
        jql = f'project = {int(self.project.external_id)} AND labels = "{draft.label}" ORDER BY created ASC'
        found = self.site.search(self.http, jql, fields=["labels"], start="", changes=False).issues
        return str(found[0]["key"]) if found and isinstance(found[0], dict) else ""

    def _create(self, draft: MirrorDraft) -> str:
        fields = {
            **self._fields(draft),
            "project": {"id": self.project.external_id},
            "issuetype": {"id": self._issue_type()},
            "labels": [draft.label],
        }

        def created(fields: Json) -> str:
            answer = self.http.post_once(self.site.path("issue"), json={"fields": fields}).json()
            return Reader(answer, "issue").text("key")

        return self._accepted(fields, created)

    def _put(self, key: str, fields: Json) -> str:
        self.http.put(self.site.path("issue", key), json={"fields": fields})
        return key

    def _accepted(self, fields: Json, send: Callable[[Json], str]) -> str:
        """Send the fields, without those that the project does not have, as long as they are optional."""
        try:
            return send(fields)
        except RejectedFieldsError as rejected:
            if "project" in rejected.fields:
                raise self._forbidden() from None
            if not set(rejected.fields) <= OPTIONAL & set(fields):
                raise
            return self._accepted({name: value for name, value in fields.items() if name not in rejected.fields}, send)

    def _fields(self, draft: MirrorDraft) -> Json:
        """The fields of an update; without labels, so that existing ones stay."""
        fields: Json = {
            "summary": " ".join(draft.title.split())[:LONGEST_SUMMARY],
            "description": self._described(f"{draft.body}\n\n{draft.marker}".strip()),
        }
        if draft.due_on is not None:
            fields["duedate"] = draft.due_on.isoformat()
        if draft.owner is not None and (assignee := self._assignee(draft.owner)):
            fields["assignee"] = assignee
        return fields

    def _described(self, text: str) -> Any:
        """The description: Cloud takes a document of paragraphs, Data Center text."""
        if not self.site.is_cloud:
            return text
        paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
        content = [
            {"type": "paragraph", "content": [{"type": "text", "text": paragraph}]}
            for paragraph in paragraphs
            if paragraph
        ]
        return {"type": "doc", "version": 1, "content": content}

    def _assignee(self, owner: Who) -> Json | None:
        """The assignee by account if known, else by address, which Jira finds if the person shows it."""
        if self.site.is_cloud and owner.account:
            return {"accountId": owner.account}
        if not self.site.is_cloud and owner.login:
            return {"name": owner.login}
        if not owner.email:
            return None
        named = "query" if self.site.is_cloud else "username"
        try:
            found = self.http.get(self.site.path("user", "search"), params={named: owner.email}).json()
        except PermanentError:  # the account may not browse users
            return None
        of_address = [user for user in found or () if str(user.get("emailAddress", "")).lower() == owner.email.lower()]
        user = of_address[0] if of_address else found[0] if isinstance(found, list) and len(found) == 1 else {}
        id_ = user.get("accountId" if self.site.is_cloud else "name")
        return {"accountId" if self.site.is_cloud else "name": str(id_)} if id_ else None

    def _issue_type(self) -> str:
        """The type for new issues: a task if the project has one, else the first type that is not a subtask."""
        path = self.site.path("issue", "createmeta", self.project.external_id, "issuetypes")
        try:
            document = self.http.get(path).json()
        except PermanentError:
            raise self._forbidden() from None
        listed = list_in(document, "issueTypes" if self.site.is_cloud else "values", f"Jira answered {path}")
        types = [type_ for type_ in objects_of(listed) if not type_.get("subtask")]
        if not types:
            raise self._forbidden()
        usual = [type_ for name in USUAL_TYPES for type_ in types if str(type_.get("name", "")).casefold() == name]
        return str((usual or types)[0]["id"])

    def _forbidden(self) -> PermanentError:
        return PermanentError(
            f"Jira does not let this account create issues in {self.project.name}.",
            what_to_do=GRANT.format(project=self.project.name),
        )

    def _read(self, key: str) -> Reader:
        params = {"fields": "status,resolution,duedate,updated"}
        return Reader(self.http.get(self.site.path("issue", key), params=params).json(), "issue")

    def _move(self, key: str, issue: Reader, state: MirrorState) -> None:
        path = self.site.path("issue", key, "transitions")
        listed = self.http.get(path, params={"expand": "transitions.fields"}).json()
        offered = objects_of(list_in(listed, "transitions", f"Jira answered {path}"))
        possible = [Reader(transition, "transition") for transition in offered]
        for body in _moves(possible, state):
            try:
                self.http.post(path, json=body)
            except RejectedFieldsError:
                if "fields" not in body:
                    raise
            else:
                return
        status = issue.text("fields.status.name", default="its status")
        raise PermanentError(
            f"{key} is in “{status}”, from which this account has no transition to {_words(state)}.",
            what_to_do="Move the issue there in Jira, or add a transition to its workflow, and try again.",
        )

    def _item(self, issue: Reader) -> MirroredItem:
        key = issue.text("key")
        return MirroredItem(
            external_id=issue.identifier("id"),
            key=key,
            url=f"{str(self.project.details.get('pages', '')).rstrip('/')}/browse/{key}",
            state=_state(issue),
            updated_at=issue.time("fields.updated"),
            due_on=issue.part_date("fields.duedate"),
        )


def _state(issue: Reader) -> MirrorState:
    """The state as the return path reads it: by the category of its status, and by its resolution."""
    if CATEGORIES.get(issue.text("fields.status.statusCategory.key", default="")) is not StatusCategory.DONE:
        return MirrorState.OPEN
    ended = issue.text("fields.resolution.name", default="") or issue.text("fields.status.name", default="")
    return MirrorState.DROPPED if _is_without_delivery(ended) else MirrorState.DONE


def _moves(possible: Sequence[Reader], state: MirrorState) -> Iterator[Json]:
    """The transitions that lead to the state, best first; for dropped, with a resolution that says so if one can be
    set.
    """
    for category in CATEGORIES_OF[state]:
        leading = [one for one in possible if CATEGORIES.get(one.text("to.statusCategory.key", default="")) is category]
        for one in sorted(
            leading, key=lambda one: _is_without_delivery(one.text("to.name")) != (state is MirrorState.DROPPED)
        ):
            move: Json = {"transition": {"id": one.identifier("id")}}
            if state is MirrorState.DROPPED and (resolution := _resolution(one)):
                yield {**move, "fields": {"resolution": {"name": resolution}}}
            yield move


def _resolution(transition: Reader) -> str:
    """A resolution without delivery that the transition's screen offers; empty if there is none."""
    allowed = transition.objects("fields.resolution.allowedValues")
    names = [one.text("name", default="") for one in allowed]
    return next((name for name in names if _is_without_delivery(name)), "")


def _is_without_delivery(word: str) -> bool:
    return word.casefold().replace("’", "'") in WITHOUT_DELIVERY


def _words(state: MirrorState) -> str:
    return "an open status" if state is MirrorState.OPEN else "a done status"
