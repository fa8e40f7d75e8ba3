"""One of the example's backends: answers every HTTP request with 200 and the POP's name, until it is stopped.

Usage: backend.py POP PORT
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def main() -> None:
    """Serve on 127.0.0.1."""
    pop, port = sys.argv[1], int(sys.argv[2])
    body = f"{pop} is well\n".encode()

    class Handler(BaseHTTPRequestHandler):
        """Says the same to everyone."""

        def do_GET(self) -> None:
            """Answer a probe or a reader."""
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Probes come every two seconds: nothing to say."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
