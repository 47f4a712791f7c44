import django.db.models.deletion
from django.db import migrations, models

from core.migration_operations import AtOnce


# What raw rows say of place and parts, until the fold has read them.
RAW = """
ALTER TABLE integrations_agent_event
    ADD COLUMN parts jsonb,                     -- of a request: skill, sub-agent …; null: none named
    ADD COLUMN place text NOT NULL DEFAULT '';  -- integrations/telemetry/agents/place.py
ALTER TABLE integrations_agent_point ADD COLUMN place text NOT NULL DEFAULT '';
"""
BEFORE = """
ALTER TABLE integrations_agent_event DROP COLUMN parts, DROP COLUMN place;
ALTER TABLE integrations_agent_point DROP COLUMN place;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0065_cost_pull_request_shares"),
    ]

    operations = [
        AtOnce([
            migrations.RunSQL(RAW, BEFORE),
            migrations.AddField(
                model_name="agentrequest",
                name="effort",
                field=models.CharField(blank=True, db_default="", default="", max_length=120),
            ),
            migrations.AddField(
                model_name="agentrequest",
                name="mcp_server",
                field=models.CharField(blank=True, db_default="", default="", max_length=120),
            ),
            migrations.AddField(
                model_name="agentrequest",
                name="plugin",
                field=models.CharField(blank=True, db_default="", default="", max_length=120),
            ),
            migrations.AddField(
                model_name="agentrequest",
                name="provider",
                field=models.CharField(blank=True, db_default="", default="", max_length=120),
            ),
            migrations.AddField(
                model_name="agentrequest",
                name="query_source",
                field=models.CharField(blank=True, db_default="", default="", max_length=120),
            ),
            migrations.AddField(
                model_name="agentrequest",
                name="skill",
                field=models.CharField(blank=True, db_default="", default="", max_length=120),
            ),
            migrations.AddField(
                model_name="agentrequest",
                name="sub_agent",
                field=models.CharField(blank=True, db_default="", default="", max_length=120),
            ),
            migrations.AddField(
                model_name="sessionshare",
                name="weight",
                field=models.BigIntegerField(null=True),
            ),
            migrations.AddField(
                model_name="sessionshare",
                name="weight_before",
                field=models.BigIntegerField(null=True),
            ),
            migrations.AddField(
                model_name="sessionshare",
                name="weight_of_session",
                field=models.BigIntegerField(null=True),
            ),
            migrations.CreateModel(
                name="TelemetryPlace",
                fields=[
                    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                    ("key", models.UUIDField(help_text="Hash of the place as raw rows hold it.", unique=True)),
                    (
                        "named",
                        models.CharField(
                            blank=True, help_text="Host and path of the repository, or a name.", max_length=500
                        ),
                    ),
                    ("branch", models.CharField(blank=True, max_length=250)),
                    ("revision", models.CharField(blank=True, help_text="Where no repository is named.", max_length=64)),
                    (
                        "item_key",
                        models.CharField(blank=True, help_text="Of the work item that the branch names.", max_length=200),
                    ),
                    (
                        "repository",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="integrations.repository",
                        ),
                    ),
                    (
                        "work_item",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="integrations.workitem",
                        ),
                    ),
                ],
            ),
            migrations.CreateModel(
                name="SessionPlace",
                fields=[
                    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                    ("first_at", models.DateTimeField()),
                    ("last_at", models.DateTimeField()),
                    (
                        "tokens",
                        models.BigIntegerField(
                            db_default=0,
                            default=0,
                            help_text="Of the session's last requests there; 0 where it is its only place.",
                        ),
                    ),
                    (
                        "session",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="places",
                            to="integrations.agentsession",
                        ),
                    ),
                    (
                        "place",
                        models.ForeignKey(
                            on_delete=django.db.models.deletion.CASCADE, related_name="+", to="integrations.telemetryplace"
                        ),
                    ),
                ],
            ),
        ]),
        AtOnce([
            migrations.AddField(
                model_name="agentrequest",
                name="place",
                field=models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="integrations.telemetryplace",
                ),
            ),
            migrations.AddIndex(
                model_name="telemetryplace",
                index=models.Index(
                    condition=models.Q(("item_key", ""), _negated=True),
                    fields=["item_key"],
                    name="telemetry_place_by_item_key",
                ),
            ),
            migrations.AddConstraint(
                model_name="sessionplace",
                constraint=models.UniqueConstraint(fields=("session", "place"), name="session_place_is_unique"),
            ),
        ]),
    ]
