"""The other process of ``make bench-api``: clients that keep their connection and ask without pause.

Prints one JSON object: seconds, answers by status, requests that had no answer, seconds on the server and in
all of each answer (milliseconds; at most the first hundred thousand).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

KEPT = 100_000


def raw(host: str, ask: dict) -> bytes:
    """A request as it goes over the wire."""
    body = b"" if ask.get("body") is None else ask["body"].encode()
    head = f"{ask['method']} {ask['path']} HTTP/1.1\r\nHost: {host}\r\n"
    head += "".join(f"{k}: {v}\r\n" for k, v in ask.get("headers", {}).items())
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def client(number: int, host: str, port: int, asks: list[bytes], until: float, told: dict) -> None:
    """Ask one after the other till the time is over; open a new connection where one was closed."""
    reader = writer = None
    turn = number * 7919
    while time.perf_counter() < until and told["left"] > 0:
        told["left"] -= 1
        turn += 1
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(host, port)
            start = time.perf_counter()
            writer.write(asks[turn % len(asks)])
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:])}
            await reader.readexactly(int(fields.get("content-length", 0)))
            took = time.perf_counter() - start
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            told["lost"] += 1
            writer = None
            continue
        status = head[0].split()[1]
        told["statuses"][status] = told["statuses"].get(status, 0) + 1
        if len(told["all_ms"]) < KEPT and status == "200":
            told["all_ms"].append(1000 * took)
            told["server_ms"].append(float(fields.get("server-timing", "app;dur=nan").split("dur=")[1]))
        if fields.get("connection", "").lower() == "close":
            writer.close()
            writer = None


async def main(base: str, asks: list[dict], clients: int, seconds: float, most: int) -> dict:
    """Run the clients together."""
    at = urlsplit(base)
    told = {"statuses": {}, "lost": 0, "all_ms": [], "server_ms": [], "left": most}
    ready = [raw(at.netloc, ask) for ask in asks]
    start = time.perf_counter()
    await asyncio.gather(
        *(client(i, at.hostname, at.port, ready, start + seconds, told) for i in range(clients))
    )
    return {**told, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    base, path, clients, seconds, most = sys.argv[1:]
    asked = json.loads(Path(path).read_text())
    print(json.dumps(asyncio.run(main(base, asked, int(clients), float(seconds), int(most)))))
