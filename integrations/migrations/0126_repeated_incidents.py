import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0125_analyses_and_components"),
    ]

    operations = [
        migrations.AddField(
            model_name="incident",
            name="duplicate_of",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="duplicates",
                to="integrations.incident",
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("duplicate_of__isnull", False)), fields=["duplicate_of"], name="incident_by_counted"
            ),
        ),
        migrations.RemoveConstraint(model_name="repeatedreport", name="repeated_report_is_unique"),
        migrations.RenameField(model_name="repeatedreport", old_name="deployments", new_name="records"),
        migrations.RenameField(model_name="repeatedreport", old_name="last_finished_at", new_name="last_at"),
        migrations.AlterField(
            model_name="repeatedreport",
            name="last_at",
            field=models.DateTimeField(help_text="When the last deployment finished, or the last incident started."),
        ),
        migrations.AddField(
            model_name="repeatedreport",
            name="kind",
            field=models.CharField(
                choices=[("deployment", "Deployments"), ("incident", "Incidents")],
                db_default="deployment",
                default="deployment",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="repeatedreport",
            name="service",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AlterField(
            model_name="repeatedreport",
            name="repository",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="integrations.repository",
            ),
        ),
        migrations.AlterField(
            model_name="repeatedreport",
            name="reported_by",
            field=models.ForeignKey(
                help_text="The connection whose records count.",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="integrations.connection",
            ),
        ),
        migrations.AddConstraint(
            model_name="repeatedreport",
            constraint=models.UniqueConstraint(
                fields=("kind", "repository", "service", "connection", "reported_by"),
                name="repeated_report_is_unique",
                nulls_distinct=False,
            ),
        ),
    ]
