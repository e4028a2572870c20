"""Answers that stay the same until a study is loaded anew: packed once, told apart by their ETag."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import brotli
from fastapi import Request, Response

QUALITY = 6  # of Brotli: more takes seconds and gains a hundredth, most of a page being packed already
KEEP = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class Page:
    """A body, plain and packed, with its media type and ETag."""

    plain: bytes
    packed: Mapping[str, bytes]
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: str | bytes, media_type: str) -> Page:
        """Pack a body.

        >>> page = Page.of("<p>" * 99, "text/html")
        >>> sorted(page.packed), len(page.packed["br"]) < len(page.plain)
        (['br', 'gzip'], True)
        """
        plain = body.encode() if isinstance(body, str) else body
        packed = {"br": brotli.compress(plain, quality=QUALITY), "gzip": gzip.compress(plain, mtime=0)}
        return cls(plain, packed, media_type, f'"{hashlib.sha256(plain).hexdigest()[:32]}"')

    def answer(self, request: Request, headers: Mapping[str, str] | None = None) -> Response:
        """The body as the client can unpack it, or 304 where it has it."""
        told = {
            "ETag": self.etag,
            "Cache-Control": KEEP,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        }
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=told)
        accepted = {
            part.partition(";")[0].strip()
            for part in request.headers.get("accept-encoding", "").split(",")
            if "q=0" not in part.replace(" ", "").partition(";")[2].split(".")[0] or "q=0." in part
        }
        for encoding, body in self.packed.items():
            if encoding in accepted:
                return Response(
                    body, media_type=self.media_type, headers={**told, "Content-Encoding": encoding}
                )
        return Response(self.plain, media_type=self.media_type, headers=told)
