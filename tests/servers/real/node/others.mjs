// Servers made with other packages that speak MCP over HTTP: mcp-lite (an implementation of its own) and @hono/mcp.
import { StreamableHTTPTransport } from "@hono/mcp";
import { getRequestListener } from "@hono/node-server";
import { McpServer as SdkServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { Hono } from "hono";
import { InMemorySessionAdapter, McpServer, StreamableHttpTransport } from "mcp-lite";
import { z } from "zod";
import { SCHEMAS, Watched, serve } from "./watched.mjs";

// The adapter keeps its sessions to itself, so they are counted at its own doors.
class Counted extends InMemorySessionAdapter {
  open = new Set();
  create(id, meta) {
    this.open.add(id);
    return super.create(id, meta);
  }
  delete(id) {
    this.open.delete(id);
    return super.delete(id);
  }
}

function lite(stateful) {
  const server = new McpServer({ name: "real", version: "1.0.0" });
  for (const [name, inputSchema] of Object.entries(SCHEMAS)) {
    server.tool(name, { description: `The ${name} tool.`, inputSchema, handler: () => ({ content: [] }) });
  }
  const adapter = stateful ? new Counted({ maxEventBufferSize: 64 }) : undefined;
  const handle = new StreamableHttpTransport({ sessionAdapter: adapter }).bind(server);
  const listener = getRequestListener((request) => handle(request));
  return new Watched(async (request, response) => listener(request, response), adapter ? () => adapter.open.size : null);
}

function hono() {
  const app = new Hono();
  const server = new SdkServer({ name: "real", version: "1.0.0" });
  const search = { description: "The search tool.", inputSchema: { query: z.string() } };
  server.registerTool("search", search, async () => ({ content: [] }));
  const transport = new StreamableHTTPTransport();
  app.all("/mcp", async (context) => {
    if (!server.isConnected()) await server.connect(transport);
    return transport.handleRequest(context);
  });
  const listener = getRequestListener(app.fetch);
  return new Watched(async (request, response) => listener(request, response));
}

await serve({ "lite-stateful": () => lite(true), "lite-stateless": () => lite(false), hono });
