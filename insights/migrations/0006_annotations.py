import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

LOG_IS_ONLY_APPENDED_TO = """
    CREATE FUNCTION insights_refuse_to_change_the_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The log of annotations is only appended to.';
    END $$;
    CREATE TRIGGER only_append BEFORE UPDATE OR DELETE ON insights_annotationchange
    FOR EACH ROW EXECUTE FUNCTION insights_refuse_to_change_the_log();
"""
LOG_IS_A_TABLE = """
    DROP TRIGGER only_append ON insights_annotationchange;
    DROP FUNCTION insights_refuse_to_change_the_log();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0005_left_out"),
        ("orgtree", "0015_fill_unit_placement"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Annotation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateField()),
                ("end", models.DateField(help_text="The first day that no longer belongs to it.")),
                ("text", models.CharField(max_length=200)),
                (
                    "about",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="A metric's key, or what a family's keys share before the dot. Empty: all charts.",
                        max_length=80,
                    ),
                ),
                (
                    "written_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("changed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="orgtree.unit",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["start"], name="annotation_by_start")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))), name="annotation_has_days"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="annotation_says_something"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AnnotationChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("annotation_id", models.BigIntegerField(db_index=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                (
                    "action",
                    models.CharField(
                        choices=[("added", "Added"), ("changed", "Changed"), ("removed", "Removed")],
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("unit_id", models.BigIntegerField(editable=False, null=True)),
                ("start", models.DateField(editable=False)),
                ("end", models.DateField(editable=False)),
                ("text", models.CharField(editable=False, max_length=200)),
                ("about", models.CharField(blank=True, editable=False, max_length=80)),
                (
                    "by",
                    models.ForeignKey(
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunSQL(LOG_IS_ONLY_APPENDED_TO, LOG_IS_A_TABLE),
    ]
