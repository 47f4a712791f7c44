"""Tickets to begin from."""

from __future__ import annotations

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("programs", "0008_objective_measures")]

    operations = [
        migrations.CreateModel(
            name="TicketTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("title", models.CharField(max_length=200, verbose_name="opportunity or challenge")),
                (
                    "nature",
                    models.CharField(
                        choices=[("opportunity", "Opportunity"), ("challenge", "Challenge")],
                        default="challenge",
                        max_length=12,
                        verbose_name="what it is",
                    ),
                ),
                ("resolution", models.TextField(help_text="What has helped. Markdown.")),
                (
                    "kind",
                    models.CharField(
                        choices=[("process", "Process"), ("tooling", "Tooling"), ("people", "People")],
                        max_length=10,
                        verbose_name="where the cause lies",
                    ),
                ),
                (
                    "metric",
                    models.CharField(blank=True, help_text="The key of the metric that it is to move.", max_length=80),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=28,
                        help_text="From its start to its due day.",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="days to do it in",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=100, help_text="Small numbers stand first.")),
                ("is_offered", models.BooleanField(default=True, verbose_name="offered")),
            ],
            options={"ordering": ("position", "pk")},
        ),
    ]
