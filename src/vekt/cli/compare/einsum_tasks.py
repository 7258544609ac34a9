"""Contractions that are measured: those that NumPy is slow in, and those of daily use."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vekt.cli.compare.linear_tasks import random
from vekt.cli.compare.tasks import Task

NAME = "einsum"

GRID: tuple[tuple[str, str], ...] = (
    # The call itself.
    ("ij,jk->ik", "i2 j2 k2"),
    ("i,i->", "i4"),
    ("ii->i", "i4"),
    # Products, vectors, bilinear forms.
    ("ij,jk->ik", "i256 j256 k256"),
    ("ij,kj->ik", "i512 j64 k512"),
    ("ji,jk->ik", "i128 j2000 k128"),
    ("ij,jk->ki", "i256 j256 k256"),
    ("ij,j->i", "i1000 j1000"),
    ("ij,i->j", "i1000 j1000"),
    ("i,i->", "i100000"),
    ("i,j->ij", "i1000 j1000"),
    ("bi,ij,bj->b", "b1000 i64 j64"),
    ("i,ij,j->", "i500 j500"),
    # Covariance and correlation.
    ("ni,nj->ij", "n10000 i32 j32"),
    ("bni,bnj->bij", "b50 n200 i16 j16"),
    ("ij,ij->i", "i1000 j256"),
    ("ij,ij->j", "i1000 j256"),
    ("ij,ij->", "i1000 j256"),
    # Diagonals, traces, sums, transposes.
    ("ii->i", "i1000"),
    ("ii->", "i1000"),
    ("bii->b", "b1000 i16"),
    ("ij->j", "i1000 j1000"),
    ("ijk->kij", "i64 j128 k64"),
    ("ii,ij->j", "i500 j500"),
    # Stacks.
    ("bij,bjk->bik", "b64 i32 j32 k32"),
    ("bij,bkj->bik", "b1000 i8 j8 k8"),
    ("bij,bj->bi", "b500 i32 j32"),
    ("...ij,...jk->...ik", "b16 i64 j64 k64"),
    ("ijb,jkb->ikb", "i8 j8 k8 b200"),
    # Attention.
    ("bhqd,bhkd->bhqk", "b2 h4 q128 k128 d64"),
    ("bhqk,bhkd->bhqd", "b2 h4 q128 k128 d64"),
    ("bqhd,bkhd->bhqk", "b2 h4 q128 k128 d64"),
    ("bhqk,bkhd->bqhd", "b2 h4 q128 k128 d64"),
    ("btd,dhe->bthe", "b4 t64 d256 h4 e64"),
    # Convolutions and recurrent cells as contractions.
    ("nchw,oc->nohw", "n4 c64 h16 w16 o64"),
    ("nhwc,co->nhwo", "n4 c64 h16 w16 o64"),
    ("nhwijc,ijco->nhwo", "n2 h14 w14 i3 j3 c16 o32"),
    # Tensor networks.
    ("ab,bc,cd->ad", "a100 b100 c100 d100"),
    ("abc,cde,efa->bdf", "a12 b12 c12 d12 e12 f12"),
    ("aij,bjk,ck->abci", "a16 b16 c16 i16 j16 k16"),
    ("abcd,ae,bf,cg,dh->efgh", "a8 b8 c8 d8 e8 f8 g8 h8"),
    ("pqrs,rt,su->pqtu", "p12 q12 r12 s12 t12 u12"),
    ("ijk,ilm,njm,nlk->", "i10 j10 k10 l10 m10 n10"),
    ("ia,ib,ic->abc", "i500 a16 b16 c16"),
)
"""Subscripts, and the length of each label; those under an ellipsis are called b."""


def shapes_of(text: str, lengths: str) -> list[tuple[int, ...]]:
    """Return the shapes of the operands of a row of the grid."""
    sizes = {entry[0]: int(entry[1:]) for entry in lengths.split()}
    terms = text.partition("->")[0].replace("...", "b").split(",")
    return [tuple(sizes[label] for label in term) for term in terms]


def einsum_tasks(dtype: str) -> Iterator[Task]:
    """Return each row of the grid."""
    for text, lengths in GRID:
        arrays = [random(shape, dtype, i) for i, shape in enumerate(shapes_of(text, lengths))]
        operands = {"text": text, "arrays": arrays, "x": arrays[0]}
        yield Task(
            NAME,
            "vk.einsum(text, *arrays)",
            {**operands, "out": np.empty(0, dtype)},
            ("x",),
            arrays[0].shape,
            title=f"{text}, {lengths}",
        )
