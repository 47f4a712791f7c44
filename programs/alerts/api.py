"""/api/v1/alert-rules/: the alert rules of the requesting account."""

from __future__ import annotations

from core.api.model_serializers import ReadSerializer
from core.api.resources import ListCreate, ReadChange, changes_of
from insights.api.program_view import ProgramView
from programs.alerts.queries import AlertRuleFilters, rule_rows, visible_rule
from programs.alerts.writing import WRITTEN, AlertRuleWriteSerializer, add_rule, change_rule, remove_rule
from programs.models import AlertRule
from programs.teams.fields import SeenUnitField


class AlertRuleSerializer(ReadSerializer[AlertRule]):
    unit = SeenUnitField(help_text="Slug; null: the whole organisation.")

    class Meta:
        model = AlertRule
        fields = ("id", *WRITTEN, "firing_since", "fired", "checked_at", "version", "written_at")


class AlertRules(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_alert_rules", "The account's own alert rules, by metric."),
        "csv": ("v1_alert_rules_csv", "The alert rules as a CSV file."),
        "create": ("v1_alert_rule_add", "Set a limit for a metric."),
        "retrieve": ("v1_alert_rule", "One alert rule."),
        "partial_update": ("v1_alert_rule_change", "Change what is named; the rule starts anew."),
        "destroy": ("v1_alert_rule_remove", "Remove a rule with its notices."),
    }
    plural = "alert_rules"
    filters = AlertRuleFilters
    serializer = AlertRuleSerializer
    write_serializer = AlertRuleWriteSerializer
    changes = changes_of(AlertRuleWriteSerializer)
    find = staticmethod(visible_rule)
    add = staticmethod(add_rule)
    change = staticmethod(change_rule)
    remove = staticmethod(remove_rule)
    file_rows = staticmethod(rule_rows)
