"""Expressions in one pass: traced to a graph, differentiated there, run as programs of kernels.

`fused` is the decorator, `evaluate` takes expressions in strings, which `parse` reads, `text` in
them; both check `operands`.  Arrays of other libraries have their gradients from `foreign`.

- Traced: `symbols` stand for arrays, `functions` take them, `numbers` knows what Python makes
  of its own, and `graph` holds values and what they are computed from.
- Differentiated: `rules`, by `parameters` of activations too; `spread` gives gradients the
  dimensions of what was reduced.
- Planned: a `variant` serves calls with arrays in the same places, `numbered` one program for all
  shapes.  `plan` makes passes of a graph and `reverse` those of its gradient; `bound` finds the
  steps for one set of shapes and dtypes once, under locks that a forked child finds free.
- Run: `lower` makes programs, in `parts` where they are long, and `passes` runs them.
- Compiled: `segments` tells what is compiled together, `emit` and `loops` write it in LLVM's
  language, `compile` makes machine code of it, and `cache` keeps that.

`explain` shows all of this as a text or a picture.
"""
