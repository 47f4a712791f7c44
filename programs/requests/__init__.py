"""What pages and API read from requests: fields, what an address names, conflicting edits."""
