"""The parts of `compare`: two trees are installed, timed in turns, and judged."""
