"""Django admin's index: models grouped by admins' tasks, under the names that the pages use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.utils.text import slugify

GROUPS: Mapping[str, Sequence[str]] = {
    "Connections and data": (
        *("integrations.Connection", "integrations.SyncRun", "integrations.IngestToken", "integrations.Repository"),
        *("integrations.RepositoryJoin", "integrations.PlacingRule", "integrations.ProposedRollback"),
        "integrations.RepeatedReport",
        *("integrations.QuarantinedRecord", "integrations.UnreadEvent", "integrations.UnreadableNote"),
        "integrations.DroppedAttribute",
    ),
    "People and Org Trees": (
        *("orgtree.Person", "orgtree.Identity", "orgtree.MatchProposal", "orgtree.Attribute"),
        *("orgtree.OrgTree", "orgtree.Unit", "integrations.Owned", "integrations.ServicePaths"),
        *("integrations.WorkingAgreement", "integrations.PullRequestMark"),
    ),
    "Access": (
        *("orgtree.Organisation", "auth.User", "account.EmailAddress", "orgtree.Grant", "orgtree.ApiToken"),
        *("axes.AccessAttempt", "axes.AccessFailureLog", "axes.AccessLog"),
    ),
    "Prices and seats": (
        *("integrations.PriceOverride", "integrations.PriceOverrideChange", "integrations.PriceSnapshot"),
        *("integrations.Repricing", "integrations.SeatPlan", "integrations.SeatAssignment"),
    ),
    "Figures and dashboards": (
        *("insights.Annotation", "insights.Context"),
        *("insights.Dashboard", "insights.SavedView", "integrations.HandKeptMetric", "integrations.InvestmentCategory"),
    ),
    "Program": (
        *("programs.Objective", "programs.Ticket", "programs.Experiment", "programs.BenchmarkVersion"),
        *("programs.Review", "programs.Qbr"),
        *("programs.MeetingSeries", "programs.Quarter", "programs.ProgramSettings", "programs.Persona"),
        *("programs.ObjectiveTemplate", "programs.TicketTemplate", "programs.OutgoingEmail"),
        *("programs.InitiativeEvidence", "programs.CapitalisationPeriod", "programs.LanguageModel"),
    ),
    "Schedule": (
        *("django_celery_beat.PeriodicTask", "django_celery_beat.IntervalSchedule"),
        *("django_celery_beat.CrontabSchedule", "django_celery_beat.SolarSchedule"),
        "django_celery_beat.ClockedSchedule",
    ),
}
NAMES: Mapping[str, str] = {
    "account.EmailAddress": "E-mail addresses",
    "auth.User": "Accounts",
    "axes.AccessAttempt": "Refused sign-ins",
    "axes.AccessFailureLog": "Failed sign-ins",
    "axes.AccessLog": "Sign-ins",
    "django_celery_beat.ClockedSchedule": "Times",
    "django_celery_beat.CrontabSchedule": "Calendar rules",
    "django_celery_beat.SolarSchedule": "Sun times",
    "integrations.Repricing": "Price recalculations",
    "integrations.UnreadEvent": "Event mappings",
    "integrations.PullRequestMark": "Labels of pull requests",
    "integrations.WorkingAgreement": "Working agreements",
    "orgtree.Grant": "Roles",
    "orgtree.OrgTree": "Org Trees",
    "programs.BenchmarkVersion": "Benchmarks",
    "programs.CapitalisationPeriod": "Capitalisation periods",
    "programs.LanguageModel": "Language model",
    "programs.InitiativeEvidence": "Initiatives eligible for capitalisation",
    "programs.Qbr": "Business reviews",
    "programs.Review": "Monthly reviews",
    "programs.Ticket": "Action tickets",
}
OTHERS = "More"


class HeadwayAdminSite(AdminSite):
    site_header = site_title = "Headway"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The groups; of one app its own models, as Django lists them."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            for model in app["models"]:
                model["name"] = NAMES.get(model["model"]._meta.label, model["name"])
        if app_label is not None:
            return apps
        listed = {model["model"]._meta.label: model for app in apps for model in app["models"]}
        groups = [(name, [listed.pop(label) for label in labels if label in listed]) for name, labels in GROUPS.items()]
        return [_group(name, models) for name, models in (*groups, (OTHERS, list(listed.values()))) if models]


def _group(name: str, models: list[Any]) -> dict[str, Any]:
    slug = slugify(name)
    return {"name": name, "app_label": slug, "app_url": f"#{slug}", "has_module_perms": True, "models": models}


class HeadwayAdminConfig(AdminConfig):
    default_site = "config.admin_site.HeadwayAdminSite"
