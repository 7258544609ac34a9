"""vekt's benchmarks for airspeed velocity.

OpenBLAS must choose its kernels itself: a shell that exports either variable below halves the
speed of NumPy's products, and a win over that would be fake.  It reads them when NumPy is loaded.

With every activation there are some 800 combinations of parameters for the kernels: about five
minutes with `--quick`, which takes one sample of each, and about twenty without.
"""

import os

for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)
