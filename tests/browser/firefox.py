"""Debian's Firefox over Marionette, its own remote protocol: no driver, no download."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False,
    "network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9, "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False, "browser.startup.homepage": "about:blank",
}  # fmt: skip


class Firefox:
    """One headless window whose network leads nowhere."""

    def __init__(self, program: str, folder: Path, *, size: tuple[int, int] = (1440, 900)) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        wanted = {**PREFERENCES, "marionette.port": port}
        (folder / "user.js").write_text(
            "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in wanted.items())
        )
        self._process = subprocess.Popen(
            [program, "--marionette", "--headless", f"--width={size[0]}", f"--height={size[1]}", "--no-remote", "--profile", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._socket = self._connected(port)
        self._number = 0
        self._read()
        self.do("WebDriver:NewSession", {})

    def _connected(self, port: int) -> socket.socket:
        until = time.monotonic() + 60
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=60)
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    self._process.kill()
                    raise
                time.sleep(0.2)

    def _read(self) -> Any:
        head = b""
        while not head.endswith(b":"):
            head += self._socket.recv(1)
        left, parts = int(head[:-1]), []
        while left:
            parts.append(self._socket.recv(left))
            left -= len(parts[-1])
        return json.loads(b"".join(parts))

    def do(self, command: str, arguments: dict[str, Any]) -> Any:
        """What the browser answers to a command; raises RuntimeError with its own words."""
        self._number += 1
        raw = json.dumps([0, self._number, command, arguments]).encode()
        self._socket.sendall(f"{len(raw)}:".encode() + raw)
        _, _, error, answer = self._read()
        if error:
            raise RuntimeError(f"{error['error']}: {error['message']}")
        return answer

    def open(self, url: str) -> None:
        """Open a page and wait until it says that it is ready."""
        self.do("WebDriver:Navigate", {"url": "about:blank"})
        self.do("WebDriver:Navigate", {"url": url})
        until = time.monotonic() + 30
        while self.run("return document.documentElement.dataset.ready") != "1":
            if time.monotonic() > until:
                raise TimeoutError(f"{url} never got ready")
            time.sleep(0.1)

    def run(self, script: str) -> Any:
        """What a script returns; it sees the document, not the page's own names."""
        return self.do("WebDriver:ExecuteScript", {"script": script, "args": []})["value"]

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.do("WebDriver:TakeScreenshot", {"full": False})["value"])

    def close(self) -> None:
        """End the browser."""
        self.do("Marionette:Quit", {"flags": ["eForceQuit"]})
        self._socket.close()
        self._process.wait(timeout=30)
