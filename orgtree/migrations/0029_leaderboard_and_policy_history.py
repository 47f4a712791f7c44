import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orgtree', '0001_squashed_0028_texts_of_forms'),
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
        migrations.CreateModel(
            name='PolicyEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('individual_policy', models.CharField(choices=[('self_only', 'Self only'), ('pseudonyms', 'Pseudonyms'), ('named', 'Named')], default='pseudonyms', help_text="For sessions, tokens, spend and attribution. Self only: nobody sees others' rows. Pseudonyms: others appear under a name that changes every quarter, without repository, commit, link or time of day. Named: everybody who may see a team sees names, and figures of any number of people. People always see their own data.", max_length=20, verbose_name='visibility of individual data')),
                ('minimum_group_size', models.PositiveSmallIntegerField(default=5, help_text='Figures of fewer people are hidden from others, unless individual data are shown with names. Trial mode ends for good once this many people have any activity.', validators=[django.core.validators.MinValueValidator(2)])),
                ('members_see', models.CharField(choices=[('own_units', 'Their own units'), ('everything', 'Every unit and the whole organisation')], default='own_units', help_text='Aggregates only; individual rows follow the policy. Without any Org Tree members see everything.', max_length=20)),
                ('leaderboard', models.BooleanField(db_default=False, default=False, help_text='Lists developers with figures of their agents, as the policy allows. Off: nobody has it, on no page and in no export.')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='organisation',
            name='leaderboard',
            field=models.BooleanField(db_default=False, default=False, help_text='Lists developers with figures of their agents, as the policy allows. Off: nobody has it, on no page and in no export.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='organisation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "orgtree_policyevent" ("individual_policy", "leaderboard", "members_see", "minimum_group_size", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."individual_policy", NEW."leaderboard", NEW."members_see", NEW."minimum_group_size", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;', hash='2029337157d4f7fd061f0e35d3e2ca23bfe9ff28', operation='INSERT', pgid='pgtrigger_insert_insert_c0894', table='orgtree_organisation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='organisation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."individual_policy" IS DISTINCT FROM (NEW."individual_policy") OR OLD."leaderboard" IS DISTINCT FROM (NEW."leaderboard") OR OLD."members_see" IS DISTINCT FROM (NEW."members_see") OR OLD."minimum_group_size" IS DISTINCT FROM (NEW."minimum_group_size"))', func='INSERT INTO "orgtree_policyevent" ("individual_policy", "leaderboard", "members_see", "minimum_group_size", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."individual_policy", NEW."leaderboard", NEW."members_see", NEW."minimum_group_size", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;', hash='4fcb753afcd2f48cc2127a6020a1cf2c0c32ae75', operation='UPDATE', pgid='pgtrigger_update_update_3291d', table='orgtree_organisation', when='AFTER')),
        ),
        migrations.AddField(
            model_name='policyevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='policyevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='individual_policy_minimum_group_size_members_see_leaderboard_events', to='orgtree.organisation'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='policyevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e50c7f8bf7ec113d521bcf85cf70c29f4afbbc0a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1eff2', table='orgtree_policyevent', when='BEFORE')),
        ),
        # The first entry of the history, with which later ones are compared.
        migrations.RunSQL(
            "INSERT INTO orgtree_policyevent (pgh_created_at, pgh_label, pgh_obj_id, individual_policy, leaderboard, "
            "members_see, minimum_group_size) SELECT now(), 'insert', id, individual_policy, leaderboard, members_see, "
            "minimum_group_size FROM orgtree_organisation",
            migrations.RunSQL.noop,
        ),
    ]
