"""From drafts to stored facts: identities, places, the newest value of every field, deletion."""
