"""Changes of the small tables that statements join are noted: to compare every row took longer than most answers."""

from django.db import migrations, models

TABLES = (
    "orgtree_placement",
    "orgtree_unitplacement",
    "orgtree_personattribute",
    "orgtree_employment",
    "orgtree_person",
    "orgtree_identity",
    "integrations_owned",
    "integrations_ownership",
    "integrations_enrolment",
    "integrations_seatassignment",
    "integrations_seatplan",
)
# One trigger for each event: only so does a statement know its rows, and one without rows has changed nothing.
EVENTS = {"INSERT": "NEW TABLE", "UPDATE": "NEW TABLE", "DELETE": "OLD TABLE"}

FUNCTION = """
    CREATE FUNCTION insights_note_table_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'TRUNCATE' THEN
            IF NOT EXISTS (SELECT FROM changed) THEN
                RETURN NULL;
            END IF;
        END IF;
        INSERT INTO insights_tablechange ("table") VALUES (TG_TABLE_NAME);
        RETURN NULL;
    END $$
"""


def _triggers():
    for table in TABLES:
        for event, rows in EVENTS.items():
            yield (
                f"CREATE TRIGGER note_{event.lower()} AFTER {event} ON {table} REFERENCING {rows} AS changed"
                " FOR EACH STATEMENT EXECUTE FUNCTION insights_note_table_change()"
            )
        yield (
            f"CREATE TRIGGER note_truncate AFTER TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION insights_note_table_change()"
        )


class Migration(migrations.Migration):

    dependencies = [
        ('insights', '0018_figures_by_the_engine'),
        ('integrations', '0077_work_item_changes'),
        ('orgtree', '0025_who_installation_signers'),
    ]

    operations = [
        migrations.CreateModel(
            name='TableChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=63)),
            ],
        ),
        migrations.RunSQL([FUNCTION, *_triggers()], "DROP FUNCTION insights_note_table_change() CASCADE"),
    ]
