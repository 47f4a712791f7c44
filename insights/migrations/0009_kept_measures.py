"""Cells keep the figures of measures instead of metrics.  All of them are computed anew by the next refresh."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0008_clones"),
        ("orgtree", "0015_fill_unit_placement"),
    ]

    operations = [
        migrations.DeleteModel(name="MetricCell"),
        migrations.CreateModel(
            name="CellGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("relation", models.CharField(max_length=80)),
                ("segment_name", models.CharField(blank=True, max_length=20)),
                ("starts", models.JSONField()),
                (
                    "rolled_to",
                    models.DateField(
                        help_text="The local day for which its cells stand; null: not filled yet.", null=True
                    ),
                ),
                (
                    "filled_at",
                    models.DateTimeField(help_text="When all of its cells were last computed.", null=True),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="cellgroup",
            constraint=models.UniqueConstraint(
                fields=("relation", "segment_name", "starts"), name="cell_group_is_unique"
            ),
        ),
        migrations.CreateModel(
            name="MetricCell",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="insights.cellgroup",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgtree.unit",
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("quarter", "Quarter"),
                            ("window", "Window"),
                        ],
                        max_length=8,
                    ),
                ),
                ("start", models.DateField()),
                ("end", models.DateField(help_text="The first day that no longer belongs to it.")),
                ("segment_value", models.CharField(blank=True, max_length=200)),
                ("facts", models.BigIntegerField()),
                ("matched_facts", models.BigIntegerField(help_text="Those of which the person is known.")),
                ("people", models.IntegerField()),
                (
                    "figures",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(null=True),
                        help_text="In the order of the group's measures.",
                        size=None,
                    ),
                ),
                ("computed_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="metriccell",
            constraint=models.UniqueConstraint(
                fields=("unit", "start", "end", "group", "segment_value", "period"),
                name="metric_cell_is_unique",
                nulls_distinct=False,
            ),
        ),
        migrations.RemoveField(model_name="snapshotstate", name="rolled_to"),
        migrations.AddField(
            model_name="snapshotstate",
            name="filling_since",
            field=models.DateTimeField(help_text="When the fill began that is under way; null: none is.", null=True),
        ),
        migrations.AddField(
            model_name="snapshotstate",
            name="pieces",
            field=models.IntegerField(
                db_default=0, default=0, help_text="In how many pieces that fill computes the cells."
            ),
        ),
        migrations.AddField(
            model_name="snapshotstate", name="pieces_filled", field=models.IntegerField(db_default=0, default=0)
        ),
        migrations.AddField(
            model_name="snapshotstate",
            name="filled_at",
            field=models.DateTimeField(help_text="When the last fill ended.", null=True),
        ),
        migrations.AddField(
            model_name="snapshotstate",
            name="filled_seconds",
            field=models.FloatField(db_default=0, default=0, help_text="How long that took."),
        ),
    ]
