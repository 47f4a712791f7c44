import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import orgtree.models.exclusion


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0029_how_items_end"),
        ("orgtree", "0017_tokens_that_annotate"),
    ]

    operations = [
        migrations.CreateModel(
            name="FollowedAgreement",
            fields=[
                (
                    "owned",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="integrations.owned",
                    ),
                ),
                ("words", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="WorkingAgreement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="Without a beginning: since ever.  Without an end: until further notice."
                    ),
                ),
                (
                    "size_thresholds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        blank=True,
                        help_text="Up to how many lines a pull request is S, M and L, such as 50, 200, 400; "
                        "what is larger is XL.",
                        null=True,
                        size=3,
                    ),
                ),
                (
                    "hotfix_branches",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        help_text="A deployment of a branch that begins so, such as hotfix/, fixes the one before it.",
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "hotfix_labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        help_text="So does one of a pull request with such a label.",
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "noted_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="working_agreements",
                        to="orgtree.unit",
                    ),
                ),
            ],
            options={
                "ordering": ["unit", "during"],
                "constraints": [
                    orgtree.models.exclusion.OneAtATime(name="one_agreement_of_a_unit_at_a_time", of=("unit_id",)),
                    models.CheckConstraint(condition=models.Q(("during__isempty", False)), name="agreement_has_days"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("size_thresholds", None),
                            models.Q(
                                ("size_thresholds__0__lt", models.F("size_thresholds__1")),
                                ("size_thresholds__1__lt", models.F("size_thresholds__2")),
                                ("size_thresholds__len", 3),
                            ),
                            _connector="OR",
                        ),
                        name="agreed_sizes_grow",
                        violation_error_message="Give three numbers of lines that grow: where S, M and L end.",
                    ),
                ],
            },
        ),
        migrations.AlterField(
            model_name="pullrequestfigures",
            name="size_class",
            field=models.CharField(
                blank=True,
                choices=[("S", "Small"), ("M", "Medium"), ("L", "Large"), ("XL", "Extra large")],
                max_length=2,
            ),
        ),
    ]
