"""The numbers behind the lessons, and the lesson files."""
