"""What things are and may become: records, statuses, transitions, placement, rules, roles, errors.

Standard library only; no I/O, no clock, no asyncio. Decisions are functions of a snapshot.
"""
