"""The history of vekt's speed, as pages that need no network: `python -m asv_bench.dashboard`.

asv measures and draws.  `plugin` is what it loads of this folder, as the package `dashboard`, when
it publishes; `__main__` is the command.
"""
