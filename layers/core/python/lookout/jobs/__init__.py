"""What each function does, as one call that takes its store, its clock and its senders as arguments."""
