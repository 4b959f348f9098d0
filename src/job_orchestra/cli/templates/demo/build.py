"""Looks like a compiler at work."""

import sys
import time

MODULES = ("lexer", "parser", "names", "types", "optimiser", "generator", "linker", "manual")
GREEN, BOLD, PLAIN = "\x1b[32m", "\x1b[1m", "\x1b[0m"

target, seconds = sys.argv[1], float(sys.argv[2])
print(f"{BOLD}Building target {target}{PLAIN}")
for number, module in enumerate(MODULES, 1):
    time.sleep(seconds / len(MODULES))
    bar = "#" * (number * 3)
    print(f"[{bar:<24}] {number * 100 // len(MODULES):3} %  {module}")
print(f"{GREEN}Built {len(MODULES)} modules.{PLAIN}")
