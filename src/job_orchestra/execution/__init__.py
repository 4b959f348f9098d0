"""What worker and executor host share: the run directory, process identity, process trees."""
