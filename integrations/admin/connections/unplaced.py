"""Records of a connection that could not be placed yet: the name in each, why it cannot be resolved, and a rule
for it.
"""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.admin.connections.sections import section_context
from integrations.intake.unplaced import MOST_WAITING
from integrations.models import Connection
from integrations.sync.unplaced_groups import unplaced_groups

ON_A_PAGE = 50


def unplaced(request: HttpRequest, connection: Connection) -> HttpResponse:
    page = Paginator(unplaced_groups(connection.pk), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **section_context(request, connection, title=f"Not placed: {connection}", current="unplaced"),
        "groups": page.object_list,
        "page": page,
        "most": MOST_WAITING,
    }
    return render(request, "admin/integrations/connection/unplaced.html", context)
