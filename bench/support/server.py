"""The server under test: cheap, in a process of its own, and with a clock of its own.

HTTPS with keep-alive on bare sockets; every answer is a prepared string around the id that was asked with. It speaks
both eras at any path. `/<probe>/<delay_ms>` holds tools/list back by that long, and remembers under `<probe>` the
milliseconds each method took here: from the arrival of the request, as the kernel stamped it, to the answer's handing
to the kernel. So nothing that this process waits for is missed or counted twice. `GET /records` answers what was
remembered and forgets it, with the CPU time this process used and waited for.

Run: server.py CERTIFICATE KEY. Prints its port, ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import struct
import sys
import time

import usage

METHOD = re.compile(rb'"method"\s*:\s*"([^"]+)"')
ID = re.compile(rb'"id"\s*:\s*("[^"]*"|\d+)')
LENGTH = re.compile(rb"(?i)\r\ncontent-length:\s*(\d+)")
INFO = {"name": "bench", "version": "1.0"}
CACHE = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
STAMP = struct.Struct("@qq")
SO_TIMESTAMPNS = 35
NOTHING = b"HTTP/1.1 %s\r\ncontent-length: 0\r\n\r\n"


def tool(number: int) -> dict[str, object]:
    """A tool as servers list them: a paragraph of description, four typed parameters."""
    parameter = {
        "type": "string",
        "description": "What to look for, in plain words; quotation marks keep words together.",
    }
    return {
        "name": f"search_documents_{number}",
        "title": f"Search documents {number}",
        "description": "Search the documents of one workspace and return the best matches with their titles, links and "
        "excerpts. Use it before answering any question about internal matters; narrow it by kind where you can.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "query": parameter,
                "kind": {"type": "string", "enum": ["page", "file", "message"]},
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
                "archived": {"type": "boolean", "default": False},
            },
            "required": ["query"],
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    }


def answers() -> dict[bytes, bytes]:
    """Method -> the result, as it is sent."""
    modern = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, **CACHE}
    results = {
        b"server/discover": {**modern, "_meta": {"io.modelcontextprotocol/serverInfo": INFO}},
        b"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": INFO},
        b"tools/list": {"tools": [tool(i) for i in range(12)], **CACHE},
    }
    return {method: json.dumps(result, separators=(",", ":")).encode() for method, result in results.items()}


ANSWERS = answers()
records: dict[str, dict[str, float]] = {}


class Connection:
    """One client's connection; one request at a time."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.inward, self.outward = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.inward, self.outward, server_side=True)
        self.shaken, self.data, self.arrived_ns = False, b"", 0
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(sock, self.readable)

    def close(self) -> None:
        self.loop.remove_reader(self.sock)
        self.sock.close()

    def readable(self) -> None:
        try:
            data, ancillary, _, _ = self.sock.recvmsg(65_536, socket.CMSG_SPACE(STAMP.size))
            if not data:
                self.close()
                return
            self.inward.write(data)
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            self.arrived_ns = time.time_ns()
            if ancillary:
                seconds, nanoseconds = STAMP.unpack(ancillary[0][2])
                self.arrived_ns = seconds * 1_000_000_000 + nanoseconds
            while plain := self.tls.read(65_536):
                self.data += plain
                self.take()
            self.close()
        except ssl.SSLWantReadError:
            self.flush()
        except (OSError, ssl.SSLError):
            self.close()

    def flush(self) -> None:
        if self.outward.pending:
            whole = self.outward.read()
            if self.sock.send(whole) < len(whole):
                raise RuntimeError("the kernel did not take an answer at once; the answers must be smaller")

    def write(self, answer: bytes) -> None:
        self.tls.write(answer)
        self.flush()

    def take(self) -> None:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.data[:end]
        found = LENGTH.search(head)
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self.data) >= whole:
            body, self.data = self.data[end + 4 : whole], self.data[whole:]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        verb, path, _ = head.split(b" ", 2)
        if verb == b"GET" and path == b"/records":
            used = {"cpu_s": time.process_time(), "waited_s": usage.waited_s()}
            content = json.dumps({"records": records, **used}).encode()
            records.clear()
            self.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content))
            return
        if verb == b"GET":
            self.write(NOTHING % b"405 Method Not Allowed")
            return
        found = METHOD.search(body)
        method = found[1] if found else b""
        number = ID.search(body)
        if number is None or method not in ANSWERS:
            self.write(NOTHING % (b"200 OK" if verb == b"DELETE" else b"202 Accepted"))
            return
        content = b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (number[1], ANSWERS[method])
        session = b"mcp-session-id: bench-session\r\n" if method == b"initialize" else b""
        form = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b"
        _, probe, delay_ms = path.decode().split("/")
        reply = (form % (session, len(content), content), probe, method.decode(), self.arrived_ns)
        if method == b"tools/list" and delay_ms != "0":
            self.loop.call_later(int(delay_ms) / 1000, self.send, *reply)
        else:
            self.send(*reply)

    def send(self, reply: bytes, probe: str, method: str, arrived_ns: int) -> None:
        if self.sock.fileno() < 0:
            return
        self.tls.write(reply)
        records.setdefault(probe, {})[method] = (time.time_ns() - arrived_ns) / 1e6
        self.flush()


async def serve(certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setblocking(False)
    # Inherited by what is accepted. The kernel stamps nothing while no socket asks for it, and begins with a delay.
    listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    loop = asyncio.get_running_loop()
    loop.add_reader(listener, lambda: Connection(listener.accept()[0], context))
    print(listener.getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:3]))
