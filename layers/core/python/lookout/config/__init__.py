"""lookout.yaml: its model, its validation with file, line and key, and what changes between two of them."""
