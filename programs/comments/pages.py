"""The comments shown next to an open finding."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from core.page_links import url_with
from core.views import action_view
from core.write_errors import FieldError
from insights.findings.deciding import find_finding
from insights.models import Finding
from insights.privacy.scope_access import access_in
from insights.ui.offers import OfferedSection
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.comments.writing import comment_on
from programs.models import Comment

COMMENTS_LISTED = 200


def comments_of_finding(finding: Finding, access: Access) -> OfferedSection:
    """The latest comments, oldest first, and a form for accounts."""
    comments = [*Comment.objects.filter(finding=finding).order_by("-at", "-pk")[:COMMENTS_LISTED]][::-1]
    context = {
        "comments": comments,
        "names": names_of([*User.objects.filter(pk__in={comment.by_id for comment in comments if comment.by_id})]),
        "url": reverse("finding_comment", args=[finding.pk]) if isinstance(access.viewer, User) else "",
    }
    return OfferedSection("programs/comments/_of_finding.html", context)


@action_view
def finding_comment(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    finding = find_finding(pk, access)
    try:
        comment_on(access, finding, request.POST.get("text", ""))
    except FieldError as problem:
        messages.error(request, problem.message)
    return redirect(url_with(reverse("findings"), {"finding": pk}))
