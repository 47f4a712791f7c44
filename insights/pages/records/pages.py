"""The four record pages: details, stages, timeline, and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from core.page_links import url_with
from core.views import page_view
from insights.catalogue.agents import agent_name
from insights.pages.records import labels
from insights.pages.records.presentation import (
    deployment_facts,
    incident_facts,
    link_groups,
    pull_request_facts,
    stage_lines,
    timeline,
    work_item_facts,
)
from insights.pages.work_types import prediction_of
from insights.privacy.scope_access import access_in
from insights.ui import wording
from integrations.delivery.records.deployment import story_of_deployment
from integrations.delivery.records.incident import story_of_incident
from integrations.delivery.records.parts import MOST_PARTS, Story, owners_of
from integrations.delivery.records.pull_request import PullRequestStory, story_of_pull_request
from integrations.delivery.records.visible import (
    visible_deployments,
    visible_incidents,
    visible_pull_requests,
    visible_work_items,
)
from integrations.delivery.records.work_item import story_of_work_item

SHORT_SHA = 10


@page_view
def pull_request(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    story = story_of_pull_request(get_object_or_404(visible_pull_requests(access), pk=pk), access)
    record = story.pull_request
    return _page(
        request,
        story,
        tag=(labels.status_words(record.state), {"merged": "good", "closed": "watch"}.get(record.state, "")),
        facts=pull_request_facts(record),
        commits=_commit_rows(story),
        cost_url=url_with(reverse("ai_costs"), {"pull_request": record.pk}),
    )


@page_view
def work_item(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    story = story_of_work_item(get_object_or_404(visible_work_items(access), pk=pk), access)
    item = story.work_item
    state = item.native_status or labels.status_words(item.status_category)
    tag = (state, "good" if item.status_category == "done" else "")
    cost_url = url_with(reverse("ai_costs"), {"work_item": item.pk})
    prediction = prediction_of(item, access)
    facts = work_item_facts(item, story.figures, is_predicted=bool(prediction and prediction["is_in_use"]))
    return _page(request, story, tag=tag, facts=facts, cost_url=cost_url, prediction=prediction)


@page_view
def deployment(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    story = story_of_deployment(get_object_or_404(visible_deployments(access), pk=pk), access)
    record = story.deployment
    tag = (labels.status_words(record.status), {"success": "good", "failure": "bad"}.get(record.status, ""))
    owners = owners_of(record.service, record.repository_id, record.finished_at or record.first_seen_at)
    return _page(
        request,
        story,
        tag=tag,
        also=("failed", "bad") if story.failed else None,
        facts=deployment_facts(story, owners),
    )


@page_view
def incident(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    story = story_of_incident(get_object_or_404(visible_incidents(access), pk=pk), access)
    record = story.incident
    owners = owners_of(record.service, record.repository_id, record.started_at or record.first_seen_at)
    return _page(
        request,
        story,
        tag=("resolved", "good") if record.resolved_at else ("open", "bad"),
        facts=incident_facts(story, owners),
    )


def _page(
    request: HttpRequest,
    story: Story,
    *,
    tag: tuple[str, str],
    facts: Sequence[tuple[str, str]],
    also: tuple[str, str] | None = None,
    commits: Sequence[dict[str, Any]] = (),
    cost_url: str = "",
    prediction: Mapping[str, Any] | None = None,
) -> HttpResponseBase:
    name = story.name
    context: dict[str, Any] = {
        "kind": labels.status_words(name.kind).capitalize(),
        "reference": name.reference,
        "title": name.title or name.reference,
        "tool_url": labels.tool_url(name.url),
        "tool_label": labels.tool_label(name.url),
        "tags": [tag, also] if also else [tag],
        "facts": [(term, description) for term, description in facts if description],
        "stages": stage_lines(story.stages),
        "days": timeline(story),
        "links": link_groups(story.links),
        "commits": commits,
        "cost_url": cost_url,
        "prediction": prediction,
        "more": f"Only the first {MOST_PARTS} {wording.listed(list(story.more))} are listed." if story.more else "",
    }
    return render(request, "insights/records/record.html", context)


def _commit_rows(story: PullRequestStory) -> list[dict[str, Any]]:
    return [
        {
            "sha": commit.sha[:SHORT_SHA],
            "url": reverse("attributed_commit", args=[commit.sha]) if commit.sha in story.attributions else "",
            "subject": commit.subject,
            "author": labels.who(commit.author),
            "at": wording.moment(commit.authored_at or commit.committed_at),
            "agents": [
                (attribution.agent, agent_name(attribution.agent), f"{attribution.lines:,}")
                for attribution in story.attributions.get(commit.sha, ())
            ],
        }
        for commit in story.commits
    ]
