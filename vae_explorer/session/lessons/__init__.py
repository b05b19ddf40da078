"""What the experiment of a lesson holds and computes, without pixels."""
