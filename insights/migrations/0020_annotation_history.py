"""The history of notes is written by triggers, as all others are, in place of a log that each change wrote."""

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

LOG_BECOMES_HISTORY = """
    WITH log AS MATERIALIZED (
        SELECT *,
               gen_random_uuid() AS context_id,
               min(at) OVER (PARTITION BY annotation_id) AS written_at,
               max(at) FILTER (WHERE action = 'changed') OVER (PARTITION BY annotation_id ORDER BY id) AS changed_at
        FROM insights_annotationchange
    ), contexts AS (
        INSERT INTO pghistory_context (id, created_at, updated_at, metadata)
        SELECT context_id, at, at, jsonb_build_object('user', by_id) FROM log
    )
    INSERT INTO insights_annotationevent (pgh_created_at, pgh_label, pgh_context_id, pgh_obj_id, id, unit_id, start, "end",
                                          text, about, written_at, changed_at)
    SELECT at, action, context_id, annotation_id, annotation_id, unit_id, start, "end", text, about, written_at, changed_at
    FROM log ORDER BY id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('insights', '0019_table_changes'),
        ('orgtree', '0026_help_texts'),
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.CreateModel(
            name='AnnotationEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('start', models.DateField()),
                ('end', models.DateField(help_text='The first day that no longer belongs to it.')),
                ('text', models.CharField(max_length=200)),
                ('about', models.CharField(blank=True, default='', help_text="A metric's key, or what a family's keys share before the dot. Empty: all charts.", max_length=80)),
                ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('changed_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='annotation',
            trigger=pgtrigger.compiler.Trigger(name='added_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start", "text", "unit_id", "written_at") VALUES (NEW."about", NEW."changed_at", NEW."end", NEW."id", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."start", NEW."text", NEW."unit_id", NEW."written_at"); RETURN NULL;', hash='44191c78721eeb944411453caa6c4d9f517b30a8', operation='INSERT', pgid='pgtrigger_added_insert_6b8c4', table='insights_annotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='annotation',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."about" IS DISTINCT FROM (NEW."about") OR OLD."changed_at" IS DISTINCT FROM (NEW."changed_at") OR OLD."end" IS DISTINCT FROM (NEW."end") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."start" IS DISTINCT FROM (NEW."start") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."unit_id" IS DISTINCT FROM (NEW."unit_id") OR OLD."written_at" IS DISTINCT FROM (NEW."written_at"))', func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start", "text", "unit_id", "written_at") VALUES (NEW."about", NEW."changed_at", NEW."end", NEW."id", _pgh_attach_context(), NOW(), \'changed\', NEW."id", NEW."start", NEW."text", NEW."unit_id", NEW."written_at"); RETURN NULL;', hash='34b01c6de311be7e241c6035b9596e90e8a58391', operation='UPDATE', pgid='pgtrigger_changed_update_422e7', table='insights_annotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='annotation',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start", "text", "unit_id", "written_at") VALUES (OLD."about", OLD."changed_at", OLD."end", OLD."id", _pgh_attach_context(), NOW(), \'removed\', OLD."id", OLD."start", OLD."text", OLD."unit_id", OLD."written_at"); RETURN NULL;', hash='8a195526aa8e1b4de09d525b5a78f1197e3016cf', operation='DELETE', pgid='pgtrigger_removed_delete_fdeb0', table='insights_annotation', when='AFTER')),
        ),
        migrations.AddField(
            model_name='annotationevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='annotationevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='insights.annotation'),
        ),
        migrations.AddField(
            model_name='annotationevent',
            name='unit',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='orgtree.unit'),
        ),
        migrations.RunSQL(LOG_BECOMES_HISTORY, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='annotationchange',
            name='by',
        ),
        migrations.DeleteModel(
            name='AnnotationChange',
        ),
        migrations.RunSQL('DROP FUNCTION IF EXISTS insights_refuse_to_change_the_log()', migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name='annotationevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='72fdeca9f9b93c03b05af6f1d7a7069f13fd9ef2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_6ac69', table='insights_annotationevent', when='BEFORE')),
        ),
    ]
