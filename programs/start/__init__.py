"""The guided start: pilot teams, first indicators, first objectives."""
