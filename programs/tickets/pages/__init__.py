"""Pages of action tickets: table, board, calendar, one ticket, its form, and CSV."""
