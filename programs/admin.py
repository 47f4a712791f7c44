"""Django admin of the program: templates, personas, settings, quarters, meetings and the outbox."""

from programs.meetings.admin import MeetingSeriesAdmin
from programs.objectives.admin import ObjectiveTemplateAdmin
from programs.quarters.admin import QuarterAdmin
from programs.reminders.admin import OutgoingEmailAdmin
from programs.roadmaps.admin import PersonaAdmin
from programs.teams.admin import ProgramSettingsAdmin
from programs.tickets.admin import TicketTemplateAdmin
