"""Machine code of fused functions on disk: used again, never trusted, written by many at once."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from interpreters import run

import vekt as vk
from vekt._core import environment
from vekt._fuse import cache, compile

pytest.importorskip("llvmlite")


def files(directory):
    """Names and contents."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def double(monkeypatch, directory, fresh=True):
    """Compile, as in a new process."""
    monkeypatch.setenv(environment.CACHE, str(directory))
    monkeypatch.setattr(compile, "_loaded", type(compile._loaded)())
    made = []
    make = compile._object
    with monkeypatch.context() as patch:
        patch.setattr(compile, "_object", lambda *args: made.append(1) or make(*args))
        f = vk.fuse(lambda x: x * 2 + 1, compile=True)
        np.testing.assert_array_equal(f(np.arange(5.0)), np.arange(5.0) * 2 + 1)
    return len(made)


def test_cache_is_used_and_survives_damage(monkeypatch, tmp_path):
    home = tmp_path / "new" / "cache"
    assert double(monkeypatch, home) == 1
    ((name, content),) = files(home).items()
    assert double(monkeypatch, home) == 0
    for damaged in (b"", content[:50], content[:-1] + b"?", content[:32], os.urandom(len(content))):
        (home / name).write_bytes(damaged)
        assert double(monkeypatch, home) == 1
        assert files(home) == {name: content}
    (home / name).chmod(0o666)
    assert double(monkeypatch, home) == 1  # others could have written it
    assert double(monkeypatch, home) == 0
    if hasattr(os, "getuid"):
        owner = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
        assert double(monkeypatch, home) == 1  # as if another user had
        assert files(home) == {name: content}


def test_cache_directory_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no directory")
    assert double(monkeypatch, tmp_path / "file") == 1
    home = tmp_path / "shared"
    home.mkdir()
    home.chmod(0o777)
    assert double(monkeypatch, home) == 1
    assert files(home) == {}
    monkeypatch.delenv(environment.CACHE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.directory() == tmp_path / "xdg" / "vekt"


def test_files_under_other_names(monkeypatch, tmp_path):
    """The checksum is of the name, too: code of another function is never run."""
    assert double(monkeypatch, tmp_path) == 1
    ((name, content),) = files(tmp_path).items()
    assert cache.load(name) == content[32:]
    other = name[::-1]
    (tmp_path / name).rename(tmp_path / other)
    assert cache.load(other) is None
    os.link(tmp_path / other, tmp_path / name)  # its own name again
    assert cache.load(name) == content[32:]
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(tmp_path / other)
    assert cache.load(name) is None
    assert double(monkeypatch, tmp_path) == 1
    assert not (tmp_path / name).is_symlink()
    assert files(tmp_path) == {name: content, other: content}


def test_what_is_no_file(monkeypatch, tmp_path):
    assert double(monkeypatch, tmp_path) == 1
    ((name, content),) = files(tmp_path).items()
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)  # an ordinary open would wait for a writer
    assert double(monkeypatch, tmp_path) == 1
    assert files(tmp_path) == {name: content}
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    assert double(monkeypatch, tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]  # nothing is left of the attempt


def test_directory_of_others_is_not_read(monkeypatch, tmp_path):
    assert double(monkeypatch, tmp_path) == 1
    tmp_path.chmod(0o777)
    assert double(monkeypatch, tmp_path) == 1
    tmp_path.chmod(0o755)
    assert double(monkeypatch, tmp_path) == 0


def test_size_is_limited(monkeypatch, tmp_path):
    monkeypatch.setenv(environment.CACHE, str(tmp_path))
    monkeypatch.setattr(cache, "MOST_BYTES", 4000)
    keys = [f"{k:064x}" for k in range(8)]
    abandoned, fresh = (tmp_path / f"{keys[0]}.{end}" for end in "ab")
    for path in (abandoned, fresh):
        path.write_bytes(b"x" * 5000)
    os.utime(abandoned, (0, 0))
    (tmp_path / "notes.txt").write_text("not ours")
    for k, key in enumerate(keys):
        cache.store(key, bytes(968))
        os.utime(tmp_path / key, (k + 1, k + 1))
        assert sum((tmp_path / k).stat().st_size for k in keys if (tmp_path / k).exists()) <= 4000
        assert cache.load(keys[0]) is not None  # used again and again, it stays
    left = {key for key in keys if (tmp_path / key).exists()}
    assert keys[0] in left
    assert keys[-1] in left
    assert len(left) <= 4
    assert {fresh.name, "notes.txt"} <= set(files(tmp_path))
    assert not abandoned.exists()


SCRIPT = """
import os, sys
import numpy as np
import vekt as vk
g = vk.fuse(lambda x: x * 3 - 1)
g(np.ones(3)), g.explain(np.ones(3)), g.value_and_grad(np.ones(3))
assert "llvmlite" not in sys.modules
f = vk.fuse(lambda x: x * 3 - 1, compile=True)
if sys.argv[1:] == ["fork"]:
    f(np.ones(3))
    pid = os.fork()
    if pid == 0:
        g = vk.fuse(lambda x: x * 5 - 1, compile=True)
        os._exit(not (f(np.ones(3))[0] == 2 and g(np.ones(3))[0] == 4))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(f(np.arange(4.0)).tolist())
"""


def test_processes_share_it(tmp_path):
    variables = {environment.CACHE: str(tmp_path)}
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: run(SCRIPT, **variables), range(3)))
    assert {d.stdout.strip() for d in done} == {"[-1.0, 2.0, 5.0, 8.0]"}
    assert len(files(tmp_path)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_compiles(tmp_path):
    script = SCRIPT.replace('sys.argv[1:] == ["fork"]', "True")
    assert (
        run(script, **{environment.CACHE: str(tmp_path)}).stdout.strip() == "[-1.0, 2.0, 5.0, 8.0]"
    )
    assert len(files(tmp_path)) == 2
