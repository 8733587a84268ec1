// Servers made with the official TypeScript SDK 2.x: of the newest protocol only, and of both eras at one address.
import { toNodeHandler } from "@modelcontextprotocol/node";
import { McpServer, createMcpHandler } from "@modelcontextprotocol/server";
import { z } from "zod";
import { Watched, serve } from "./watched.mjs";

function made() {
  const server = new McpServer({ name: "real", version: "1.0.0" });
  const search = { description: "The search tool.", inputSchema: z.object({ query: z.string() }) };
  server.registerTool("search", search, async () => ({ content: [] }));
  const fetch = { description: "The fetch tool.", inputSchema: z.object({ identifier: z.string() }) };
  server.registerTool("fetch", fetch, async () => ({ content: [] }));
  return server;
}

function handler(options) {
  const handle = toNodeHandler(createMcpHandler(made, options));
  return new Watched(async (request, response) => handle(request, response));
}

await serve({
  modern: () => handler({ legacy: "reject" }),
  "modern-sse": () => handler({ legacy: "reject", responseMode: "sse" }),
  dual: () => handler({}),
});
