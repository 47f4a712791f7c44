import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

ONLY_APPENDED_TO = """
    CREATE TRIGGER only_append BEFORE UPDATE OR DELETE ON integrations_ownershipchange
    FOR EACH ROW EXECUTE FUNCTION orgtree_refuse_to_change_the_log()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0016_work_figures"),
        ("orgtree", "0015_fill_unit_placement"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OwnershipChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("owned_id", models.BigIntegerField(editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("repository", "Repository"),
                            ("service", "Service"),
                            ("project", "Project"),
                            ("board", "Board"),
                        ],
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("name", models.CharField(editable=False, max_length=300)),
                ("tree", models.CharField(editable=False, max_length=200)),
                (
                    "unit",
                    models.CharField(blank=True, editable=False, help_text="Empty: nobody.", max_length=200),
                ),
                ("day_from", models.DateField(editable=False, help_text="Null: since ever.", null=True)),
                (
                    "day_to",
                    models.DateField(
                        editable=False,
                        help_text="The first day that no longer belongs to it; null: until further notice.",
                        null=True,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        help_text="Null: a command.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["owned_id", "-at"], name="ownership_change_by_owned")]},
        ),
        migrations.RunSQL(ONLY_APPENDED_TO, "DROP TRIGGER only_append ON integrations_ownershipchange"),
    ]
