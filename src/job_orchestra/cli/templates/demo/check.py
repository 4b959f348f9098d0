"""Looks like a test program with one failure."""

import sys

RED, GREEN, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"

for check in ("addition", "subtraction", "multiplication"):
    print(f"{GREEN}passed{PLAIN}  {check}")
print(f"{RED}failed{PLAIN}  division: 1 / 3 is not 0.3333")
sys.exit(1)
