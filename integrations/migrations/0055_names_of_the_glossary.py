"""New names in Python: tables and columns keep theirs, so nothing in the database changes."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import AtOnce

import integrations.models.fields


FIELD_VERSIONS = models.JSONField(
    db_column="tellings",
    db_default={},
    default=dict,
    editable=False,
    help_text="When which field or part was provided, where that is not updated_at: "
    "integrations/intake/record_updates.py.",
)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("integrations", "0054_no_kept_usage"),
    ]

    operations = [
        migrations.AlterModelTable(
            name="toldrecord",
            table="integrations_toldrecord",
        ),
        migrations.RenameModel(
            old_name="ToldRecord",
            new_name="SeenRecord",
        ),
        AtOnce([
            migrations.AlterField(
                model_name="agentsession",
                name="event_stretches",
                field=integrations.models.fields.TimeRangesField(
                    db_column="event_stretches", db_default=models.Value("{}")
                ),
            ),
            migrations.AlterField(
                model_name="agentsession",
                name="told_by_file",
                field=models.BooleanField(db_column="told_by_file", db_default=False, default=False),
            ),
            migrations.AlterField(
                model_name="agentsession",
                name="metric_stretches",
                field=integrations.models.fields.TimeRangesField(
                    db_column="metric_stretches", db_default=models.Value("{}")
                ),
            ),
            migrations.AlterField(
                model_name="commit",
                name="set_apart",
                field=models.CharField(
                    blank=True,
                    choices=[
                        ("merge", "Merge: its lines are its parents'"),
                        ("duplicate", "The same change as another commit (rebase, cherry-pick)"),
                        ("squashed", "Part of a squash that stands on the default branch"),
                        ("bulk", "Bulk: over the thresholds for lines or files"),
                        ("bot", "By a bot that is no coding agent"),
                        ("gone", "No branch holds it any more"),
                    ],
                    db_column="set_apart",
                    max_length=12,
                ),
            ),
            migrations.AlterField(
                model_name="commitfile",
                name="set_apart",
                field=models.CharField(
                    blank=True,
                    choices=[
                        ("generated", "Generated"),
                        ("vendored", "Vendored"),
                        ("minified", "Minified"),
                        ("lock", "Lock file"),
                        ("binary", "Binary"),
                    ],
                    db_column="set_apart",
                    max_length=10,
                ),
            ),
            migrations.AlterField(
                model_name="incident",
                name="told_severity",
                field=models.CharField(
                    choices=[
                        ("critical", "Critical"),
                        ("high", "High"),
                        ("medium", "Medium"),
                        ("low", "Low"),
                        ("unknown", "Unknown"),
                    ],
                    db_column="told_severity",
                    help_text="The provider's own, where it has one.",
                    max_length=24,
                    null=True,
                ),
            ),
            migrations.AlterField(
                model_name="linehistory",
                name="asked_at",
                field=models.DateTimeField(db_column="asked_at", null=True),
            ),
            migrations.AlterField(
                model_name="pullrequestfigures",
                name="set_apart",
                field=models.CharField(
                    blank=True,
                    choices=[("bot", "By a bot that is no coding agent"), ("deleted", "Not there any more")],
                    db_column="set_apart",
                    max_length=8,
                ),
            ),
            migrations.AlterField(
                model_name="quota",
                name="told_at",
                field=models.DateTimeField(auto_now=True, db_column="told_at"),
            ),
            migrations.AlterField(
                model_name="repositorysource",
                name="asked_at",
                field=models.DateTimeField(db_column="asked_at", null=True),
            ),
            migrations.AlterField(
                model_name="repricing",
                name="asked_at",
                field=models.DateTimeField(db_column="asked_at", db_default=django.db.models.functions.datetime.Now()),
            ),
            migrations.AlterField(
                model_name="repricing",
                name="asked_by",
                field=models.ForeignKey(
                    db_column="asked_by_id",
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="+",
                    to=settings.AUTH_USER_MODEL,
                ),
            ),
            migrations.AlterField(
                model_name="workitem",
                name="told_category",
                field=models.CharField(
                    choices=[("todo", "Todo"), ("in_progress", "In progress"), ("done", "Done")],
                    db_column="told_category",
                    help_text="The provider's own, where it has one.",
                    max_length=24,
                    null=True,
                ),
            ),
            migrations.AlterField(
                model_name="workitem",
                name="told_first_category",
                field=models.CharField(
                    choices=[("todo", "Todo"), ("in_progress", "In progress"), ("done", "Done")],
                    db_column="told_first_category",
                    max_length=24,
                    null=True,
                ),
            ),
            migrations.AlterField(
                model_name="workitemtransition",
                name="told_category",
                field=models.CharField(
                    choices=[("todo", "Todo"), ("in_progress", "In progress"), ("done", "Done")],
                    db_column="told_category",
                    help_text="The provider's own, where it has one.",
                    max_length=24,
                    null=True,
                ),
            ),
            migrations.AlterField(
                model_name="commit",
                name="stands_in",
                field=models.ForeignKey(
                    db_column="stands_in_id",
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="duplicates",
                    to="integrations.commit",
                ),
            ),
            migrations.AlterField(
                model_name="deployment",
                name="tellings",
                field=FIELD_VERSIONS,
            ),
            migrations.AlterField(
                model_name="incident",
                name="tellings",
                field=FIELD_VERSIONS,
            ),
            migrations.AlterField(
                model_name="pipelinerun",
                name="tellings",
                field=FIELD_VERSIONS,
            ),
            migrations.AlterField(
                model_name="pullrequest",
                name="tellings",
                field=FIELD_VERSIONS,
            ),
            migrations.AlterField(
                model_name="release",
                name="tellings",
                field=FIELD_VERSIONS,
            ),
            migrations.AlterField(
                model_name="sprint",
                name="tellings",
                field=FIELD_VERSIONS,
            ),
            migrations.AlterField(
                model_name="stream",
                name="full_asked",
                field=models.BooleanField(
                    db_column="full_asked", default=False, help_text="Requested to read everything again."
                ),
            ),
            migrations.AlterField(
                model_name="stream",
                name="asked_at",
                field=models.DateTimeField(
                    db_column="asked_at", help_text="When a sync was requested that has not been done since.", null=True
                ),
            ),
            migrations.AlterField(
                model_name="workitem",
                name="tellings",
                field=FIELD_VERSIONS,
            ),
        ]),
        AtOnce([
            migrations.RenameField(
                model_name="agentsession",
                old_name="event_stretches",
                new_name="event_periods",
            ),
            migrations.RenameField(
                model_name="agentsession",
                old_name="told_by_file",
                new_name="from_usage_file",
            ),
            migrations.RenameField(
                model_name="agentsession",
                old_name="metric_stretches",
                new_name="metric_periods",
            ),
            migrations.RenameField(
                model_name="commit",
                old_name="set_apart",
                new_name="exclusion_reason",
            ),
            migrations.RenameField(
                model_name="commitfile",
                old_name="set_apart",
                new_name="exclusion_reason",
            ),
            migrations.RenameField(
                model_name="incident",
                old_name="told_severity",
                new_name="provider_severity",
            ),
            migrations.RenameField(
                model_name="linehistory",
                old_name="asked_at",
                new_name="requested_at",
            ),
            migrations.RenameField(
                model_name="pullrequestfigures",
                old_name="set_apart",
                new_name="exclusion_reason",
            ),
            migrations.RenameField(
                model_name="quota",
                old_name="told_at",
                new_name="reported_at",
            ),
            migrations.RenameField(
                model_name="repositorysource",
                old_name="asked_at",
                new_name="requested_at",
            ),
            migrations.RenameField(
                model_name="repricing",
                old_name="asked_at",
                new_name="requested_at",
            ),
            migrations.RenameField(
                model_name="repricing",
                old_name="asked_by",
                new_name="requested_by",
            ),
            migrations.RenameField(
                model_name="workitem",
                old_name="told_category",
                new_name="provider_category",
            ),
            migrations.RenameField(
                model_name="workitem",
                old_name="told_first_category",
                new_name="provider_first_category",
            ),
            migrations.RenameField(
                model_name="workitemtransition",
                old_name="told_category",
                new_name="provider_category",
            ),
            migrations.RenameField(
                model_name="commit",
                old_name="stands_in",
                new_name="duplicate_of",
            ),
            migrations.RenameField(
                model_name="deployment",
                old_name="tellings",
                new_name="field_versions",
            ),
            migrations.RenameField(
                model_name="incident",
                old_name="tellings",
                new_name="field_versions",
            ),
            migrations.RenameField(
                model_name="pipelinerun",
                old_name="tellings",
                new_name="field_versions",
            ),
            migrations.RenameField(
                model_name="pullrequest",
                old_name="tellings",
                new_name="field_versions",
            ),
            migrations.RenameField(
                model_name="release",
                old_name="tellings",
                new_name="field_versions",
            ),
            migrations.RenameField(
                model_name="sprint",
                old_name="tellings",
                new_name="field_versions",
            ),
            migrations.RenameField(
                model_name="stream",
                old_name="full_asked",
                new_name="full_requested",
            ),
            migrations.RenameField(
                model_name="stream",
                old_name="asked_at",
                new_name="requested_at",
            ),
            migrations.RenameField(
                model_name="workitem",
                old_name="tellings",
                new_name="field_versions",
            ),
        ]),
        AtOnce([
            migrations.AlterModelOptions(
                name="repricing",
                options={"ordering": ["-requested_at", "-pk"]},
            ),
            migrations.AlterField(
                model_name="agentsession",
                name="active_seconds",
                field=models.FloatField(
                    db_default=0, default=0, help_text="Sum of active periods; one ends after 30 minutes without an event."
                ),
            ),
            migrations.AlterField(
                model_name="deployment",
                name="updated_at",
                field=models.DateTimeField(help_text="The provider's own; an older update changes nothing.", null=True),
            ),
            migrations.AlterField(
                model_name="incident",
                name="updated_at",
                field=models.DateTimeField(help_text="The provider's own; an older update changes nothing.", null=True),
            ),
            migrations.AlterField(
                model_name="pipelinerun",
                name="updated_at",
                field=models.DateTimeField(help_text="The provider's own; an older update changes nothing.", null=True),
            ),
            migrations.AlterField(
                model_name="pullrequest",
                name="updated_at",
                field=models.DateTimeField(help_text="The provider's own; an older update changes nothing.", null=True),
            ),
            migrations.AlterField(
                model_name="release",
                name="updated_at",
                field=models.DateTimeField(help_text="The provider's own; an older update changes nothing.", null=True),
            ),
            migrations.AlterField(
                model_name="repricing",
                name="cause",
                field=models.CharField(
                    choices=[
                        ("override", "A price override"),
                        ("library", "Another version of the price list"),
                        ("rules", "Another way to price, or another calendar"),
                        ("asked", "On request"),
                    ],
                    max_length=10,
                ),
            ),
            migrations.AlterField(
                model_name="sprint",
                name="updated_at",
                field=models.DateTimeField(help_text="The provider's own; an older update changes nothing.", null=True),
            ),
            migrations.AlterField(
                model_name="workitem",
                name="updated_at",
                field=models.DateTimeField(help_text="The provider's own; an older update changes nothing.", null=True),
            ),
        ]),
    ]
