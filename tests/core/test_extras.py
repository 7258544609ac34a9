"""What is said where an extra is not installed, and what a bare vekt can do."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import vekt as vk

EXTRAS = {
    ("numba", "jit"): "vekt.jit",
    ("autograd", "autograd"): "vekt.autograd",
    ("sklearn", "models"): "vekt.models",
    ("scipy", "models"): "vekt.models",
}


def run(code: str, *missing: str) -> subprocess.CompletedProcess[str]:
    """Run Python as if some packages were not there."""
    hide = "import sys; " + "".join(f"sys.modules[{name!r}] = None; " for name in missing)
    return subprocess.run([sys.executable, "-c", hide + code], capture_output=True, text=True)


@pytest.mark.parametrize(("package", "extra"), EXTRAS)
@pytest.mark.parametrize("statement", ["import {}", "import vekt; vekt.{}", "from {} import _x"])
def test_each_module_names_its_extra(package: str, extra: str, statement: str) -> None:
    module = EXTRAS[package, extra]
    text = statement.format(module if "vekt;" not in statement else module.removeprefix("vekt."))
    result = run(text, package)
    assert result.returncode == 1
    said = f"ModuleNotFoundError: {module} needs {package}, which is not installed: "
    assert result.stderr.splitlines()[-1] == f"{said}pip install 'vekt[{extra}]'"


@pytest.mark.parametrize("missing", [("click",), ("rich",), ("click", "rich")])
def test_info_and_version_want_no_extra(missing: tuple[str, ...]) -> None:
    main = "from vekt.cli import main; sys.exit(main({!r}))"
    said = run(main.format(["--version"]), *missing)
    assert (said.returncode, said.stdout) == (0, f"vekt, version {vk.__version__}\n")
    told = run(main.format(["info"]), *missing)
    assert told.returncode == 0, told.stderr
    config = json.loads(run(main.format(["info", "--json", "-"]), *missing).stdout)
    assert config["version"] == vk.__version__
    assert str(config["isa"]) in told.stdout
    assert "instruction set" in told.stdout
    assert run(main.format(["info", "--jsn"]), *missing).returncode == 2
    other = run(main.format(["compare"]), *missing)
    assert (other.returncode, other.stdout) == (1, "")
    assert 'pip install "vekt[demo]"' in other.stderr


def test_dir_lists_what_is_meant_for_users() -> None:
    listed = {name for name in dir(vk) if not name.startswith("__")}
    modules = {"linalg", "threading", *vk._LAZY_MODULES}
    assert listed == {*vk.__all__, *modules}
