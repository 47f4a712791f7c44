"""Parses references to pull requests: URLs, or repository#number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db.models import QuerySet

from core.write_errors import FieldError
from integrations.delivery.records.visible import visible_pull_requests
from integrations.models import PullRequest
from orgtree.access.access import Access
from programs.models import Ticket

MOST_NAMED = 50
TOO_MANY = f"At most {MOST_NAMED} pull requests."
NUMBERED = re.compile(r"(?P<repository>\S.*?)\s*[#!](?P<number>\d{1,9})")
OWN_PAGE = re.compile(r".*/insights/pull-requests/(?P<pk>\d{1,18})/?")


def pull_requests_named(text: str, access: Access) -> tuple[int, ...]:
    """Headway's numbers of those named, one a line, as far as the viewer may see them.  Raises FieldError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_NAMED:
        raise FieldError("pull_requests", TOO_MANY)
    visible = visible_pull_requests(access)
    return tuple(dict.fromkeys(_named(line, visible) for line in lines))


def names_of_pull_requests(ticket: Ticket, access: Access) -> str:
    """Those that the viewer may see, one a line."""
    visible = visible_pull_requests(access).filter(pk__in=ticket.pull_requests.values("pk"))
    return "\n".join(map(name_of, visible.select_related("repository").order_by("pk")))


def pull_requests_numbered(numbers: Sequence[int], access: Access, known: Ticket | None = None) -> list[int]:
    """Those with Headway's `numbers`, as far as the viewer may see them; of a ticket that is `known` also those that
    they may not, which an edit keeps.  Raises FieldError.
    """
    if len(numbers) > MOST_NAMED:
        raise FieldError("pull_requests", TOO_MANY)
    linked = set(known.pull_requests.values_list("pk", flat=True)) if known else set()
    visible = set(visible_pull_requests(access).filter(pk__in={*numbers, *linked}).values_list("pk", flat=True))
    if missing := [number for number in numbers if number not in visible | linked]:
        raise FieldError("pull_requests", f"Pull request {missing[0]} is not known, or you may not see it.")
    return list(dict.fromkeys((*numbers, *sorted(linked - visible))))


def name_of(pull_request: PullRequest) -> str:
    """As people write it."""
    return f"{pull_request.repository.name}#{pull_request.number}"


def _named(line: str, visible: QuerySet[PullRequest]) -> int:
    if "\x00" in line:
        raise FieldError("pull_requests", "A NUL character cannot be read.")
    ids = list(_named_by(line, visible).values_list("pk", flat=True)[:2])
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise FieldError("pull_requests", f"“{line[:80]}” names several: give its address.")
    raise FieldError("pull_requests", f"There is no pull request “{line[:80]}”, or you may not see it.")


def _named_by(line: str, visible: QuerySet[PullRequest]) -> QuerySet[PullRequest]:
    if own := OWN_PAGE.fullmatch(urlsplit(line).path if "://" in line else line):
        return visible.filter(pk=int(own["pk"]))
    if "://" in line:
        address = line.partition("#")[0].partition("?")[0].rstrip("/")
        return visible.filter(url__in=(address, f"{address}/"))
    if numbered := NUMBERED.fullmatch(line):
        return visible.filter(repository__name__iexact=numbered["repository"], number=int(numbered["number"]))
    raise FieldError("pull_requests", f"“{line[:80]}”: write repository#number, or an address.")
