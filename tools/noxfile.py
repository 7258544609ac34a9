"""Builds and tests in new environments: Pythons, versions of what vekt needs, compilers.

pip install 'nox[uv]'
nox -f tools/noxfile.py                       # all that this machine has
nox -f tools/noxfile.py -s versions -- WHEEL  # of a wheel that is there
nox -f tools/noxfile.py -s compilers -k clang -- -Csetup-args=-Dtargets=x86_v4
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import nox

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# The standard compilers of Debian 12 to those of its newest packages.
COMPILERS = [
    *(f"gcc-{version}" for version in range(12, 17)),
    *(f"clang-{version}" for version in range(14, 24)),
]
# Not all of -Werror: gcc's remark that it unrolls a loop by itself has no name.
NO_WARNING = "-Werror=all -Werror=extra -Werror=conversion -Werror=sign-conversion"
# Tells the versions of what pyproject.toml has bounds for, and which are above these.
VERSIONS = """
import re, sys
from importlib.metadata import distributions, requires

bounds = dict(re.findall(r"^([\\w-]+)(?:\\[.*\\])?>=([\\d.]+)", "\\n".join(requires("vekt")), re.M))
found = {d.name.lower(): d.version for d in distributions()}
here = sorted(bounds.keys() & found.keys())
print("python", sys.version.split()[0], *(f"{name} {found[name]}" for name in here))
above = [name for name in here if not re.match(re.escape(bounds[name]) + r"(\\.0)*$", found[name])]
if sys.argv[1] == "lowest-direct":
    print("above their bounds:", *above)
    assert sys.version_info[:2] > (3, 11) or not above
"""

nox.options.envdir = str(ROOT / ".nox")
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False


def tests(*names: str) -> list[str]:
    """Return the files of tests with these names, in whatever room."""
    return [
        str(path) for name in names for path in sorted((ROOT / "tests").glob(f"*/test_{name}.py"))
    ]


@cache
def wheel() -> str:
    """Build a wheel, which serves every Python: it keeps to the stable ABI."""
    folder = mkdtemp()
    nox.sessions.nox.command.run(
        ["uv", "build", "--quiet", "--wheel", "--out-dir", folder, str(ROOT)]
    )
    return str(next(Path(folder).glob("*.whl")))


@nox.session(python=PYTHONS)
@nox.parametrize("resolution", ["lowest-direct", "highest"])
def versions(session: nox.Session, resolution: str) -> None:
    """Run what leans on other packages, with the oldest or newest of each."""
    built, *chosen = session.posargs or [wheel()]
    # To uv only what a project itself names is direct, not what its wheel asks for.  Newer Pythons
    # have no wheels of the oldest versions, and nobody wants to compile those.
    session.install(
        f"--resolution={resolution}",
        "--only-binary=:all:",
        "--extra=test",
        f"--requirements={ROOT / 'pyproject.toml'}",
    )
    session.install("--no-deps", built)
    session.chdir(ROOT)
    session.run("python", "-c", VERSIONS, resolution)
    session.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen,
        *tests("dask", "ecosystem", "estimators", "fuse", "import", "jit_extension", "models",
               "ufunc_contract"),
    )  # fmt: skip


@nox.session
@nox.parametrize("compiler", COMPILERS)
def compilers(session: nox.Session, compiler: str) -> None:
    """Build without a warning, and run what leans on the kernels."""
    if not shutil.which(compiler):
        session.skip(f"no {compiler}")
    session.install(
        f"{ROOT}[test]",
        *session.posargs,
        env={"CC": compiler, "CFLAGS": NO_WARNING},
    )
    session.chdir(ROOT)
    session.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider",
        *tests("activations", "broadcast", "dense", "dot", "elementwise", "layouts", "matmul",
              "reductions", "rows_layouts", "threads", "ufunc_contract"),
    )  # fmt: skip
