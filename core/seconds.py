"""Units of time in seconds."""

MINUTE, HOUR, DAY = 60, 3600, 86_400
WEEK = 7 * DAY
MONTH = 365.25 / 12 * DAY  # on average
