// Servers made with the official TypeScript SDK 1.x: Streamable HTTP with and without sessions, JSON and SSE bodies; HTTP+SSE.
import { randomUUID } from "node:crypto";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { SCHEMAS, Watched, serve } from "./watched.mjs";

const TOOLS = Object.entries(SCHEMAS).map(([name, inputSchema]) => ({ name, description: `The ${name} tool.`, inputSchema }));

function made(slot) {
  const server = new Server({ name: "real", version: "1.0.0" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, (request) => slot.page(TOOLS, request.params?.cursor));
  server.setRequestHandler(CallToolRequestSchema, () => ({ content: [] }));
  return server;
}

function stateful(enableJsonResponse) {
  const transports = new Map();
  const slot = new Watched(async (request, response) => {
    const known = transports.get(request.headers["mcp-session-id"]);
    if (known) return known.handleRequest(request, response);
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse,
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => transports.set(id, transport),
    });
    transport.onclose = () => transports.delete(transport.sessionId);
    await made(slot).connect(transport);
    await transport.handleRequest(request, response);
  }, () => transports.size);
  return slot;
}

function stateless(enableJsonResponse) {
  const slot = new Watched(async (request, response) => {
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse, sessionIdGenerator: undefined });
    const server = made(slot);
    response.on("close", () => server.close());
    await server.connect(transport);
    await transport.handleRequest(request, response);
  });
  return slot;
}

function sse() {
  const transports = new Map();
  const slot = new Watched(async (request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    if (request.method === "GET" && url.pathname === "/sse") {
      const transport = new SSEServerTransport("/messages", response);
      transports.set(transport.sessionId, transport);
      response.on("close", () => transports.delete(transport.sessionId));
      await made(slot).connect(transport);
    } else if (request.method === "POST" && url.pathname === "/messages") {
      const transport = transports.get(url.searchParams.get("sessionId"));
      if (transport) await transport.handlePostMessage(request, response);
      else response.writeHead(400).end("No transport found for sessionId");
    } else {
      response.writeHead(404).end();
    }
  }, () => transports.size);
  return slot;
}

await serve({
  stateful: () => stateful(false),
  "stateful-json": () => stateful(true),
  stateless: () => stateless(false),
  "stateless-json": () => stateless(true),
  sse,
});
