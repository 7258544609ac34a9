"""`python -m fuzz.targets NAME`, in tests/: one target, by atheris where it is installed."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

from memory.guards import Trace

HERE = Path(__file__).parent
NAMES = ("expressions", "programs")
WORDS = HERE / "words.txt"


def seeds(name: str) -> list[bytes]:
    """Return the corpus."""
    target = importlib.import_module(f"fuzz.targets.{name}")
    return [target.seed(line) for line in (HERE / f"{name}.txt").read_text().splitlines()]


def plain(name: str, seconds: float, runs: int, number: int, trace: str) -> int:
    """Run the seeds, and seeds that are changed at random; return how many inputs there were."""
    target: Any = importlib.import_module(f"fuzz.targets.{name}")
    rng, corpus, end = random.Random(number), seeds(name), time.monotonic() + seconds
    words = [line.encode() for line in WORDS.read_text().splitlines()]
    count, under_way = 0, Trace(trace)
    while count < runs and time.monotonic() < end:
        data = corpus[count] if count < len(corpus) else _changed(rng, corpus, words)
        under_way(data.hex())
        try:
            target.one_input(data)
        except BaseException:
            print(f"{name}: input {data!r}", file=sys.stderr)
            raise
        count += 1
    return count


def _changed(rng: random.Random, corpus: list[bytes], words: list[bytes]) -> bytes:
    data = rng.choice(corpus)
    for _ in range(rng.randrange(1, 6)):
        i, j = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        data = (
            data[:i]
            + rng.choice(
                (
                    b"",
                    rng.randbytes(1 + rng.randrange(4)),
                    rng.choice(words),
                    data[i:j] * 2,
                    rng.choice(corpus)[i:j],
                )
            )
            + data[rng.choice((i, j)) :]
        )
    return data[:4000]


def guided(name: str, seconds: int, arguments: list[str]) -> int:
    """Let atheris choose the inputs by what they reach; return its exit code."""
    import atheris

    target: Any = importlib.import_module(f"fuzz.targets.{name}")
    for data in seeds(name):  # which load what is to be watched
        target.one_input(data)
    for function in set(_functions()):
        atheris.instrument_func(function)
    with tempfile.TemporaryDirectory() as own:
        found, given, words = (Path(own, part) for part in ("found", "given", "words"))
        found.mkdir()
        given.mkdir()
        for k, data in enumerate(seeds(name)):
            (given / str(k)).write_bytes(data)
        words.write_text("".join(f'"{w}"\n' for w in WORDS.read_text().splitlines()))
        limits = [
            "-timeout=300",
            "-rss_limit_mb=4096",
            "-max_len=4000",
            f"-max_total_time={seconds}",
        ]
        options = [*limits, f"-dict={words}", "-print_final_stats=1", *arguments]
        child = os.fork()  # libFuzzer ends the process
        if not child:
            atheris.Setup([sys.argv[0], *options, str(found), str(given)], target.one_input)
            atheris.Fuzz()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _functions() -> Iterator[FunctionType]:
    """Walk what is written in Python and reads expressions or programs."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("vekt._fuse.", "fuzz.targets.")) and module is not None:
            for value in list(vars(module).values()):
                members = vars(value).values() if isinstance(value, type) else (value,)
                for x in members:
                    if isinstance(x, FunctionType) and x.__module__ == name:
                        yield x


def main() -> None:
    """Run one target for so many seconds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--runs", type=int, default=sys.maxsize, help="the most inputs, if plain")
    parser.add_argument("--seed", type=int, default=0, help="of the changes, if plain")
    parser.add_argument(
        "--trace", default=f"{tempfile.gettempdir()}/fuzz.trace", help="file of the input, if plain"
    )
    parser.add_argument("--input", help="run this one alone, in hexadecimal digits")
    options, others = parser.parse_known_args()
    if options.input is not None:
        importlib.import_module(f"fuzz.targets.{options.name}").one_input(
            bytes.fromhex(options.input)
        )
    elif options.plain or importlib.util.find_spec("atheris") is None:
        count = plain(options.name, options.seconds, options.runs, options.seed, options.trace)
        print(f"{options.name}: {count} inputs without a finding, chosen without atheris")
    else:
        raise SystemExit(guided(options.name, options.seconds, others))


if __name__ == "__main__":
    main()
