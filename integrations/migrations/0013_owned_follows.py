"""Services follow the repository that they are deployed from, and everything named so far is there to be owned."""

import django.db.models.deletion
from django.db import migrations, models

NAMED_SO_FAR = """
    INSERT INTO integrations_owned (kind, name, repository_id) SELECT 'repository', '', id FROM integrations_repository
    ON CONFLICT DO NOTHING;
    INSERT INTO integrations_owned (kind, name, project_id) SELECT 'project', '', id FROM integrations_project
    ON CONFLICT DO NOTHING;
    INSERT INTO integrations_owned (kind, name, follows_id)
    SELECT DISTINCT ON (service) 'service', service, repository_id FROM integrations_deployment
    WHERE service <> '' ORDER BY service, id
    ON CONFLICT DO NOTHING;
    INSERT INTO integrations_owned (kind, name)
    SELECT DISTINCT 'service', service FROM integrations_incident WHERE service <> ''
    ON CONFLICT DO NOTHING;
    INSERT INTO integrations_owned (kind, name)
    SELECT DISTINCT 'board', board FROM integrations_sprint WHERE board <> ''
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0012_ownership")]

    operations = [
        migrations.AddField(
            model_name="owned",
            name="follows",
            field=models.ForeignKey(
                blank=True,
                help_text=(
                    "Of a service: the repository that it is deployed from, "
                    "whose owner it has while it has none itself."
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
                condition=models.Q(("follows", None), ("kind", "service"), _connector="OR"),
                name="only_services_follow",
            ),
        ),
        migrations.RunSQL(
            NAMED_SO_FAR + "; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED",
            migrations.RunSQL.noop,
        ),
    ]
