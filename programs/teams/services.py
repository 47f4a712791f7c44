"""Sets the Org Tree that contains the teams."""

from __future__ import annotations

from django.contrib.auth.models import User

from core.authorship import changes_by
from programs.models import ProgramSettings
from programs.teams.queries import program_settings, teams_tree


def settle_teams_tree() -> None:
    """Stores the guessed teams tree so that it no longer changes by itself; the history names the objective's author.

    Does nothing if it is set already.  Called in the transaction that writes a mandatory objective.
    """
    if ProgramSettings.objects.filter(pk=1, teams_tree__isnull=False).exists():
        return
    guessed = teams_tree()
    if guessed is not None:
        program_settings()
        ProgramSettings.objects.filter(pk=1, teams_tree=None).update(teams_tree=guessed.id)


def choose_teams_tree(settings: ProgramSettings, *, by: User) -> None:
    """Sets the teams tree chosen by an admin; the history records who did."""
    with changes_by(by):
        settings.save()
