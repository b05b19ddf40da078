"""What a lesson's instrument holds and computes, without pixels."""
