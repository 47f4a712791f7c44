import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import integrations.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0015_pull_request_figures"),
        ("orgtree", "0015_fill_unit_placement"),
    ]

    operations = [
        migrations.AlterField(
            model_name="meaning",
            name="subject",
            field=models.CharField(
                choices=[
                    ("environment", "Environment"),
                    ("deploying", "Pipeline that deploys"),
                    ("label", "Label"),
                    ("item_type", "Type of work item"),
                    ("status", "Status of work items"),
                    ("severity", "Severity"),
                    ("activity", "Work in a status"),
                    ("found_by", "Found by"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="WorkItemFigures",
            fields=[
                (
                    "work_item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="figures",
                        serialize=False,
                        to="integrations.workitem",
                    ),
                ),
                ("created_on", models.DateField(null=True)),
                (
                    "done_at",
                    models.DateTimeField(help_text="The last entry into done; null while it is not done.", null=True),
                ),
                ("done_on", models.DateField(null=True)),
                ("first_in_progress_at", models.DateTimeField(null=True)),
                ("started_on", models.DateField(help_text="The day of first_in_progress_at.", null=True)),
                ("lead_seconds", models.FloatField(help_text="Created → done.", null=True)),
                ("cycle_seconds", models.FloatField(help_text="First in progress → done.", null=True)),
                (
                    "active_seconds",
                    models.FloatField(help_text="Of the cycle: in progress, in no status that waits.", null=True),
                ),
                ("reopened", models.IntegerField(db_default=0, default=0, help_text="How often it left done.")),
                ("found_in_production", models.BooleanField(db_default=False, default=False)),
                ("found_by_customer", models.BooleanField(db_default=False, default=False)),
                (
                    "agents",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        db_default=[],
                        default=list,
                        help_text="With commits in its pull requests.",
                        size=None,
                    ),
                ),
                (
                    "has_pull_request",
                    models.BooleanField(db_default=False, default=False, help_text="One is linked that counts."),
                ),
                (
                    "todo_days",
                    integrations.models.fields.DayRangesField(help_text="On which, at their end, it was still to do."),
                ),
                (
                    "in_progress_days",
                    integrations.models.fields.DayRangesField(help_text="On which, at their end, it was in progress."),
                ),
                (
                    "healthy_days",
                    integrations.models.fields.DayRangesField(
                        help_text="Of todo_days: with an estimate, an assignee, a description and a recent change."
                    ),
                ),
                (
                    "credited",
                    models.ForeignKey(
                        help_text="The assignee when done, else the last.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgtree.identity",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "work item figures",
                "indexes": [
                    models.Index(fields=["created_on"], name="item_figures_by_creation"),
                    models.Index(fields=["done_on"], name="item_figures_by_end"),
                    django.contrib.postgres.indexes.GistIndex(fields=["todo_days"], name="item_figures_by_todo"),
                    django.contrib.postgres.indexes.GistIndex(
                        fields=["in_progress_days"], name="item_figures_by_progress"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PipelineRunFigures",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="figures",
                        serialize=False,
                        to="integrations.pipelinerun",
                    ),
                ),
                ("of_run", models.UUIDField()),
                ("is_last", models.BooleanField()),
                (
                    "finished_on",
                    models.DateField(help_text="The local day; null while it is not finished.", null=True),
                ),
                ("is_counted", models.BooleanField(help_text="Finished, and neither cancelled nor skipped.")),
                ("is_successful", models.BooleanField()),
                ("is_flaky", models.BooleanField(help_text="Successful after an attempt that failed.")),
                ("attempts", models.IntegerField(help_text="Of its run.")),
                ("duration_seconds", models.FloatField(help_text="Start → finish.", null=True)),
                ("queue_seconds", models.FloatField(help_text="Queued → start.", null=True)),
                (
                    "repository",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="integrations.repository",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "pipeline run figures",
                "indexes": [
                    models.Index(fields=["of_run"], name="run_figures_by_run"),
                    models.Index(
                        condition=models.Q(("is_last", True)), fields=["finished_on"], name="run_figures_by_finish"
                    ),
                ],
            },
        ),
    ]
