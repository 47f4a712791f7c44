"""An index tells the sessions that have tokens of a model.

A page filtered by a model asks for them several times; each time all days of all sessions were read.
"""

import django.db.models.expressions
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0048_attributes_not_understood"),
        ("orgtree", "0020_fiscal_year"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="agentsessionday",
            index=models.Index(
                condition=models.Q(
                    django.db.models.lookups.GreaterThan(
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("input_tokens"), "+", models.F("cache_read_tokens")
                                ),
                                "+",
                                models.F("cache_write_tokens"),
                            ),
                            "+",
                            models.F("output_tokens"),
                        ),
                        0,
                    ),
                    ("counted", True),
                ),
                fields=["model", "session"],
                name="agent_session_day_by_model",
            ),
        ),
    ]
