"""What impasto can be asked to do."""
