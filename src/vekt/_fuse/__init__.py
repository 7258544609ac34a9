"""Expressions in one pass: traced to a graph, differentiated there, run as programs of kernels.

`graph` holds values and what they are computed from, `symbols` stand for arrays while a function is
traced, `rules` differentiate, `lower` makes programs, `passes` runs them; `fused` is the decorator
and `parse` reads expressions from strings.
"""
