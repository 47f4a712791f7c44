"""/agent/, where a developer installs the collector on a machine, and /agent/fleet/, where an admin sees all
machines.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.forms import posted_number
from core.page_links import page_links, read_page
from integrations.collector.machines import (
    TooManyMachinesError,
    add_machine,
    machine_tokens,
    machines_of,
    people_without_machine,
    revoke_machine,
    tokens_of,
)
from integrations.collector.packages import DEB, FILES, NAME, ZIP, sha256_of
from orgtree.access.access import access_of
from orgtree.access.permissions import admins_only
from orgtree.models import IndividualPolicy, Person
from orgtree.models.visibility import person_of

LONGEST_NAME = 100
MACHINES_SHOWN = 100
PEOPLE_SHOWN = 50
TOKEN_PLACEHOLDER = "TOKEN"  # noqa: S105  # placeholder in the shown commands


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def collector(request: HttpRequest) -> HttpResponse:
    """The page; a POST creates the token of a machine, which is shown once, or revokes one."""
    person = person_of(cast(User, request.user))
    secret, problem = "", ""
    if request.method == "POST" and person is not None:
        if "revoke" in request.POST:
            revoke_machine(get_object_or_404(tokens_of(person), pk=posted_number(request, "revoke")))
        else:
            secret, problem = _add(person, request.POST.get("name", "").strip())
    token = secret or TOKEN_PLACEHOLDER
    now = timezone.now()
    context = {
        "person": person,
        "machines": machines_of(tokens_of(person), now, names=True) if person else [],
        "secret": secret,
        "problem": problem,
        "lines": [
            ("posix", "Linux, macOS", _install_line("python3", "curl", token, " && ")),
            ("windows", "Windows (PowerShell)", _install_line("py", "curl.exe", token, "; ")),
        ],
        "files": [(name, len(FILES[name]()), sha256_of(name)) for name in (NAME, DEB, ZIP)],
    }
    return render(request, "integrations/collector.html", context, status=400 if problem else 200)


def _add(person: Person, name: str) -> tuple[str, str]:
    """Returns the secret of a new machine's token, and an error message; one of them is empty."""
    if not name:
        return "", "Give the machine a name, such as “laptop”."
    if len(name) > LONGEST_NAME or not name.isprintable():
        return "", f"A machine’s name has at most {LONGEST_NAME} printable characters."
    try:
        return add_machine(person, name), ""
    except TooManyMachinesError as refusal:
        return "", str(refusal)


def _install_line(python: str, curl: str, token: str, then: str) -> str:
    base = settings.BASE_URL.rstrip("/")
    return then.join(
        (f"{curl} -fsSo {NAME} {base}/agent/{NAME}", f"{python} {NAME} install --server {base} --token {token}")
    )


@require_safe
def collector_file(request: HttpRequest, name: str) -> HttpResponse:
    """The collector or a package of it, open to everybody: it holds no secret, and updates itself without
    signing in.
    """
    return HttpResponse(
        FILES[name](),
        content_type="application/vnd.debian.binary-package" if name == DEB else "application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
def collector_sha256(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(f"{sha256_of(name)}  {name}\n", content_type="text/plain")


@admins_only
@never_cache
@require_safe
def fleet(request: HttpRequest) -> HttpResponse:
    """All machines.  Their owners, the agents that ran there, and the people without a machine are shown only under the
    policy Named.
    """
    now = timezone.now()
    access = access_of(cast(User, request.user))
    names = access.policy == IndividualPolicy.NAMED
    order = ("identity__person__full_name", "name", "pk") if names else ("digest",)
    page = Paginator(machine_tokens().order_by(*order), MACHINES_SHOWN).get_page(read_page(request))
    without = people_without_machine(now)
    context = {
        "machines": machines_of(list(page), now, names=names),
        "count": page.paginator.count,
        "names": names,
        "without": without[:PEOPLE_SHOWN] if names else [],
        "without_count": None if access.is_few(len(without)) else len(without),
        "more_without": max(0, len(without) - PEOPLE_SHOWN) if names else 0,
        "plural": "machines",
        "noun": "machines",
        "pages": page.paginator.num_pages,
        **page_links(page, lambda number: f"?page={number}"),
    }
    return render(request, "integrations/fleet.html", context)
