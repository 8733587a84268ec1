// A server made with FastMCP, the TypeScript framework: node framework.mjs PORT [stateless]. It listens by itself.
import { FastMCP } from "fastmcp";
import { z } from "zod";

const [port, kind] = process.argv.slice(2);
const server = new FastMCP({ name: "real", version: "1.0.0" });
const parameters = z.object({ query: z.string() });
server.addTool({ name: "search", description: "The search tool.", parameters, execute: async () => "" });
await server.start({ transportType: "httpStream", httpStream: { port: Number(port), stateless: kind === "stateless" } });
