"""Long hunts: `python -m tests.simulation --seeds 5000 --start 0`."""

from __future__ import annotations

import argparse
import sys
import traceback

from tests.simulation.scenario import Scenario


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many lives are simulated")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    failed: list[int] = []
    for seed in range(arguments.start, arguments.start + arguments.seeds):
        try:
            Scenario(seed).run()
        except Exception:  # whatever a seed brings to light is reported, and the hunt goes on
            traceback.print_exc()
            print(f"seed {seed} failed; repeat it: python -m tests.simulation --seeds 1 --start {seed}")
            failed.append(seed)
    print(f"{arguments.seeds} seeds from {arguments.start}: {len(failed)} failed {failed[:20] or ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
