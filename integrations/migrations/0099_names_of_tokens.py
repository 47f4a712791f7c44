"""New names of models, agents and tools are bounded per token and day; those that telemetry brought before are known."""

import django.db.models.deletion
from django.db import migrations, models

from integrations.model_names import model_name


def know_names(apps, _editor):  # type: ignore[no-untyped-def]
    named = apps.get_model("integrations", "KnownName").objects
    days, tools = (apps.get_model("integrations", name).objects for name in ("AgentSessionDay", "AgentToolDay"))
    sessions = apps.get_model("integrations", "AgentSession").objects
    names = {("agent", name) for name in sessions.values_list("agent", flat=True).distinct()}
    names |= {("model", model_name(name)) for name in days.values_list("model", flat=True).distinct() if name}
    names |= {("tool", name) for name in tools.values_list("tool", flat=True).distinct()}
    named.bulk_create([named.model(kind=kind, name=name) for kind, name in sorted(names)], batch_size=5000)


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0098_push_tokens_and_their_records'),
    ]

    operations = [
        migrations.AddField(
            model_name='ingesttoken',
            name='folded_records',
            field=models.BigIntegerField(db_default=0, default=0, editable=False, verbose_name='records counted as “other”'),
        ),
        migrations.AddField(
            model_name='ingesttoken',
            name='last_folded',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=220, verbose_name='last of these names'),
        ),
        migrations.AddField(
            model_name='ingesttoken',
            name='last_folded_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='ingesttoken',
            name='most_new_names',
            field=models.PositiveIntegerField(blank=True, db_default=200, default=200, help_text='How many new names of models, of agents and of tools its telemetry may bring on a day (UTC); further ones count as “other”. Empty: any number.', null=True, verbose_name='new names a day'),
        ),
        migrations.CreateModel(
            name='KnownName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('model', 'Model'), ('agent', 'Agent'), ('tool', 'Tool')], max_length=8)),
                ('name', models.CharField(max_length=200)),
                ('day', models.DateField(help_text='The day (UTC) on which it came.', null=True)),
                ('token', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.ingesttoken')),
            ],
            options={
                'indexes': [models.Index(fields=['token', 'day'], name='known_name_by_token')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'name'), name='known_name_is_unique')],
            },
        ),
        migrations.RunPython(know_names, migrations.RunPython.noop),
    ]
