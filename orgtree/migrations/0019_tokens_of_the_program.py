"""Tokens that read and write the improvement program."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orgtree", "0018_peers")]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                choices=[
                    ("read", "Read figures"),
                    ("people", "Write people and units"),
                    ("annotations", "Write notes on charts"),
                    ("program", "Read and write objectives, benchmarks and tickets"),
                ],
                default="read",
                max_length=20,
            ),
        ),
    ]
