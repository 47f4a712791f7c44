from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0013_people_figures"),
    ]

    operations = [
        # The background reads them anew within a minute.
        migrations.RunSQL("DELETE FROM insights_keptpeoplefigures", migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="keptpeoplefigures", name="people_figures_are_unique"),
        migrations.RemoveField(model_name="keptpeoplefigures", name="unchanged_at"),
        migrations.AddField(
            model_name="keptpeoplefigures",
            name="kind",
            field=models.CharField(default="", help_text="What is kept: it names who reads it.", max_length=30),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="keptpeoplefigures",
            name="shown_until",
            field=models.DateTimeField(
                default="2000-01-01T00:00:00Z",
                help_text="After that they are too old; moves on while nothing changes.",
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="keptpeoplefigures",
            constraint=models.UniqueConstraint(
                fields=("kind", "start", "end"), name="people_figures_of_kind_are_unique"
            ),
        ),
    ]
