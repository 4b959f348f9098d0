"""Rows to typed records and back: one module per record. Dates are microseconds, settings are JSON."""
