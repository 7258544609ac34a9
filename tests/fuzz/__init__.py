"""A randomised comparison of every public function with NumPy: see `fuzz.groups`."""
