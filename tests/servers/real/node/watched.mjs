// Serves the configurations of one script on loopback, each on a free port, and tells what they hold open.
//   node --import preload.mjs SCRIPT.mjs READY.json NAME...      READY.json: {"NAME": port}, when all of them listen
// Each port also answers GET /watched, and POST /watched {"mood": ...}; see watched.py for the moods.
import { rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";

export class Watched {
  mood = "ok";
  inFlight = 0;
  seen = {};

  // handle(request, response); sessions() is what the server itself keeps, null where it keeps none.
  constructor(handle, sessions = null) {
    this.handle = handle;
    this.sessions = sessions;
  }

  // The page of `tools` at `cursor`, as the present mood has it.
  async page(tools, cursor) {
    if (this.mood === "ok") return { tools };
    const index = Number(cursor ?? 0);
    if (index && this.mood === "fail") throw new Error("the second page cannot be had");
    while (index && this.mood === "hang") await new Promise((later) => setTimeout(later, 50));
    const next = index + 1 < tools.length ? { nextCursor: String(index + 1) } : {};
    return { tools: tools.slice(index, index + 1), ...next };
  }

  async answer(request, response) {
    if (request.url !== "/watched") {
      this.seen[request.method] = (this.seen[request.method] ?? 0) + 1;
      this.inFlight += 1;
      response.once("close", () => (this.inFlight -= 1));
      return this.handle(request, response);
    }
    if (request.method === "POST") this.mood = JSON.parse(await text(request)).mood;
    const open = this.sessions ? { open: this.sessions() } : {};
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ mood: this.mood, in_flight: this.inFlight, seen: this.seen, ...open }));
  }
}

export async function text(request) {
  let body = "";
  for await (const part of request) body += part;
  return body;
}

// makers: {name: (slot) => Watched}
export async function serve(makers) {
  const [ready, ...names] = process.argv.slice(2);
  const ports = {};
  for (const name of names) {
    const slot = await makers[name]();
    const server = createServer((request, response) => {
      slot.answer(request, response).catch((error) => {
        console.error(error);
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    ports[name] = server.address().port;
  }
  await writeFile(`${ready}.fresh`, JSON.stringify(ports));
  await rename(`${ready}.fresh`, ready);
}

export const SCHEMAS = {
  search: { type: "object", properties: { query: { type: "string" }, limit: { type: "integer" } }, required: ["query"] },
  fetch: { type: "object", properties: { identifier: { type: "string" } }, required: ["identifier"] },
};
