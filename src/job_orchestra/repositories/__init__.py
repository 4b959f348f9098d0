"""Typed operations on records, written once over the storage port.

Split by reader: `runs` and its neighbours for the service, `run_queue` and `run_progress` for the master. What a class
sets are wishes or facts, never both.
"""
