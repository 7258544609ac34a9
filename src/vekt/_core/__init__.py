"""What every room stands on: compiled code, operands, axes, the door to other libraries."""
