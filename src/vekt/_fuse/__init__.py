"""Expressions in one pass: traced to a graph, differentiated there, run as programs of kernels.

`graph` holds values and what they are computed from, `numbers` knows what Python makes of its own;
`symbols` stand for arrays while a function is traced, and `functions` take them; `rules`
differentiate, `lower` makes programs, `passes` runs them; `fused` is the decorator and `parse`
reads expressions from strings.  `segments` tells what is compiled together, `emit` and `loops`
write it in LLVM's language, `compile` makes machine code of it, and `cache` keeps that.
"""
