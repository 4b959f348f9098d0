"""What the HTTP API takes and answers: one struct for each, shared by the service and its client.

Dates are ISO 8601 in UTC to the millisecond (`2026-11-23T10:00:00.000Z`); durations are seconds.
"""
