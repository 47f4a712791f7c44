"""What a tree looks like on each day, worked out from dated rows about people.  Plain functions, no database."""
