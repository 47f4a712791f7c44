"""Django admin of the program: what it starts from, its settings and quarters; the program itself has pages."""

from programs.objectives.admin import ObjectiveTemplateAdmin
from programs.quarters.admin import QuarterAdmin
from programs.reminders.admin import LetterAdmin
from programs.teams.admin import ProgramSettingsAdmin
from programs.tickets.admin import TicketTemplateAdmin

__all__ = ["LetterAdmin", "ObjectiveTemplateAdmin", "ProgramSettingsAdmin", "QuarterAdmin", "TicketTemplateAdmin"]
