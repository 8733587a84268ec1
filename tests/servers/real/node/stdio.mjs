// What the gateways put on HTTP: a server of the official TypeScript SDK 1.x on standard input and output.
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { SCHEMAS } from "./watched.mjs";

const tools = Object.entries(SCHEMAS).map(([name, inputSchema]) => ({ name, description: `The ${name} tool.`, inputSchema }));
const server = new Server({ name: "real", version: "1.0.0" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
server.setRequestHandler(CallToolRequestSchema, () => ({ content: [] }));
await server.connect(new StdioServerTransport());
