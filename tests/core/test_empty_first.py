"""Calls on arrays without elements, each the first of its process, without scratch memory yet."""

from __future__ import annotations

import json

import pytest
from interpreters import printed

CALLS = """
import json, sys
import numpy as np
import ml_dtypes
import vekt as vk
from vekt import ufuncs

dtype = np.dtype(ml_dtypes.bfloat16) if sys.argv[1] == "bfloat16" else np.dtype(sys.argv[1])
real = dtype.kind in "fV"
e = lambda *shape: np.zeros(shape, dtype)
labels = np.zeros(0, int)
calls = {}
for name in ("matmul", "dot", "tensordot"):
    f = getattr(vk, name)
    options = {"axes": 1} if name == "tensordot" else {}
    for m, k, n in ((4, 0, 2), (0, 4, 2), (4, 2, 0), (0, 0, 0), (1, 0, 1), (4, 0, 1)):
        def product(f=f, m=m, k=k, n=n, options=options):
            assert f(e(m, k), e(k, n), **options).shape == (m, n)
            if not options:
                f(e(m, k), e(k, n), out=e(m, n))
        calls[f"{name} {m} {k} {n}"] = product
calls["matmul stack"] = lambda: vk.matmul(e(3, 4, 0), e(3, 0, 2))
calls["matmul no stack"] = lambda: vk.matmul(e(0, 4, 3), e(0, 3, 2))
calls["matmul batch"] = lambda: vk.matmul(e(4, 0), e(0, 2), deterministic="batch")
calls["dot vectors"] = lambda: vk.dot(e(0), e(0))
calls["dot strided"] = lambda: vk.dot(e(4)[:0:2], e(4)[4::-1][:0])
calls["vecdot"] = lambda: vk.vecdot(e(3, 0), e(3, 0))
calls["vecdot none"] = lambda: vk.vecdot(e(0, 3), e(0, 3))
calls["vecmat"] = lambda: vk.vecmat(e(0), e(0, 2))
calls["vecmat sliced"] = lambda: vk.vecmat(e(4)[:0], e(4, 2)[:0])
calls["matvec"] = lambda: vk.matvec(e(4, 0), e(0))
calls["matvec strided"] = lambda: vk.matvec(e(4, 4)[:, :0].T.T, e(4)[:0])
calls["outer"] = lambda: vk.outer(e(0), e(3))
for f in ("sum", "mean", "any", "all", "max", "argmax"):
    calls[f] = lambda f=f: getattr(vk, f)(e(0, 3), axis=1)
    calls[f + " 0"] = lambda f=f: getattr(vk, f)(e(0, 3), axis=0)
calls["norm"] = lambda: vk.norm(e(0, 3), axis=1)
calls["norm 0"] = lambda: vk.norm(e(0, 3), axis=0)
calls["transpose_copy"] = lambda: vk.transpose_copy(e(0, 3).T)
calls["take"] = lambda: vk.take(e(0, 3), [], axis=0)
calls["scatter_add"] = lambda: vk.scatter_add(e(0, 3), [], e(0, 3))
calls["one_hot"] = lambda: vk.one_hot([], 0, dtype=dtype)
if dtype.kind != "c":
    calls["top_k"] = lambda: vk.top_k(e(3, 0), 0)
calls["where"] = lambda: vk.where(e(0, 3), e(0, 1), e(3))
calls["fuse"] = lambda: vk.fuse(lambda x: (x * x + x).sum(axis=0))(e(0, 3))
if real:
    for f in ("softmax", "log_softmax", "logsumexp", "sparsemax"):
        calls[f] = lambda f=f: getattr(vk, f)(e(0, 3), axis=1)
        calls[f + " 0"] = lambda f=f: getattr(vk, f)(e(0, 3), axis=0)
    calls["gelu"] = lambda: vk.gelu(e(0, 3))
    calls["gelu vg"] = lambda: vk.gelu_value_and_grad(e(0, 3))
    options = {"reduction": "none"}
    for f in (vk.softmax_cross_entropy, vk.softmax_cross_entropy_value_and_grad):
        calls[f.__name__] = lambda f=f: f(e(0, 3), labels, **options)
        calls[f.__name__ + " soft"] = lambda f=f: f(e(0, 3), e(0, 3), **options)
    calls["prelu"] = lambda: vk.prelu(e(0, 3), e(3))
    calls["prelu backward"] = lambda: vk.prelu_backward(e(0, 3), e(0, 3), e(3))
    calls["huber"] = lambda: vk.huber(e(0), e(0))
    calls["cosine"] = lambda: vk.cosine_similarity(e(3, 0), e(3, 0))
    if dtype != np.float16 and dtype.kind != "V":
        for m, k, n in ((0, 3, 2), (4, 0, 2), (4, 3, 0), (0, 0, 0)):
            for act in (None, "relu"):
                calls[f"dense {m} {k} {n} {act}"] = lambda m=m, k=k, n=n, act=act: vk.dense(
                    e(m, k), e(k, n), e(n), activation=act)
                z = {} if act is None else {"activation": act}
                calls[f"backward {m} {k} {n} {act}"] = lambda m=m, k=k, n=n, z=z: vk.dense_backward(
                    e(m, n), e(m, k), e(k, n), **({"z": e(m, n)} if z else {}), **z)
        for kind in ("SGD", "Adam", "AdamW", "RMSprop"):
            if hasattr(vk.optim, kind):
                def step(kind=kind):
                    p = [e(0, 3)]
                    getattr(vk.optim, kind)().step(p, [e(0, 3)])
                calls[kind] = step
"""

IN_CHILDREN = """
import os
np.dtype(dtype)
failed = {}
for name, call in calls.items():
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = ""
        try:
            with np.errstate(all="ignore"):
                call()
        except (MemoryError, SystemError, RecursionError) as error:
            said = repr(error)
        except Exception as error:
            said = "" if isinstance(error, (ValueError, TypeError)) else repr(error)
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    text = os.read(read, 4000).decode()
    os.close(read)
    status = os.waitpid(pid, 0)[1]
    if text or status:
        failed[name] = text or f"status {status}"
print(json.dumps([len(calls), failed]))
"""


@pytest.mark.parametrize(
    "dtype",
    [
        "?",
        "i1",
        "u1",
        "i2",
        "u2",
        "i4",
        "u4",
        "i8",
        "u8",
        "f2",
        "bfloat16",
        "f4",
        "f8",
        "c8",
        "c16",
    ],
)
def test_first_call_on_nothing(dtype):
    """A forked child whose parent has not called anything is as new as a process."""
    ignored = "import warnings; warnings.simplefilter('ignore')\n"
    script = f"import sys; sys.argv = ['', {dtype!r}]\n" + ignored + CALLS + IN_CHILDREN
    count, failed = json.loads(printed(script, VEKT_NUM_THREADS="1"))
    assert count > 40
    assert not failed
