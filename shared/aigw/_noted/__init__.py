"""What is kept of calls that a framework made: each call, those of a block, how long, and what they cost."""
