"""Long hunts: `python -m tests.simulation --seeds 5000 --start 0`; `--trace` tells what happens, step by step."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from tests.simulation.scenario import Scenario


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many lives are simulated")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--trace", "--verbose", action="store_true", help="print what happens")
    parser.add_argument("--first", action="store_true", help="end at the first seed that fails")
    arguments = parser.parse_args()
    failed: list[int] = []
    began = time.monotonic()
    for seed in range(arguments.start, arguments.start + arguments.seeds):
        try:
            Scenario(seed, print if arguments.trace else None).run()
        except Exception as error:  # whatever a seed brings to light is reported, and the hunt goes on
            if arguments.trace or not isinstance(error, AssertionError):
                traceback.print_exc()
            print(f"seed {seed} failed: {error}\n  python -m tests.simulation --seeds 1 --start {seed} --trace")
            failed.append(seed)
            if arguments.first:
                break
    seconds = time.monotonic() - began
    failures = f"{len(failed)} failed {failed[:20] or ''}"
    print(f"{arguments.seeds} seeds from {arguments.start} in {seconds:.1f} s: {failures}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
