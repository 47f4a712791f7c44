import django.db.models.deletion
from django.db import migrations, models

# Histories are read anew: what was rewritten is known while they are read alone.
READ_ANEW = "UPDATE integrations_linehistory SET tip = '', asked_at = now() WHERE tip <> ''"


class Migration(migrations.Migration):

    dependencies = [
        ("integrations", "0069_silence_what_stopped"),
    ]

    operations = [
        migrations.AddField(
            model_name='changedlines',
            name='written',
            field=models.IntegerField(help_text='All lines that it left; null: read before they were counted.', null=True),
        ),
        migrations.AddField(
            model_name='pullrequestfigures',
            name='rewritten_line_count',
            field=models.IntegerField(help_text='Of these, those rewritten within 21 days.', null=True),
        ),
        migrations.AddField(
            model_name='pullrequestfigures',
            name='written_line_count',
            field=models.IntegerField(help_text='Lines that it left on the default branch; null: not merged, or no clone tells.', null=True),
        ),
        migrations.CreateModel(
            name='RewrittenLines',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lines', models.IntegerField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.changedlines')),
                ('commit', models.ForeignKey(help_text='Whose lines they were.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.changedlines')),
            ],
            options={
                'verbose_name_plural': 'rewritten lines',
                'constraints': [models.UniqueConstraint(fields=('commit', 'by'), name='rewritten_lines_once')],
            },
        ),
        migrations.RunSQL(READ_ANEW, migrations.RunSQL.noop),
    ]
