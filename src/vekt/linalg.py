"""Linear algebra."""

from vekt._ufuncs import dot

__all__ = ["dot"]

__test__ = {"dot": dot.__doc__}
"""Lets doctest find the example of a function written in C."""
