"""Neural style transfer by optimizing the pixels of an image."""
