"""Quorum + streak -> status, incidents, notices. Pure: no I/O, no clock, no randomness."""
