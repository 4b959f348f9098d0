"""The master: schedules runs, gives them to workers, stores what workers report, and tells services what changed."""
