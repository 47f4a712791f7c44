"""Who left on a day was there until then: a stretch of days without a beginning."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orgtree", "0007_unit_own_name")]

    operations = [
        migrations.RunSQL(
            """
            INSERT INTO orgtree_employment (person_id, during)
            SELECT id, daterange(NULL, left_on) FROM orgtree_person WHERE left_on IS NOT NULL;
            SET CONSTRAINTS ALL IMMEDIATE;
            SET CONSTRAINTS ALL DEFERRED
            """,
            """
            UPDATE orgtree_person person SET left_on = there.until
            FROM (SELECT person_id, upper(range_merge(range_agg(during))) AS until
                  FROM orgtree_employment GROUP BY person_id) AS there
            WHERE there.person_id = person.id;
            SET CONSTRAINTS ALL IMMEDIATE;
            SET CONSTRAINTS ALL DEFERRED
            """,
        ),
        migrations.RemoveField("person", "left_on"),
    ]
