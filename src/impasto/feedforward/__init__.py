"""Networks that make a picture in one pass, without a descent."""
