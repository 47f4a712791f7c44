"""Who signs with an installation: so far the person to whom it belongs, under their strongest name."""

import django.db.models.deletion
from django.db import migrations, models

SO_FAR = """
    INSERT INTO orgtree_installationsigner (installation_id, signer_id)
    SELECT installation.id, (
        SELECT signer.id FROM orgtree_identity signer
        WHERE signer.person_id = installation.person_id AND signer.kind <> 'installation'
        ORDER BY array_position(ARRAY['email', 'login', 'agent_account'], signer.kind::text), signer.id
        LIMIT 1
    )
    FROM orgtree_identity installation
    WHERE installation.kind = 'installation' AND EXISTS (
        SELECT FROM orgtree_identity signer
        WHERE signer.person_id = installation.person_id AND signer.kind <> 'installation'
    )
"""


class Migration(migrations.Migration):
    dependencies = [("orgtree", "0024_rollouts_settings")]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="is_shared",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Of an installation: several people sign with it, so alone it names nobody.",
            ),
        ),
        migrations.CreateModel(
            name="InstallationSigner",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "installation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgtree.identity",
                    ),
                ),
                (
                    "signer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgtree.identity"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("installation", "signer"), name="installation_signer_is_unique"
                    )
                ],
            },
        ),
        migrations.RunSQL(SO_FAR, migrations.RunSQL.noop),
    ]
