"""Request parsing shared by pages and API: fields, records named by URLs, conflicting edits."""
