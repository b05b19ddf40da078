"""The learn dock and the instruments of the lessons."""
