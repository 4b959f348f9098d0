"""What a job of the tests executes: greets, waits in the middle of a line until a file exists, writes results."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    name, gate, results = sys.argv[1:]
    print(f"\x1b[32mhello {name}\x1b[0m", flush=True)
    print("now it waits ...", end="", flush=True)
    while not Path(gate).exists():
        time.sleep(0.01)
    print(" and goes on", flush=True)
    Path(results).write_text(json.dumps({"greeted": name, "tests": {"passed": 42}}))


if __name__ == "__main__":
    main()
