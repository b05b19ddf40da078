"""Views that explore: decoded images, paths, sketches."""
