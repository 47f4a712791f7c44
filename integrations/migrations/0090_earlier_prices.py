"""Prices of earlier versions of the price list, and corrections of them on offer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0089_commits_named_by_deployments")]

    operations = [
        migrations.AddField(
            model_name="pricesnapshot",
            name="earlier",
            field=models.JSONField(
                help_text="Prices of earlier versions, the oldest first, each with the day until which it stays in use.",
                null=True,
            ),
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
                    ("correction", "A correction of earlier prices"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="repricing",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("at_work", "At work"),
                    ("done", "Done"),
                    ("offered", "Offered"),
                    ("accepted", "Accepted"),
                    ("declined", "Declined"),
                ],
                default="waiting",
                max_length=8,
            ),
        ),
    ]
