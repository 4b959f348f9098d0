"""What a job of the tests executes: pours bytes of a kind, and reports what it wrote as its results."""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def pieces(kind: str) -> Iterator[bytes]:
    match kind:
        case "50 MB":
            line = b"0123456789abcdef" * 6 + b" end\n"
            yield from [line * 1000] * (50_000_000 // (1000 * len(line)))
        case "no UTF-8":
            chance = random.Random(1)
            yield from (chance.randbytes(1000) for _ in range(200))
        case "10 MB line":
            yield from [b"x" * 100_000] * 100
        case _:
            for _ in range(5):
                time.sleep(1)
                yield f"<{time.time()}>\n".encode()


def main() -> None:
    kind, results = sys.argv[1:]
    digest, size = hashlib.sha256(), 0
    for piece in pieces(kind):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        digest.update(piece)
        size += len(piece)
    Path(results).write_text(json.dumps({"size": size, "sha256": digest.hexdigest()}))


if __name__ == "__main__":
    main()
