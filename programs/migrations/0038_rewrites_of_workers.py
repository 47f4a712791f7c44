from django.db import migrations, models
from django.db.models import F


def answer_earlier_ones(apps, schema_editor):
    """Until now the request itself waited for the answer."""
    apps.get_model("programs", "ReportRewrite").objects.update(answered_at=F("requested_at"))


class Migration(migrations.Migration):
    dependencies = [("programs", "0001_squashed_0037_notices_of_pull_requests")]
    operations = [
        migrations.AddField(
            model_name="reportrewrite",
            name="base_url",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The address that was shown with the request.",
                max_length=300,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reportrewrite",
            name="answered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(answer_earlier_ones, migrations.RunPython.noop),
    ]
