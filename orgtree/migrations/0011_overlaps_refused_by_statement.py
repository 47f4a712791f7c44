"""Overlaps are refused for all rows of a statement at once: see orgtree/models/exclusion.py."""

from django.db import migrations

import orgtree.models.exclusion

# A transaction that waited for the lock sees in the next statement what the one before it stored.
REFUSE_OVERLAP = """
    CREATE FUNCTION orgtree_refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        same text;
        found bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock(TG_RELID::bigint);
        SELECT string_agg(format('other.%1$I = changed.%1$I', of), ' AND ') INTO same
        FROM unnest(TG_ARGV[1:]) AS of;
        EXECUTE format(
            'SELECT min(changed.id) FROM changed JOIN %I.%I other'
            ' ON %s AND other.during && changed.during AND other.id <> changed.id',
            TG_TABLE_SCHEMA, TG_TABLE_NAME, same
        ) INTO found;
        IF found IS NOT NULL THEN
            RAISE EXCEPTION 'conflicting days violate "%" (row %)', TG_ARGV[0], found
                USING ERRCODE = 'exclusion_violation', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END $$
"""
CONSTRAINTS = (
    ("employment", "employment_once_at_a_time", ("person_id",)),
    ("personattribute", "attribute_once_at_a_time", ("person_id", "attribute_id")),
    ("reporting", "reporting_once_at_a_time", ("person_id",)),
    ("unitplace", "unit_in_one_place_at_a_time", ("unit_id",)),
    ("membership", "member_of_one_unit_at_a_time", ("tree_id", "person_id")),
)


class Migration(migrations.Migration):
    dependencies = [("orgtree", "0010_tokens_and_invitations")]

    operations = [
        migrations.RunSQL(REFUSE_OVERLAP, "DROP FUNCTION orgtree_refuse_overlap()"),
        *(migrations.RemoveConstraint(model, name) for model, name, _ in CONSTRAINTS),
        *(
            migrations.AddConstraint(model, orgtree.models.exclusion.OneAtATime(of=of, name=name))
            for model, name, of in CONSTRAINTS
        ),
    ]
