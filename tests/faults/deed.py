"""What a command of the runs executes: tells the tally that it starts, writes what its name decides, tells its end.

It is started thousands of times, so it imports little. Each line of the tally is one write: step, run, attempt, word
and amount.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator

_TEXT = (
    b"[orchestra] Run succeeded (completed): no, this is only what a command writes\r\n\xc3\xa4 \x1b[31mred\x1b[0m\n"
)


def bursts(name: str, count: int) -> Iterator[bytes]:
    """The whole output of the command of that name, in the pieces in which it is written."""
    chance = random.Random(name)
    for _ in range(count):
        match chance.randrange(10):
            case 0:
                yield b"one long line " + b"x" * chance.randrange(20_000, 80_000)
            case 1 | 2 | 3:
                yield chance.randbytes(chance.randrange(1, 3_000))
            case 4:
                yield b"\n" * chance.randrange(1, 50) + b"\0"
            case _:
                yield _TEXT * chance.randrange(1, 10)


def main() -> None:
    tally_path, name, count, pause, code, leaves, result_file = sys.argv[1:]
    tally = os.open(tally_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    step = name.rpartition(" ")[2]
    marks = f"{step} {os.environ['ORCHESTRA_RUN']} {os.environ['ORCHESTRA_ATTEMPT']}"

    def tell(word: str, amount: int) -> None:
        os.write(tally, f"{marks} {word} {amount}\n".encode())

    tell("start", os.getpid())
    if os.environ["ORCHESTRA_JOB"] == "shared" and not _occupy():
        tell("overlap", 0)
    if leaves != "nothing":
        _leave_process_behind(is_stubborn=leaves == "stubborn")
    total = 0
    for burst in bursts(name, int(count)):
        _write(1, burst)
        total += len(burst)
        tell("wrote", total)
        time.sleep(float(pause))
    if result_file:
        with open(f"{result_file}.new", "w") as file:  # noqa: PTH123 -- pathlib takes long to import
            file.write(f'{{"name": "{name}", "total": {total}}}')
        os.rename(f"{result_file}.new", result_file)  # noqa: PTH104
    tell("end", total)
    sys.exit(int(code))


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _occupy() -> bool:
    """False if somebody else is in this workspace; it is left with the end of the process, whatever ends it."""
    import fcntl

    try:
        fcntl.lockf(os.open("occupied", os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _leave_process_behind(is_stubborn: bool) -> None:
    """In a session of its own, silent, and for longer than anybody waits."""
    if is_stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    silence = [(os.POSIX_SPAWN_OPEN, descriptor, "/dev/null", os.O_RDWR, 0) for descriptor in (1, 2)]
    os.posix_spawnp("sleep", ("sleep", "100000"), os.environ, file_actions=silence, setsid=True)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    main()
