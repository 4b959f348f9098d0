"""A simulated world around the real master and the real sessions: virtual time, seeded chance, faults at any step."""
