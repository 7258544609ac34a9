"""Normalise a video larger than the memory it may use, and reduce it to two numbers a channel.

    python docs/examples/video.py DIRECTORY --gigabytes 12 [--dask]

The video has the notes' layout (samples, frames, width, height, channels) in uint8.  It is made in
DIRECTORY, and next to it comes its normalised form in float32, four times as large, unless
--no-write; with --dask two worker processes compute the same numbers.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

import vekt as vk

CHUNK_BYTES = 1 << 26


def show(name):
    """Return a progress callback that shows what is done, at what speed, and the memory in use."""
    start = time.perf_counter()

    def progress(done, total):
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        end = "\n" if done == total else ""
        rate = done / seconds / 1e9
        print(
            f"\r{name}: {done / total:4.0%}, {rate:.2f} G elements/s, peak memory {peak:.2f} GB",
            end=end,
        )

    return progress


def make(path, gigabytes, size=(640, 480)):
    """Write moving patterns, each channel with its own brightness; return their memory map."""
    width, height = size
    frames, channels = 100, 3
    samples = max(1, round(gigabytes * 1e9 / (frames * width * height * channels)))
    shape = (samples, frames, width, height, channels)
    video = np.lib.format.open_memmap(path, "w+", "u1", shape)
    pattern = np.arange(width * height * channels, dtype=np.uint32).reshape(
        1, 1, width, height, channels
    )
    number = np.arange(samples * frames, dtype=np.uint32).reshape(samples, frames, 1, 1, 1)
    level = np.array([80, 40, 0], np.uint32)

    def frame(n, p, at):
        return ((n * 37 + p * 2654435761) >> 25).astype("u1") + at.astype("u1")

    return vk.stream(
        frame, number, pattern, level, out=video, chunk_bytes=CHUNK_BYTES, progress=show("make")
    )


def sums(part):
    """Return the sum of a part and that of its squares, per channel: exact, as integers."""
    axes = tuple(range(part.ndim - 1))
    return [vk.sum(part, axes), vk.sum(vk.square(part.astype(np.uint16)), axes)]


def combine(a, b):
    """Add the sums of two parts."""
    return [x + y for x, y in zip(a, b, strict=True)]


def mean_and_deviation(total, squares, n):
    """Mean and standard deviation of n values, from the sums."""
    mean = total / n
    return mean, np.sqrt(squares / n - mean**2)


def normalise(part, scale, shift):
    """Bring a part to mean 0 and deviation 1, in one pass."""
    return vk.multiply_add(part, scale, shift)


class Frames:
    """What a worker reads of the file, when it needs it; travels as a name."""

    def __init__(self, path):
        video = np.load(path, mmap_mode="r")
        self.path, self.shape, self.dtype, self.ndim = path, video.shape, video.dtype, video.ndim

    def __getitem__(self, part):
        """Read a part."""
        return np.array(np.load(self.path, mmap_mode="r")[part])


def with_dask(path, chunk_bytes, client):
    """Compute the same sums in the processes of a Dask client."""
    import dask.array as da

    video = Frames(path)
    frames = max(1, chunk_bytes // int(np.prod(video.shape[2:])))
    lazy = da.from_array(video, chunks=(1, frames, -1, -1, -1))
    return [future.result() for future in client.compute(sums(lazy))]


def two_processes():
    """Start a cluster of this machine."""
    from distributed import LocalCluster

    return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")


def main():
    """Make, reduce, normalise, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--gigabytes", type=float, default=12)
    parser.add_argument("--chunk-bytes", type=int, default=CHUNK_BYTES)
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    path = options.directory / "video.npy"
    video = make(path, options.gigabytes)
    print(f"{video.shape}, {video.nbytes / 1e9:.1f} GB")
    n = video.size // video.shape[-1]
    chunks = {"chunk_bytes": options.chunk_bytes}
    total = vk.stream(sums, video, combine=combine, progress=show("reduce"), **chunks)
    mean, deviation = mean_and_deviation(*total, n)
    print("mean     ", mean)
    print("deviation", deviation)
    if not options.no_write:
        target = np.lib.format.open_memmap(
            options.directory / "normalised.npy", "w+", "f4", video.shape
        )
        scale, shift = np.float32(1 / deviation), np.float32(-mean / deviation)
        progress = show("normalise")
        vk.stream(normalise, video, scale, shift, out=target, progress=progress, **chunks)
        print("normalised", target[0, 0, 0, 0])
    if options.dask:
        start = time.perf_counter()
        with two_processes() as cluster, cluster.get_client() as client:
            lazy = mean_and_deviation(*with_dask(path, options.chunk_bytes, client), n)
        seconds = time.perf_counter() - start
        same = np.array_equal(lazy, (mean, deviation))
        print(
            f"two processes with Dask, {seconds:.1f} s: {'the same' if same else 'other'} numbers"
        )


if __name__ == "__main__":
    main()
