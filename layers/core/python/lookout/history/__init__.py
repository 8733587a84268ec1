"""Rounds, hourly chunks, daily summaries and the arithmetic of uptime."""
