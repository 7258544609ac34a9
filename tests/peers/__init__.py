"""The test files that peers ship, with vekt's functions in the place of theirs: see `peers.run`."""
