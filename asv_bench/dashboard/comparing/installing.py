"""From the name of a commit, or a folder, to a vekt that is installed in a folder of its own."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from click import ClickException


@dataclass(frozen=True)
class Tree:
    """Files of a repository: those of a commit, or those that lie in a working tree now."""

    repository: Path
    hash: str

    @classmethod
    def of(cls, name: str, repository: Path) -> Tree:
        """Return the tree of a commit of `repository`, or of the working tree around a folder."""
        found = _run("git", "rev-parse", "--verify", "--quiet", f"{name}^{{tree}}", cwd=repository)
        if found.returncode == 0:
            return cls(repository, found.stdout.decode().strip())
        if Path(name).is_dir():
            root = _run("git", "rev-parse", "--show-toplevel", cwd=Path(name))
            if root.returncode == 0:
                return cls._working(Path(os.fsdecode(root.stdout).rstrip("\n")))
        raise ClickException(f"{name!r} is neither a commit nor a folder in a repository of git.")

    @classmethod
    def _working(cls, root: Path) -> Tree:
        # With an index that is thrown away, so that the user's own stays as it is.
        index = root / os.fsdecode(_git("rev-parse", "--git-path", "index", cwd=root)).strip()
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder, "index")
            if index.exists():
                shutil.copyfile(index, own)
            environment = {"GIT_INDEX_FILE": str(own)}
            _git("add", "--all", cwd=root, environment=environment)
            written = _git("write-tree", cwd=root, environment=environment)
        return cls(root, written.decode().strip())

    def extract(self, folder: Path) -> None:
        """Write the files into a folder."""
        archive = io.BytesIO(_git("archive", self.hash, cwd=self.repository))
        with tarfile.open(fileobj=archive) as files:
            files.extractall(folder, filter="data")


def install(tree: Tree, folder: Path, cache: Path, target: str | None) -> None:
    """Install the vekt of a tree into a folder, from a wheel that is built once.

    Parameters
    ----------
    tree : Tree
    folder : Path
        Where the package comes to lie.
    cache : Path
        Where wheels are kept.
    target : str or None
        The only instruction set to build for, or None for all.
    """
    wheels = cache / f"{tree.hash}-{target or 'all'}-{sys.implementation.cache_tag}"
    if not wheels.exists():
        with tempfile.TemporaryDirectory() as scratch:
            source, built = Path(scratch, "vekt"), Path(scratch, "wheel")
            tree.extract(source)
            _pip("wheel", *_build_options(source, target), f"--wheel-dir={built}", str(source))
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as beside:  # a build that is cut short
                shutil.copytree(built, Path(beside, "wheel"))  # leaves no half of one
                Path(beside, "wheel").rename(wheels)
    (wheel,) = wheels.glob("*.whl")
    _pip("install", "--no-index", f"--target={folder}", str(wheel))


def _build_options(source: Path, target: str | None) -> list[str]:
    options = []
    here = all(importlib.util.find_spec(name) for name in ("mesonpy", "numpy"))
    if here and shutil.which("cffi-gen-src", path=_path()):
        options.append("--no-build-isolation")  # what builds it needs no download
    known = source / "meson.options"
    if target and known.exists() and "'targets'" in known.read_text(encoding="utf-8"):
        options.append(f"-Csetup-args=-Dtargets={target}")  # of several, the build takes longer
    return options


def _pip(command: str, *arguments: str) -> None:
    done = _run(sys.executable, "-m", "pip", command, "--quiet", "--no-deps",
                "--disable-pip-version-check", *arguments)  # fmt: skip
    if done.returncode:
        told = (done.stdout + done.stderr).decode(errors="replace")
        raise ClickException(f"pip {command} {arguments[-1]} failed:\n{told[-4000:]}")


def _git(*arguments: str, cwd: Path, environment: Mapping[str, str] | None = None) -> bytes:
    done = _run("git", *arguments, cwd=cwd, environment=environment)
    if done.returncode:
        raise ClickException(f"git {' '.join(arguments)} failed:\n{done.stderr.decode()}")
    return done.stdout


def _path() -> str:
    """Return where programs are looked for: first beside Python, which may not be activated."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _run(
    *command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": _path(), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
