"""Real processes in a storm: killed, stopped and restarted while hundreds of runs are carried out; then an audit.

`python -m tests.faults --runs 500 --faults 100 --database postgresql` is the long form; findings name the seed.
"""
