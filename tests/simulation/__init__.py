"""A simulated world around the real sessions of master and worker: virtual time, seeded chance, faults at any step.

`python -m tests.simulation --seeds 5000 --start 0` hunts for long; a failure names the seed that repeats it.
"""
