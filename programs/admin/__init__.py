"""Django admin of the program: what it starts from, its settings and quarters; the program itself has pages."""

from programs.admin.letters import LetterAdmin
from programs.admin.objective_templates import ObjectiveTemplateAdmin
from programs.admin.quarters import QuarterAdmin
from programs.admin.settings import ProgramSettingsAdmin
from programs.admin.ticket_templates import TicketTemplateAdmin

__all__ = ["LetterAdmin", "ObjectiveTemplateAdmin", "ProgramSettingsAdmin", "QuarterAdmin", "TicketTemplateAdmin"]
