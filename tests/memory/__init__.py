"""What every public function does with memory: guard pages around operands, references, leaks."""
