"""What the page is about: all repositories, or one repository, pull request or work item."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest
from django.urls import reverse

from insights.query.query import Window
from insights.ui.filters import FIRST_DAY, BadFilterError, Filters
from integrations.code.costs import CostScope
from integrations.delivery.records.visible import visible_pull_requests, visible_work_items
from integrations.models import PullRequest, Repository, WorkItem
from orgtree.access.access import Access

KINDS = ("repository", "pull_request", "work_item")
LONGEST_NUMBER = 18
_PULL_REQUEST = re.compile(r"(?P<repository>.+)#(?P<number>[0-9]{1,9})")


@dataclass(frozen=True)
class Subject:
    """`kind` is one of KINDS, or empty for all repositories; only a repository's cost is of the page's window."""

    scope: CostScope
    window: Window
    kind: str = ""
    value: str = ""
    name: str = "Repositories"
    title: str = ""
    repository: str = ""  # whose privacy the figures have
    record_url: str = ""

    @property
    def parameters(self) -> Mapping[str, str]:
        return {self.kind: self.value} if self.kind else {}


def read_subject(request: HttpRequest, filters: Filters) -> Subject:
    """Raises BadFilterError for more than one or an id that is none, Http404 for what the viewer may not see."""
    named = [kind for kind in KINDS if request.GET.get(kind)]
    if len(named) > 1:
        raise BadFilterError(named[1], f"Choose either a {_words(named[0])} or a {_words(named[1])}.")
    if not named:
        return Subject(in_window(filters), filters.window)
    [kind], value = named, request.GET[named[0]]
    if kind == "repository":
        repository = Repository.objects.filter(name=value).first()
        if repository is None:
            raise Http404("No such repository.")
        return Subject(in_window(filters, repository.pk), filters.window, kind, value, value, "", value)
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise BadFilterError(kind, f"It must be the number of a {_words(kind)}.")
    ever = Window(FIRST_DAY, max(filters.today, filters.window.end))
    if kind == "pull_request":
        pull_request = visible_pull_requests(filters.access).select_related("repository").filter(pk=value).first()
        if pull_request is None:
            raise Http404("There is no such pull request, or none that you may see.")
        return _of_pull_request(pull_request, ever, filters)
    item = visible_work_items(filters.access).filter(pk=value).first()
    if item is None:
        raise Http404("There is no such work item, or none that you may see.")
    scope = CostScope(work_item_id=item.pk, whose=filters.people_filter)
    url = reverse("work_item", args=[item.pk])
    return Subject(scope, ever, kind, value, item.key, item.title, "", url)


def _of_pull_request(pull_request: PullRequest, ever: Window, filters: Filters) -> Subject:
    name = f"{pull_request.repository.name}#{pull_request.number}"
    return Subject(
        CostScope(pull_request_id=pull_request.pk, whose=filters.people_filter),
        ever,
        "pull_request",
        str(pull_request.pk),
        name,
        pull_request.title,
        pull_request.repository.name,
        reverse("pull_request", args=[pull_request.pk]),
    )


def in_window(filters: Filters, repository_id: int | None = None) -> CostScope:
    """One repository, or all of them, in the window of the filters."""
    window = filters.window
    return CostScope(repository_id, first_day=window.start, day_after=window.end, whose=filters.people_filter)


def found(text: str, access: Access) -> Mapping[str, str] | None:
    """The parameter that names what is called `text`: acme/shop, acme/shop#12 or SHOP-12; None where nothing is."""
    if "\x00" in text:
        return None
    if match := _PULL_REQUEST.fullmatch(text):
        pull_request = (
            visible_pull_requests(access)
            .filter(repository__name__iexact=match["repository"].strip(), number=int(match["number"]))
            .first()
        )
        if pull_request is not None:
            return {"pull_request": str(pull_request.pk)}
    repository = Repository.objects.filter(name__iexact=text).first()
    if repository is not None:
        return {"repository": repository.name}
    item: WorkItem | None = visible_work_items(access).filter(key__iexact=text).order_by("pk").first()
    return {"work_item": str(item.pk)} if item is not None else None


def _words(kind: str) -> str:
    return kind.replace("_", " ")
