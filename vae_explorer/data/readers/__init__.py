"""One module a kind of file: each finds what is there, and reads it as it is."""
