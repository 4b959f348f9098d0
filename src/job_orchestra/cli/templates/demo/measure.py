"""Adds numbers, and saves what it found."""

import sys

from job_orchestra.client.inside import save_results

count = int(sys.argv[1])
numbers = range(1, count + 1)
save_results({"sum": sum(numbers), "count": count})
print(f"Added {count} numbers.")
