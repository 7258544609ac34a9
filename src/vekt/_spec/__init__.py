"""What is true of each function: names, parameters, mathematics, bounds; and what is made of it."""
