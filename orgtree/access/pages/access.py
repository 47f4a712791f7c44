"""The page “Who sees what”, public to all accounts, where admins change the rules, and grant and end roles."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date
from itertools import groupby
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.forms import show_error
from core.page_links import PAGE_SIZE, Picker, links_of_page, read_page, url_with
from core.write_errors import FieldError
from orgtree.access.access import Access, access_of
from orgtree.access.audit_log import AuditKind, audit_log, may_read_audit_log
from orgtree.access.grants import end, give, grants_in_force_or_to_come, leaders_of
from orgtree.access.permissions import admins_only
from orgtree.access.policy import (
    LABELS,
    change_policy,
    current_philosophy,
    keep_policy,
    policy_history,
    rule_changes,
    rules_of,
)
from orgtree.access.role_sight import ADMIN, MEMBER, ROLES, role_of, sample_rows, sentences_of
from orgtree.access.trust import Disclosure, RowKind, disclosure_of
from orgtree.access.who_sees import holders_of_roles, name_of, names_of, sees_everything, units_of
from orgtree.models import Grant, IndividualPolicy, MembersSee, Organisation, OrgTree, Role, Unit
from orgtree.models.visibility import Visibility, account_today, person_of, visibility_from

LEADERS_LISTED = 100
UNITS_LISTED = 8  # of a previewed account

ROWS_OF = {
    RowKind.DELIVERY: "Pull requests, reviews, work items, commits",
    RowKind.AGENTS_IN_DELIVERY: "What agents did in these",
    RowKind.TELEMETRY: "Sessions, tokens, spend",
}
AS, OF = "as", "of"  # parameters of the preview: the role, and for admins the address of an account
ABOUT_POLICIES = {
    IndividualPolicy.SELF_ONLY.value: "Nobody sees another person’s rows.",
    IndividualPolicy.PSEUDONYMS.value: "Others appear as rounded totals under a pseudonym, without repository or link.",
    IndividualPolicy.NAMED.value: "Whoever may see a unit sees names, and figures of any number of people.",
}
ABOUT_ROLES = {
    Role.EXECUTIVE.value: "Whole organisation",
    Role.MANAGER.value: "Units that they lead or were granted",
    MEMBER: "Every account: own data, and totals as the rules allow",
    ADMIN: "Configures; no individual figures",
    Role.AUDITOR.value: "Reads the audit log; no figures of its own",
    Role.FINANCE.value: "Eligible time and spend by initiative",
}
OTHERS_ROWS = {
    Disclosure.WITH_NAMES: "with your name and every link.",
    Disclosure.AS_IN_TOOLS: "with your name, as in the tools that they come from, and without any mention of agents.",
    Disclosure.TOTALS: (
        "rounded totals over four weeks or more, under a pseudonym that differs for every reader, figure and quarter; "
        "never a single session."
    ),
    Disclosure.OWN: "none of your rows; they are listed only for you.",
}


class PolicyForm(forms.Form):
    """The rules of who sees what."""

    individual_policy = forms.ChoiceField(
        choices=IndividualPolicy.choices, label=LABELS["individual_policy"], widget=forms.RadioSelect
    )
    minimum_group_size = forms.IntegerField(
        label=LABELS["minimum_group_size"],
        min_value=2,
        max_value=1_000,
        help_text="Figures of fewer people are hidden.",
    )
    members_see = forms.ChoiceField(
        choices=MembersSee.choices, label=LABELS["members_see"], widget=forms.Select(attrs={"class": "hw-input s"})
    )
    leaderboard = forms.BooleanField(
        required=False,
        label=LABELS["leaderboard"],
        help_text="Off: nobody has it, on no page and in no export.",
    )


class UnitsByTree(forms.ModelChoiceField[Unit]):
    """A unit of the trees in use, listed below the name of its tree."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Unit.objects.none(), to_field_name="slug", **kwargs)
        self.error_messages["invalid_choice"] = "There is no unit “%(value)s”."

    def fill(self) -> None:
        """Reads the units; the class is loaded before there is a database."""
        self.queryset = (
            Unit.objects.filter(tree__archived_at=None, places__during__contains=timezone.localdate())
            .select_related("tree")
            .order_by("tree__name", "name")
        )
        by_tree = groupby(self.queryset, key=lambda unit: unit.tree.name)
        self.choices = [("", "–"), *((tree, [(unit.slug, unit.name) for unit in units]) for tree, units in by_tree)]


class GrantForm(forms.Form):
    """Grants a role; accounts by address or user name."""

    account = forms.CharField(max_length=254, label="Account", help_text="Its e-mail address or user name.")
    role = forms.ChoiceField(choices=Role.choices)
    unit = UnitsByTree(required=False, label="Unit", help_text="For managers.")
    first_day = forms.DateField(label="From", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Empty: until it is ended.",
    )
    reason = forms.CharField(max_length=200, required=False, help_text="Everybody can read it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(UnitsByTree, self.fields["unit"]).fill()

    def clean_account(self) -> User:
        name = self.cleaned_data["account"].strip()
        account = account_named(name)
        if account is None:
            raise forms.ValidationError(f"There is no active account “{name}”, or more than one.")
        return account


def account_named(name: str) -> User | None:
    """The active account with that address or user name; None if there is none, or more than one."""
    accounts = list(User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name), is_active=True)[:2])
    return accounts[0] if len(accounts) == 1 else None


@login_required
@never_cache
@require_GET
def access(request: HttpRequest) -> HttpResponse:
    """The page: what each role sees, by the rules in force or, for admins, by the rules that they are about to
    choose.
    """
    return _page(request)


@admins_only
@require_POST
def write_policy(request: HttpRequest) -> HttpResponse:
    if "keep" in request.POST:
        keep_policy()
        messages.success(request, "The rules stay as they are.")
        return redirect("access")
    form = PolicyForm(request.POST)
    if form.is_valid():
        try:
            changes = change_policy(form.cleaned_data, by=cast(User, request.user))
        except FieldError as problem:
            show_error(form, problem)
        else:
            messages.success(request, f"{'; '.join(map(str, changes))}. Everybody is notified.")
            return redirect("access")
    return _page(request, policy_form=form, status=400)


@login_required
@never_cache
@require_GET
def policy_changes(request: HttpRequest) -> HttpResponse:
    """The history of the rules, for everybody."""
    return render(request, "orgtree/policy_history.html", {"changes": policy_history()})


@login_required
@never_cache
@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """The audit log, for auditors and admins; 404 for others."""
    if not may_read_audit_log(cast(User, request.user)):
        raise Http404
    given = request.GET.get("kind", "")
    kind = AuditKind(given) if given in AuditKind.values else None
    number = read_page(request)
    entries, total = audit_log(kind, start=(number - 1) * PAGE_SIZE, size=PAGE_SIZE)
    path = reverse("audit_log")
    options = [("", "All"), *AuditKind.choices]
    context = {
        "entries": entries,
        "kinds": [Picker(label, url_with(path, {"kind": value}), value == (kind or "")) for value, label in options],
        **links_of_page(
            number, entries, total, lambda page: url_with(path, {"kind": kind or "", "page": page}), size=PAGE_SIZE
        ),
    }
    return render(request, "orgtree/audit_log.html", context)


@admins_only
@require_POST
def give_grant(request: HttpRequest) -> HttpResponse:
    form = GrantForm(request.POST)
    if form.is_valid():
        try:
            given = give(**form.cleaned_data, by=cast(User, request.user))
        except FieldError as problem:
            show_error(form, problem)
        else:
            messages.success(request, f"{name_of(given.user)} is {given.get_role_display().lower()}.")
            return redirect(f"{reverse('access')}#roles")
    return _page(request, grant_form=form, status=400)


@admins_only
@require_POST
def end_grant(request: HttpRequest, pk: int) -> HttpResponse:
    grant = get_object_or_404(Grant.objects.select_related("user"), pk=pk)
    end(grant)
    messages.success(request, f"{name_of(grant.user)} is no longer {grant.get_role_display().lower()} from today.")
    return redirect(f"{reverse('access')}#roles")


def _page(
    request: HttpRequest,
    *,
    grant_form: GrantForm | None = None,
    policy_form: PolicyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = cast(User, request.user)
    seen = access_of(user)
    person = person_of(user)
    led = leaders_of(Unit.objects.within(seen.visibility))
    grants = list(grants_in_force_or_to_come())
    names = names_of([account for grant in grants for account in (grant.user, grant.granted_by) if account])
    context = {
        "person": person,
        "own_units": units_of(person) if person else [],
        "everything": sees_everything(),
        "reads_audit_log": may_read_audit_log(user),
        "trial": seen.trial,
        "minimum_group_size": seen.minimum_group_size,
        "small_groups_shown": seen.shows_small_groups,
        "policy": _policy(seen),
        "others_rows": [
            ("Members and managers of your units see", _others_rows(seen, covered=True)),
            ("Executives, admins and managers of other units see", _others_rows(seen, covered=False)),
        ],
        "members_see_everything": _members_see_everything(seen),
        "my_sight": _visibility_words(seen.visibility, "Your own data in full"),
        "grants": [_grant_row(grant, names) for grant in grants],
        "leaders": led[:LEADERS_LISTED],
        "leaders_left_out": max(0, led.count() - LEADERS_LISTED),
        "form": grant_form or GrantForm(initial={"first_day": timezone.localdate()}),
        "today": timezone.localdate(),
        **_rules(request, seen, policy_form),
    }
    return render(request, "orgtree/access.html", context, status=status)


def _rules(request: HttpRequest, seen: Access, form: PolicyForm | None) -> dict[str, Any]:
    """The rules, and what a role sees under them; under the proposed rules if an admin proposes some."""
    in_force = rules_of(seen.organisation)
    if form is None:
        proposes = request.user.is_superuser and not in_force.keys().isdisjoint(request.GET)
        form = PolicyForm(request.GET if proposes else None, initial=dict(in_force))
    proposed = {**in_force, **form.cleaned_data} if form.is_bound and form.is_valid() else in_force
    organisation = copy(seen.organisation)
    for name, value in proposed.items():
        setattr(organisation, name, value)
    role = request.GET.get(AS, Role.MANAGER.value)
    role = role if role in ROLES else Role.MANAGER.value
    previewed = _previewed(request, organisation)
    role = previewed.get("role", role)
    has_trees = OrgTree.objects.filter(archived_at=None).exists()
    sentences = sentences_of(role, organisation, has_trees=has_trees)
    chosen = {AS: role, **({name: _sent(value) for name, value in proposed.items()} if form.is_bound else {})}
    return {
        "policy_form": form,
        "policies": [(value, label, ABOUT_POLICIES[value]) for value, label in IndividualPolicy.choices],
        "changes": rule_changes(in_force, proposed),
        "proposed": {name: _sent(value) for name, value in proposed.items()},
        "philosophy": current_philosophy(),
        "leaderboard_is_on": seen.organisation.leaderboard,
        "is_decided": seen.organisation.rules_decided_at is not None,
        "roles": [(ROLES[name], ABOUT_ROLES[name], count) for name, count in holders_of_roles().items()],
        "role": ROLES[role],
        "role_key": role,
        "previews": [
            Picker(label, url_with(reverse("access"), {**chosen, AS: name}), name == role)
            for name, label in ROLES.items()
        ],
        "previewed": previewed,
        "sample": sample_rows(role, organisation, has_trees=has_trees),
        "seen": [sentence for sentence in sentences if sentence.is_seen],
        "unseen": [sentence for sentence in sentences if not sentence.is_seen],
    }


def _previewed(request: HttpRequest, organisation: Organisation) -> dict[str, Any]:
    """The preview of what the account that an admin names would see by these rules; empty without one."""
    address = request.GET.get(OF, "").strip()
    if not address or not request.user.is_superuser:
        return {}
    account = account_named(address)
    if account is None:
        return {"address": address, "problem": f"There is no active account “{address}”, or more than one."}
    today = account_today(account)[1]
    visibility = visibility_from(account, organisation, today)
    units = Unit.objects.filter(pk__in=[*today.managed, *today.own, *today.covered.values()])
    listed = list(units.select_related("tree").order_by("tree__name", "name")[: UNITS_LISTED + 1])
    return {
        "address": address,
        "name": name_of(account),
        "role": role_of(account, today),
        "words": _visibility_words(visibility, "Their own data in full"),
        "units": [f"{unit.name} ({unit.tree.name})" for unit in listed[:UNITS_LISTED]],
        "has_more": len(listed) > UNITS_LISTED,
    }


def _sent(value: Any) -> str:
    """A rule as its form field sends it."""
    return ("on" if value else "") if isinstance(value, bool) else str(value)


def _others_rows(seen: Access, *, covered: bool) -> list[tuple[str, str, str, str]]:
    """The key, disclosure under the current policy, and labels of each kind of rows."""
    shown_rows = [(of, disclosure_of(of, seen.policy, covered=covered)) for of in RowKind]
    return [(of.value, shown.name.lower(), ROWS_OF[of], OTHERS_ROWS[shown]) for of, shown in shown_rows]


def _policy(seen: Access) -> str:
    if seen.trial.in_trial:
        return "Trial mode: everything is open"
    return f"Individual data: {seen.policy.label.lower()}"


def _members_see_everything(seen: Access) -> bool:
    everything = seen.organisation.members_see == MembersSee.EVERYTHING
    return everything or not OrgTree.objects.filter(archived_at=None).exists()


def _visibility_words(visibility: Visibility, own: str) -> str:
    """A sentence on what an account sees; it begins with `own` if a person is linked to the account."""
    if not visibility.person_id:
        own = "No individual data: no person is linked to this account"
    if visibility.whole:
        rows = "" if visibility.individuals_in is None else ", and rows of others only in units managed or belonged to"
        return f"{own}. Figures of the whole organisation and of every unit{rows}."
    if not visibility.unit_ids:
        return f"{own}. In no unit and managing none, so no figures of others."
    managed = f", {len(visibility.managed_ids)} of them managed" if visibility.managed_ids else ""
    count = f"{len(visibility.unit_ids)} unit{'' if len(visibility.unit_ids) == 1 else 's'}"
    return f"{own}. Figures of {count}{managed}."


def _grant_row(grant: Grant, names: Mapping[int, str]) -> dict[str, Any]:
    last = date.fromordinal(grant.during.upper.toordinal() - 1) if grant.during.upper else None
    return {
        "pk": grant.pk,
        "account": names[grant.user_id],
        "address": grant.user.email,
        "is_active": grant.user.is_active,
        "role": grant.get_role_display(),
        "unit": grant.unit.name if grant.unit else "",
        "tree": grant.unit.tree.name if grant.unit else "",
        "first_day": grant.during.lower,
        "last_day": last,
        "reason": grant.reason,
        "given_by": names[grant.granted_by_id] if grant.granted_by_id else "",
    }
