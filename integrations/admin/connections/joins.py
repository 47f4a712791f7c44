"""Joins two repositories and undoes it, in admin: a page first shows what moves, with counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse

from core.admin_permissions import NoAdding, NoDeleting
from core.forms import posted
from core.locks import BusyError
from integrations.models import Repository, RepositoryJoin
from integrations.sync.join_repositories import JoinError, brought, join, undo

Log = Callable[[HttpRequest, Repository, str], object]
BUSY = "A clone of {} or {} is being read right now, so nothing was changed. Try again later."


class JoinForm(forms.Form):
    """Form that chooses the repository as which both count; nothing is preselected."""

    keep = forms.ModelChoiceField(
        Repository.objects.none(),
        widget=forms.RadioSelect,
        label="Which repository should both count as?",
        empty_label=None,
        error_messages={"required": "Choose the repository that both count as."},
    )

    def __init__(self, *args: object, among: Sequence[Repository]) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # the form's own
        keep = cast("forms.ModelChoiceField[Repository]", self.fields["keep"])
        keep.queryset = Repository.objects.filter(pk__in=[one.pk for one in among]).order_by("name")


def join_page(request: HttpRequest, first: int, second: int, *, log: Log) -> HttpResponse:
    """The page of a join.  A POST joins the repositories; `log` writes that to admin's history."""
    both = [get_object_or_404(Repository.objects.select_related("joined_into"), pk=pk) for pk in (first, second)]
    form = JoinForm(posted(request), among=both)
    if request.method == "POST" and form.is_valid():
        kept = form.cleaned_data["keep"]
        other = next((one for one in both if one != kept), kept)
        try:
            with transaction.atomic():
                join(kept, other, by=request.user.get_username())
                log(request, kept, f"Joined with {other}.")
                log(request, other, f"Counts as {kept}.")
        except JoinError as refusal:
            form.add_error("keep", str(refusal))
        except BusyError:
            form.add_error("keep", BUSY.format(kept, other))
        else:
            messages.success(request, f"{other} counts as {kept} now. It can be undone under Joined repositories.")
            return redirect("admin:integrations_repository_changelist")
    context = {
        **admin.site.each_context(request),
        "title": "Join two repositories",
        "opts": Repository._meta,
        "form": form,
        "repositories": [(one, brought(one)) for one in both],
    }
    return TemplateResponse(request, "admin/integrations/repository/join.html", context)


def undo_page(request: HttpRequest, pk: int, *, log: Log) -> HttpResponse:
    """The page that undoes a join.  A POST undoes it; `log` writes that to admin's history."""
    made = get_object_or_404(RepositoryJoin.objects.select_related("repository", "joined__joined_into"), pk=pk)
    refused = ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                undo(made, by=request.user.get_username())
                log(request, made.repository, f"Parted from {made.joined}.")
                log(request, made.joined, f"Counts separately again, no longer as {made.repository}.")
        except JoinError as refusal:
            refused = str(refusal)
        except BusyError:
            refused = BUSY.format(made.repository, made.joined)
        else:
            messages.success(request, f"{made.joined} counts separately again.")
            return redirect("admin:integrations_repositoryjoin_changelist")
    context = {
        **admin.site.each_context(request),
        "title": f"Undo the join of {made.joined} with {made.repository}",
        "opts": RepositoryJoin._meta,
        "join": made,
        "refused": refused,
        "brought": {} if made.undone_at else brought(made.joined),
    }
    return TemplateResponse(request, "admin/integrations/repository/undo.html", context)


@admin.register(RepositoryJoin)
class RepositoryJoinAdmin(NoAdding, NoDeleting, admin.ModelAdmin[RepositoryJoin]):
    """The log of joins; a join can only be undone."""

    list_display = ("joined", "repository", "joined_at", "joined_by", "undone_at", "undone_by")
    list_filter = (("undone_at", admin.EmptyFieldListFilter),)
    list_select_related = ("joined", "repository")
    search_fields = ("joined__name", "repository__name")
    ordering = ("-pk",)
    actions = ("undo_join",)

    def get_readonly_fields(self, request: HttpRequest, obj: RepositoryJoin | None = None) -> tuple[str, ...]:
        return self.list_display

    @admin.action(description="Undo the join…", permissions=["change"])
    def undo_join(self, request: HttpRequest, chosen: object) -> HttpResponse | None:
        selected = request.POST.getlist("_selected_action")
        if len(selected) != 1 or not selected[0].isdigit():
            self.message_user(request, "Select one join: they are undone one at a time.", messages.ERROR)
            return None
        return redirect("admin:integrations_repository_undo", selected[0])
