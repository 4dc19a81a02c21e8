"""What a picture of any size is to be: content and style targets, regions, colors, and the image to begin with."""
