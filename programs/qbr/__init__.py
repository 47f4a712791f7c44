"""Business reviews: drafted by several people, frozen into one document, compared, presented, printed, signed."""
