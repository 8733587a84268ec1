// Loaded before each Node server (node --import): packages come from the installed environment, whose folder
// LOOKOUT_PACKAGES names, and a server that would listen on every address of the machine listens on loopback.
import { registerHooks } from "node:module";
import net from "node:net";
import { pathToFileURL } from "node:url";

const home = pathToFileURL(`${process.env.LOOKOUT_PACKAGES}/`).href;
const here = new URL(".", import.meta.url).href;
registerHooks({
  resolve(specifier, context, next) {
    const bare = !/^(\.|\/|node:|file:)/.test(specifier);
    const ours = context.parentURL?.startsWith(here);
    return next(specifier, bare && ours ? { ...context, parentURL: home } : context);
  },
});

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (first, ...rest) {
  if (/^\d+$/.test(first)) {
    const host = typeof rest[0] === "string" ? [] : ["127.0.0.1"];
    return listen.call(this, Number(first), ...host, ...rest);
  }
  if (first && typeof first === "object" && "port" in first) return listen.call(this, { ...first, host: "127.0.0.1" }, ...rest);
  return listen.call(this, first, ...rest);
};
