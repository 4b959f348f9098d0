"""The language of `where`: what is asked of the parameters and results of runs, and whether a run is meant."""
