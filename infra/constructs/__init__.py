"""What the stacks are made of: one noun per module."""
