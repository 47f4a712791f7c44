"""Unknown attributes are listed once for an agent, not once for each event that has them."""

from django.db import migrations

MERGE = """
    WITH taken AS (
        DELETE FROM integrations_unreadevent WHERE attribute <> '' RETURNING *
    )
    INSERT INTO integrations_unreadevent (
        agent, signal, name, attribute, known, count, first_at, last_at, means, tried_with
    )
    SELECT agent, '', '', attribute, bool_and(known), sum(count), min(first_at), max(last_at), max(means), ''
    FROM taken
    GROUP BY agent, attribute
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0091_parts_left_out_and_in_order")]

    operations = [migrations.RunSQL(MERGE, migrations.RunSQL.noop)]
