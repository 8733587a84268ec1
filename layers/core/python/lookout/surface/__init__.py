"""What a server offers (tools, resources, prompts): its canonical form, its hashes, and what a change of it means.

Pure: no I/O, no clock. A schema that a server sent is data here: it is read as text and never compiled or resolved.
"""
