"""From drafts to stored facts: identity, places, the newest word of every field, deletion."""
