"""What fits into memory: how each size is cut into tiles, where tensors live, and how far the work on tiles is."""
