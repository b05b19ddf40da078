"""Bytes to images: readers, the bundled set, and data treatments."""
