"""One probe of one MCP server: network evidence, the exchange per era, and a `ProbeResult`."""
