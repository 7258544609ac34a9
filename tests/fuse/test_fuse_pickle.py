"""Fused functions are pickled as functions are: by name, from scripts, and by value."""

import copy
import pickle
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest
from interpreters import printed, run

import vekt as vk

X = np.array([-1.0, 2.0])


@vk.fuse
def swish(x, beta=1.0):
    """Be decorated in a module."""
    return x * vk.sigmoid(beta * x)


def plain(x, y):
    """Be fused under another name."""
    return x * y + 1


product = vk.fuse(plain, compile=False)


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_by_name(dumps):
    assert pickle.loads(dumps(swish)) is swish
    again = pickle.loads(dumps(product))
    np.testing.assert_array_equal(again(X, 2.0), X * 2 + 1)
    assert again.__wrapped__ is plain
    assert again.fallback.compile is False
    assert pickle.loads(dumps(vk.add)) is vk.add


def test_copies_are_the_function():
    for function in (swish, product, vk.fuse(lambda x: x), vk.add):
        assert copy.copy(function) is function
        assert copy.deepcopy({"f": function})["f"] is function


def test_by_value():
    slope = 0.25
    inner = vk.fuse(lambda x: np.where(x > 0, x, slope * x), compile=False, nin=1)
    outer = vk.fuse(lambda x: inner(x) + 1)
    again = pickle.loads(cloudpickle.dumps(outer))
    np.testing.assert_array_equal(again(X), outer(X))
    np.testing.assert_array_equal(again.backward(1.0, X), outer.backward(1.0, X))
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda|local"):
        pickle.dumps(outer)


DECORATED = """
import pickle, sys
import cloudpickle
import numpy as np
import vekt as vk

SLOPE = 0.25

@vk.fuse
def leaky(x, slope=1.0):
    return np.where(x > 0, x, SLOPE * slope * x)

@vk.fuse(compile=False)
def twice(x):
    return 2 * leaky(x)
"""


def test_from_a_script():
    """What a decorator has put in place of a function, as in a notebook."""
    script = DECORATED + (
        "network = vk.network.Network((2, 3, 1), (leaky, {'slope': 2.0}), seed=0)\n"
        "assert pickle.loads(pickle.dumps(leaky)) is leaky\n"
        "own = pickle.loads(pickle.dumps(network))\n"
        "x = np.ones((2, 4))\n"
        "assert np.array_equal(own.predict(x), network.predict(x))\n"
        "data = cloudpickle.dumps((twice, network, network.predict(x)))\n"
        "assert leaky.__name__ == leaky.__qualname__ == 'leaky'\n"
        "print(data.hex())\n"
    )
    reader = (
        "import pickle, numpy as np\n"
        "twice, network, y = pickle.loads(bytes.fromhex(DATA))\n"
        "assert np.array_equal(twice(np.array([-4.0, 1.0])), [-2, 2])\n"
        "assert twice.fallback.compile is False and twice.__qualname__ == 'twice'\n"
        "assert np.array_equal(network.predict(np.ones((2, 4))), y)\n"
    )
    run(reader.replace("DATA", repr(printed(script).strip())))


def test_to_spawned_processes(tmp_path):
    """They run the script again, and find the function by its name."""
    file = tmp_path / "script.py"
    file.write_text(
        DECORATED
        + "from concurrent.futures import ProcessPoolExecutor\n"
        + "from multiprocessing import get_context\n"
        + "if __name__ == '__main__':\n"
        + "    with ProcessPoolExecutor(1, get_context('spawn')) as pool:\n"
        + "        print(list(pool.map(twice, [np.array([-4.0, 1.0])])))\n"
    )
    command = [sys.executable, "-W", "error", str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[array([-2.,  2.])]"
