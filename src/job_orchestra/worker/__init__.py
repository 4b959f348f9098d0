"""The worker: connection to the master, run directories and their synchronisation, executor hosts."""
