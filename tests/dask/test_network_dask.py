"""Training on Dask arrays: the weights of one process, by threads and by processes that die."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import optim
from vekt.network import Network, logistic_regression

M = 300


def samples(m=M):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(6, m))
    return x, np.argmax(x[:3] + 0.2 * rng.normal(size=(3, m)), 0)


def network(dtype="f8", output="softmax"):
    return Network([6, 9, 5, 3], ["gelu", "prelu"], output=output, dtype=dtype, seed=2)


@pytest.fixture
def threads():
    with dask.config.set(scheduler="threads", num_workers=3):
        yield


@pytest.fixture(scope="module")
def client():
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with cluster, Client(cluster) as client:
        yield client


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 70}, {"batch_size": 128, "shuffle": False, "l2": 0.1}]
)
def test_the_weights_of_one_process(dtype, options):
    x, y = samples()
    options = {"optimizer": "adam", "lr": 0.01, "epochs": 6, **options}
    alone = network(dtype).fit(x, y, **options)
    lazy = da.from_array(x, chunks=(4, (70, 0, 110, 120)))
    for persist in (True, False):
        spread = network(dtype).fit(lazy, da.from_array(y, 50), **options, persist=persist)
        rounding = 20 * np.finfo(dtype).eps
        for p, q in zip(spread.params, alone.params, strict=True):
            assert_allclose(p, q, rounding, rounding)
        assert_allclose(spread.costs, alone.costs, 10 * rounding)
    assert spread.params[0].dtype == dtype
    assert_array_equal(spread._rng.random(3), alone._rng.random(3))


@pytest.mark.usefixtures("threads")
def test_a_tree_of_many_chunks_has_the_same_bits_on_any_threads():
    x, y = samples()
    lazy = da.from_array(x, chunks=(6, 4))  # 75 chunks: three levels
    fits = []
    for workers in (1, 3):
        with dask.config.set(num_workers=workers):
            fits.append(network().fit(lazy, y, epochs=3))
    assert_array_equal(fits[0].W[0], fits[1].W[0])
    assert_allclose(fits[0].W[0], network().fit(x, y, epochs=3).W[0], 1e-13, 1e-14)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("output", ["sigmoid", "linear", "softmax"])
def test_gradients_and_outputs(output):
    x, y = samples()
    targets = np.eye(3)[:, y]
    net = network(output=output)
    lazy = da.from_array(x, chunks=(3, 90))
    for given in (targets, da.from_array(targets, chunks=(2, 100))):
        cost, grads = net.gradients(lazy, given)
        expected, wanted = net.gradients(x, targets)
        assert cost == pytest.approx(expected)
        for g, w in zip(grads, wanted, strict=True):
            assert_allclose(g, w, 1e-12, 1e-13)
    out = net.predict(lazy)
    assert isinstance(out, da.Array)
    assert out.chunks == ((3,), (90, 90, 90, 30))
    then = net.predict(x)
    net.W[0][...] = 0  # what is asked for is what the network was then
    assert_allclose(out.compute(), then, 1e-13, 1e-14)


@pytest.mark.usefixtures("threads")
def test_interrupt_leaves_what_was_learnt():
    x, y = samples()

    class Stopped(optim.SGD):
        def step(self, params, grads):
            if self.iterations == 7:
                raise KeyboardInterrupt
            super().step(params, grads)

    net = network()
    with pytest.warns(UserWarning, match="interrupted after 2 epochs"):
        net.fit(da.from_array(x, chunks=100), y, optimizer=Stopped(0.1), batch_size=100)
    assert net.interrupted
    seen = []
    again = network().fit(
        da.from_array(x, chunks=100),
        y,
        lr=0.1,
        batch_size=100,
        callback=lambda epoch, cost: seen.append(cost) or epoch == 1,
    )
    assert net.costs == again.costs == seen
    assert net.predict(x).shape == (3, M)


@pytest.mark.usefixtures("threads")
def test_errors_of_use():
    x, y = samples()
    lazy = da.from_array(x, chunks=(6, 100))
    net = network()
    kept = pickle.dumps(net)
    bad = x.copy()
    bad[2, 150] = np.nan
    wrong = np.where(np.arange(M) == 201, 3, y)
    unknown = lazy.T[da.from_array(y, chunks=100) > 0].T
    for match, args, options in (
        (r"X of shape \(6, m\), got \(300, 6\)", (lazy.T, y), {}),
        (r"labels of shape \(300,\).*got \(299,\)", (lazy, y[1:]), {}),
        (r"labels of shape \(300,\).*got \(200,\)", (x, da.from_array(y, 100)[:200]), {}),
        (r"chunks of X have unknown sizes; call X.compute_chunk_sizes", (unknown, y), {}),
        (r"chunks of Y have unknown sizes", (lazy, da.from_array(y)[da.from_array(y) > 0]), {}),
        ("no samples", (lazy[:, :0], y[:0]), {}),
        (r"X has NaN.*samples 100 to 199", (da.from_array(bad, chunks=(6, 100)), y), {}),
        (r"label 3 .number 1. is not a class.*samples 200 to 299", (lazy, wrong), {}),
        ("1 to m = 300, got 301", (lazy, y), {"batch_size": 301}),
        ("optimizer: no 'lbfgs'", (lazy, y), {"optimizer": "lbfgs"}),
    ):
        with pytest.raises(ValueError, match=match):
            net.fit(*args, **options)
    assert pickle.dumps(net) == kept


def test_without_distributed():
    """The schedulers of Dask itself are enough."""
    code = """if True:
        import sys
        sys.modules["distributed"] = None
        import dask.array as da, numpy as np
        from vekt.network import logistic_regression
        x = np.linspace(-1, 1, 40).reshape(2, 20)
        fit = logistic_regression(2).fit(da.from_array(x, chunks=(1, 6)), x[:1] > 0, epochs=3)
        print(fit.costs == logistic_regression(2).fit(x, x[:1] > 0, epochs=3).costs)
        """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "distributed" not in run.stderr


def _pids(client):
    return sorted(client.run(os.getpid).values())


class Deadly(optim.Adam):
    """Kills a worker before its seventh step: in the second of epochs of five."""

    def __init__(self, pid):
        super().__init__(0.01)
        self.pid = pid

    def step(self, params, grads):
        if self.iterations == 6:
            os.kill(self.pid, signal.SIGKILL)
        super().step(params, grads)


def _fatal_once(block, marker, block_info=None):
    """Hand a chunk on, but die where one of them is read for the third step."""
    (_, at), path = block_info[0]["chunk-location"], Path(f"{marker}-reads")
    if at == 1:
        with path.open("a") as file:
            file.write("x")
        if path.stat().st_size == 4:
            Path(f"{marker}-killed").write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
    return block


def test_processes(client):
    """Both workers work, and a function of one's own travels to them."""
    x, y = samples()
    steep = vk.fuse(lambda x: x * vk.sigmoid(1.5 * x))
    nets = [Network([6, 8, 3], steep, output="softmax", dtype="f4", seed=1) for _ in range(2)]
    nets[0].fit(x, y, epochs=4, batch_size=100)
    nets[1].fit(da.from_array(x, chunks=(6, 50)), y, epochs=4, batch_size=100)
    assert_allclose(nets[1].W[0], nets[0].W[0], 0, 1e-6)
    tasks = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert min(tasks.values()) > 0


def test_a_worker_killed_in_mid_epoch(client):
    """Its chunks and tasks are made anew by the other one: the weights are the same."""
    x, y = samples()
    alone = network().fit(x, y, optimizer=optim.Adam(0.01), epochs=4, batch_size=60)
    pids = _pids(client)
    lazy = da.from_array(x, chunks=(6, 50))
    spread = network().fit(lazy, y, optimizer=Deadly(pids[0]), epochs=4, batch_size=60)
    assert pids[0] not in _pids(client)
    assert len(spread.costs) == 4
    for p, q in zip(spread.params, alone.params, strict=True):
        assert_allclose(p, q, 1e-12, 1e-13)


def test_a_worker_killed_in_a_task(client, tmp_path):
    x, y = samples()
    alone = logistic_regression(6).fit(x, y[None] > 0, epochs=6)
    lazy = da.from_array(x, chunks=(6, 100)).map_blocks(
        _fatal_once, str(tmp_path / "chunk"), meta=np.empty((0, 0))
    )
    spread = logistic_regression(6).fit(lazy, y[None] > 0, epochs=6, persist=False)
    assert (tmp_path / "chunk-reads").stat().st_size >= 8  # once more than the check and the steps
    assert int((tmp_path / "chunk-killed").read_text()) != os.getpid()
    assert_allclose(spread.W[0], alone.W[0], 1e-12, 1e-13)
