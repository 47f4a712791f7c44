"""The work on a finding, on its page, on the page of its ticket, and started from a form that the finding opened."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse

from core.page_links import url_with
from core.write_errors import FieldError, MayNotWriteError
from insights.findings.deciding import find_finding
from insights.findings.words import names_behind, worded
from insights.models import Finding
from insights.models.findings import OPEN_STATES, FindingState
from insights.ui.offers import OfferedSection
from orgtree.access.access import Access
from programs.finding_work.work import is_dropped, start_work, work_on
from programs.models import Objective, Ticket
from programs.requests.fields import LONGEST_ID


def start_named_work(request: HttpRequest, access: Access, work: Ticket | Objective) -> None:
    """Links new work to the `finding` in the address; if that is not allowed, the work is kept and a message
    says why.
    """
    word = request.GET.get("finding", "")
    if not word.isdecimal() or len(word) > LONGEST_ID:
        return
    try:
        start_work(access, find_finding(int(word), access), work)
    except Http404:
        return
    except (FieldError, MayNotWriteError) as problem:
        messages.warning(request, f"The finding is not in work: {problem}")


def work_of_finding(finding: Finding, access: Access) -> OfferedSection | None:
    """The tickets and objectives that address the finding; None if there are none."""
    work = work_on(finding, access)
    lines = [
        {
            "title": one.title,
            "kind": "Ticket" if isinstance(one, Ticket) else "Objective",
            "url": reverse("ticket" if isinstance(one, Ticket) else "objective", args=[one.pk]),
            "state": one.get_state_display() if isinstance(one, Ticket) else "Dropped" if is_dropped(one) else "",
            "dropped_why": one.dropped_why,
        }
        for one in work
    ]
    ended = finding.state != FindingState.IN_WORK and all(map(is_dropped, work))
    context = {"lines": lines, "ended": ended and finding.state in OPEN_STATES}
    return OfferedSection("programs/finding_work/_of_finding.html", context) if lines else None


def finding_of(work: Ticket | Objective, access: Access) -> dict[str, str] | None:
    """The title and page of the finding that the work addresses; None without one, or if the viewer may not see it."""
    name = "ticket" if isinstance(work, Ticket) else "objective"
    finding = Finding.objects.within(access.visibility).filter(**{f"work__{name}": work}).select_related("unit").first()
    words = worded(finding, names_behind([finding])) if finding else None
    if finding is None or words is None:
        return None
    return {"title": words.title, "url": url_with(reverse("findings"), {"finding": finding.pk})}
