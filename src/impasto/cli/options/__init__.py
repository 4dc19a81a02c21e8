"""The options that commands share, and the checks that belong to them."""
