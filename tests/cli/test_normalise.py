"""`vekt normalise`: what it writes, and one line and exit code 2 for what it cannot read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vekt as vk
from vekt.cli import main


def _archive(path: Path) -> None:
    np.savez(path.with_suffix(".npz"), a=np.ones(3))
    path.with_suffix(".npz").rename(path)


def _cut(path: Path, to: int) -> None:
    np.save(path, np.ones((4, 3)))
    path.write_bytes(path.read_bytes()[:to])


BAD: dict[str, Any] = {
    "archive": _archive,
    "objects": lambda path: np.save(path, np.array([None, 1]), allow_pickle=True),
    "0-d": lambda path: np.save(path, np.array(1.0)),
    "empty": lambda path: np.save(path, np.ones((0, 3))),
    "complex": lambda path: np.save(path, np.ones(3) * 1j),
    "text": lambda path: np.save(path, np.array(["a"])),
    "structured": lambda path: np.save(path, np.zeros(3, "i4,f4")),
    "no array": lambda path: path.write_text("hello"),
    "nothing": lambda path: path.write_bytes(b""),
    "cut": lambda path: _cut(path, -20),
    "cut header": lambda path: _cut(path, 20),
    "directory": lambda path: path.mkdir(),
    "missing": lambda path: None,
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_source_is_one_line(kind: str, tmp_path: Path, capsys: Any) -> None:
    BAD[kind](tmp_path / "source.npy")
    assert main(["normalise", str(tmp_path / "source.npy"), str(tmp_path / "target.npy")]) == 2
    error = capsys.readouterr().err
    assert len([line for line in error.splitlines() if line.startswith("Error: ")]) == 1
    assert "source.npy" in error
    assert not (tmp_path / "target.npy").exists()


@pytest.mark.parametrize("target", ["dir", "no/target.npy", "/dev/full"])
def test_a_bad_target_is_one_line(target: str, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "dir").mkdir()
    np.save(tmp_path / "source.npy", np.ones((4, 3)))
    assert main(["normalise", str(tmp_path / "source.npy"), str(tmp_path / target)]) == 2
    assert capsys.readouterr().err.count("Error: ") == 1


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", ">f4", "u8"])
@pytest.mark.parametrize("centre", [0.0, 1e6, 1.6e7])
def test_large_channels_come_out_centred(
    dtype: str, centre: float, tmp_path: Path, rng: np.random.Generator
) -> None:
    x = centre + 5 * rng.normal(size=(20_000, 3)) + [100, 200, 300]
    np.save(tmp_path / "source.npy", x.astype(dtype))
    arguments = [str(tmp_path / "source.npy"), str(tmp_path / "target.npy")]
    assert main(["normalise", *arguments, "--chunk-bytes", "5000"]) == 0
    y = np.load(tmp_path / "target.npy")
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.mean(0, dtype="f8"), 0, atol=1e-8)
    np.testing.assert_allclose(y.std(0, dtype="f8"), 1, rtol=1e-7)


@pytest.mark.parametrize("out", [False, True])
def test_stream_of_no_dimensions(out: bool) -> None:
    x = np.array(3.0)
    into = np.array(0.0) if out else None
    result = vk.stream(np.negative, x, out=into)
    assert result.shape == ()
    assert result == -3
    assert not out or result is into
    assert vk.stream(np.sum, x, combine=np.add) == 3
