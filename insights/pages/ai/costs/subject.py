"""What the page is about: all repositories, or one repository, pull request or work item."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest
from django.urls import reverse

from insights.query.errors import QueryError
from insights.ui.filters import Filters
from integrations.code.costs import CostScope
from integrations.delivery.records.visible import visible_pull_requests, visible_work_items
from integrations.models import Repository, WorkItem
from orgtree.access.access import Access

KINDS = ("repository", "pull_request", "work_item")
LONGEST_NUMBER = 18
_PULL_REQUEST = re.compile(r"(?P<repository>.+)#(?P<number>[0-9]{1,9})")


@dataclass(frozen=True)
class Subject:
    """`kind` is one of KINDS, or empty for all repositories; a pull request and a work item have a `scope`."""

    kind: str = ""
    value: str = ""
    name: str = "Repositories"
    title: str = ""
    repository: str = ""  # whose privacy the figures have
    record_url: str = ""
    scope: CostScope | None = None

    @property
    def parameters(self) -> Mapping[str, str]:
        return {self.kind: self.value} if self.kind else {}


def read_subject(request: HttpRequest, filters: Filters) -> Subject:
    """Raises QueryError for more than one or an id that is none, Http404 for what the viewer may not see."""
    named = [kind for kind in KINDS if request.GET.get(kind)]
    if len(named) > 1:
        raise QueryError(named[1], f"Choose either a {_words(named[0])} or a {_words(named[1])}.")
    if not named:
        return Subject()
    [kind], value = named, request.GET[named[0]]
    if kind == "repository":
        if not Repository.objects.filter(name=value).exists():
            raise Http404("No such repository.")
        return Subject(kind, value, value, repository=value)
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise QueryError(kind, f"It must be the number of a {_words(kind)}.")
    return _pull_request(value, filters) if kind == "pull_request" else _work_item(value, filters)


def _pull_request(pk: str, filters: Filters) -> Subject:
    found = visible_pull_requests(filters.access).select_related("repository").filter(pk=pk).first()
    if found is None:
        raise Http404("No such pull request, or you may not see it.")
    return Subject(
        "pull_request",
        pk,
        f"{found.repository.name}#{found.number}",
        found.title,
        found.repository.name,
        reverse("pull_request", args=[found.pk]),
        CostScope(pull_request_id=found.pk, whose=filters.people_filter),
    )


def _work_item(pk: str, filters: Filters) -> Subject:
    found = visible_work_items(filters.access).filter(pk=pk).first()
    if found is None:
        raise Http404("No such work item, or you may not see it.")
    return Subject(
        "work_item",
        pk,
        found.key,
        found.title,
        "",
        reverse("work_item", args=[found.pk]),
        CostScope(work_item_id=found.pk, whose=filters.people_filter),
    )


def named_in(text: str, access: Access) -> Mapping[str, str] | None:
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
