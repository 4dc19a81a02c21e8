"""How any task is carried out: levels and cost, the descent with its events, checkpoints, recipe and result."""
