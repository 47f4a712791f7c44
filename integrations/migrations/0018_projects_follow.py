"""The issues of a repository have its owner until they are given one of their own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0017_ownership_change")]

    operations = [
        migrations.AlterModelOptions(
            name="owned",
            options={"verbose_name": "owned thing", "verbose_name_plural": "owned things"},
        ),
        migrations.RemoveConstraint(model_name="owned", name="only_services_follow"),
        migrations.AlterField(
            model_name="owned",
            name="follows",
            field=models.ForeignKey(
                blank=True,
                help_text=(
                    "Of a service the repository that it is deployed from, of a project the one whose issues it holds: "
                    "it has that one’s owner while it has none itself."
                ),
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="integrations.repository",
            ),
        ),
        migrations.AddConstraint(
            model_name="owned",
            constraint=models.CheckConstraint(
                condition=models.Q(("follows", None), ("kind__in", ["service", "project"]), _connector="OR"),
                name="no_repository_follows",
            ),
        ),
        migrations.RunSQL(
            """
            UPDATE integrations_owned owned SET follows_id = project.repository_id
            FROM integrations_project project
            WHERE project.id = owned.project_id AND project.repository_id IS NOT NULL;
            SET CONSTRAINTS ALL IMMEDIATE;
            SET CONSTRAINTS ALL DEFERRED
            """,
            migrations.RunSQL.noop,
        ),
    ]
