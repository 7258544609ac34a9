"""What `import vekt` adds to `import numpy`, each in a fresh process."""

from __future__ import annotations


class Import:
    """`vekt` comes on top of NumPy, which is imported before the clock starts."""

    number = 1
    repeat = (5, 10, 20.0)
    version = "1"

    def timeraw_numpy(self):
        return "import numpy"

    def timeraw_vekt(self):
        return "import vekt", "import numpy"

    def timeraw_jit(self):
        return "import vekt.jit", "import vekt, numba"

    def timeraw_reference(self):
        return "import vekt.reference", "import vekt"
