"""The two kinds of stack: `home`, of which there is one, and `probe`, one per probing region."""
