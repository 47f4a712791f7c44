import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0019_pull_request_by_asker"),
    ]

    operations = [
        migrations.RemoveField(model_name="workitemfigures", name="agents"),
        migrations.RemoveField(model_name="workitemfigures", name="has_pull_request"),
        migrations.AddField(
            model_name="workitemfigures",
            name="repository",
            field=models.ForeignKey(
                db_index=False,
                help_text="Whose issues the project has.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="integrations.repository",
            ),
        ),
        migrations.AddField(
            model_name="workitemfigures",
            name="work_type",
            field=models.CharField(
                choices=[
                    ("feature", "Feature"),
                    ("bug", "Bug"),
                    ("other", "Other"),
                    ("tech_debt", "Tech debt"),
                    ("operations", "Operations"),
                    ("documentation", "Documentation"),
                ],
                db_default="other",
                default="other",
                max_length=24,
            ),
        ),
    ]
