"""Functions of Dask's arrays, block by block; `vekt._core.foreign` imports them."""
