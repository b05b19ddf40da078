"""The decode panel: the digit at the cursor, its two sliders, and the pinned digit."""
