import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0001_squashed_0102_texts_of_forms'),
        ('orgtree', '0029_leaderboard_and_policy_history'),
        ('programs', '0025_new_sections_of_drafts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='notice',
            name='notice_is_told_once',
        ),
        migrations.RemoveConstraint(
            model_name='notice',
            name='notice_is_about_one_thing',
        ),
        migrations.AddField(
            model_name='notice',
            name='policy',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.policyevent'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('ticket_due_soon', 'A ticket of mine is due within three days'), ('ticket_due', 'A ticket of mine is due today'), ('ticket_overdue', 'A ticket of mine is overdue'), ('ticket_overdue_in_team', 'A ticket in my teams is overdue'), ('ticket_assigned', 'A ticket became mine'), ('mentioned', 'Somebody mentions me'), ('ticket_commented', 'Somebody comments on a ticket that I own or watch'), ('check_in_due', 'A check-in on an objective of mine is due'), ('objective_missing', 'A team of mine has no objective for the quarter'), ('meeting_invitation', 'I am invited to a meeting, or its time changes'), ('meeting_cancelled', 'A meeting of mine is cancelled, or I no longer take part'), ('meeting_soon', 'A meeting of mine is within a day'), ('meeting_unsigned', 'A review or QBR of a meeting of mine is not signed off'), ('budget_forecast', 'A budget that I answer for is forecast to be used up'), ('budget_spent', 'A budget that I answer for is used up'), ('policy_changed', 'The rules of who sees what change'), ('silence', "An agent's version or a source stops sending (for admins)")], max_length=30),
        ),
        migrations.AlterField(
            model_name='optout',
            name='kind',
            field=models.CharField(blank=True, choices=[('ticket_due_soon', 'A ticket of mine is due within three days'), ('ticket_due', 'A ticket of mine is due today'), ('ticket_overdue', 'A ticket of mine is overdue'), ('ticket_overdue_in_team', 'A ticket in my teams is overdue'), ('ticket_assigned', 'A ticket became mine'), ('mentioned', 'Somebody mentions me'), ('ticket_commented', 'Somebody comments on a ticket that I own or watch'), ('check_in_due', 'A check-in on an objective of mine is due'), ('objective_missing', 'A team of mine has no objective for the quarter'), ('meeting_invitation', 'I am invited to a meeting, or its time changes'), ('meeting_cancelled', 'A meeting of mine is cancelled, or I no longer take part'), ('meeting_soon', 'A meeting of mine is within a day'), ('meeting_unsigned', 'A review or QBR of a meeting of mine is not signed off'), ('budget_forecast', 'A budget that I answer for is forecast to be used up'), ('budget_spent', 'A budget that I answer for is used up'), ('policy_changed', 'The rules of who sees what change'), ('silence', "An agent's version or a source stops sending (for admins)")], max_length=30),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('account', 'kind', 'ticket', 'comment', 'objective', 'unit', 'meeting', 'alert', 'silence', 'policy', 'day', 'number'), name='notice_is_told_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('alert__isnull', True), ('meeting__isnull', True), ('objective__isnull', True), ('policy__isnull', True), ('silence__isnull', True), ('ticket__isnull', False), ('unit__isnull', True)), models.Q(('alert__isnull', True), ('meeting__isnull', True), ('objective__isnull', False), ('policy__isnull', True), ('silence__isnull', True), ('ticket__isnull', True), ('unit__isnull', True)), models.Q(('alert__isnull', True), ('meeting__isnull', True), ('objective__isnull', True), ('policy__isnull', True), ('silence__isnull', True), ('ticket__isnull', True), ('unit__isnull', False)), models.Q(('alert__isnull', True), ('meeting__isnull', False), ('objective__isnull', True), ('policy__isnull', True), ('silence__isnull', True), ('ticket__isnull', True), ('unit__isnull', True)), models.Q(('alert__isnull', False), ('meeting__isnull', True), ('objective__isnull', True), ('policy__isnull', True), ('silence__isnull', True), ('ticket__isnull', True), ('unit__isnull', True)), models.Q(('alert__isnull', True), ('meeting__isnull', True), ('objective__isnull', True), ('policy__isnull', True), ('silence__isnull', False), ('ticket__isnull', True), ('unit__isnull', True)), models.Q(('alert__isnull', True), ('meeting__isnull', True), ('objective__isnull', True), ('policy__isnull', False), ('silence__isnull', True), ('ticket__isnull', True), ('unit__isnull', True)), _connector='OR'), name='notice_is_about_one_thing'),
        ),
    ]
