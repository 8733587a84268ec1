"""Read models and their renderings: pages, JSON, metrics, badges, feeds. Pure."""
