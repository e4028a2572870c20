"""The other process of ``make bench-api``: clients that keep their connection and ask without pause.

Prints one JSON object: seconds, answers by status, requests that had no answer, seconds on the server and in
all of each answer (milliseconds; at most the first hundred thousand).
"""

from __future__ import annotations

import json
import select
import socket
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


class Client:
    """One connection: asks, waits for the answer, asks again."""

    def __init__(self, number: int, at: tuple[str, int], asks: list[bytes], told: dict) -> None:
        self.turn, self.at, self.asks, self.told = number * 7919, at, asks, told
        self.line: socket.socket | None = None

    def ask(self, waiting: select.epoll, clients: dict[int, Client]) -> None:
        """Send the next request, over a new connection where there is none."""
        self.told["left"] -= 1
        self.turn += 1
        if self.line is None:
            self.line = socket.create_connection(self.at)
            self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            clients[self.line.fileno()] = self
            waiting.register(self.line.fileno(), select.EPOLLIN)
        self.start, self.seen, self.needed = time.perf_counter(), b"", -1
        self.line.sendall(self.asks[self.turn % len(self.asks)])

    def answered(self) -> bool:
        """Read what has come; whether the answer is complete. Raises OSError where the connection is lost."""
        part = self.line.recv(1 << 18)
        if not part:
            raise ConnectionError
        self.seen += part
        if self.needed < 0:
            end = self.seen.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.head = self.seen[:end].lower()
            length = self.field(b"content-length")
            self.needed = end + 4 + int(length or 0)
        return len(self.seen) >= self.needed

    def field(self, name: bytes) -> bytes:
        """A header of the answer, or nothing."""
        at = self.head.find(b"\r\n" + name + b": ")
        return self.head[at + len(name) + 4 :].split(b"\r", 1)[0] if at >= 0 else b""

    def count(self) -> None:
        """Take note of a complete answer."""
        told, status = self.told, self.head[9:12].decode()
        told["statuses"][status] = told["statuses"].get(status, 0) + 1
        if status == "200" and len(told["all_ms"]) < KEPT:
            told["all_ms"].append(1000 * (time.perf_counter() - self.start))
            told["server_ms"].append(float(self.field(b"server-timing")[8:] or "nan"))

    def close(self, clients: dict[int, Client]) -> None:
        """Give the connection up; epoll forgets it by itself."""
        del clients[self.line.fileno()]
        self.line.close()
        self.line = None


def main(base: str, asks: list[dict], clients: int, seconds: float, most: int) -> dict:
    """Run the clients together, in one thread: what they cost is taken from the server's cores."""
    at = urlsplit(base)
    told = {"statuses": {}, "lost": 0, "all_ms": [], "server_ms": [], "left": most}
    ready = [raw(at.netloc, ask) for ask in asks]
    start = time.perf_counter()
    waiting, busy = select.epoll(), {}
    for number in range(min(clients, most)):
        Client(number, (at.hostname, at.port), ready, told).ask(waiting, busy)
    while busy:
        for file, _event in waiting.poll():
            one = busy[file]
            try:
                if not one.answered():
                    continue
                one.count()
                if one.field(b"connection") == b"close":
                    one.close(busy)
            except OSError:
                told["lost"] += 1
                one.close(busy)
            if told["left"] <= 0 or time.perf_counter() - start >= seconds:
                if one.line is not None:
                    one.close(busy)
                continue
            try:
                one.ask(waiting, busy)
            except OSError:  # nobody listens any more
                told["lost"] += 1
    return {**told, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    base, path, clients, seconds, most = sys.argv[1:]
    asked = json.loads(Path(path).read_text())
    print(json.dumps(main(base, asked, int(clients), float(seconds), int(most))))
