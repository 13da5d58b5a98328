"""Clients and an application of a load balancer, run inside containers: load_balancer_programs.py application|slow …

application          HTTP on 8000 with eight threads, as gunicorn has them: a connection keeps one to its end
slow KIND HOST COUNT SECONDS
                     so many connections to load-balancer:8080 that are slow in one way; prints how many are still open
"""

# Run by the Python of an image.
# mypy: ignore-errors

import http.server
import json
import select
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

THREADS = 8
LARGE = 6 * 2**20


class Application(http.server.BaseHTTPRequestHandler):
    """Reads all of a request, as an application does, before it answers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/events"):
            self.events()
        elif self.headers.get("Upgrade"):
            self.echo()
        else:
            self.answer(b"x" * LARGE if self.path.startswith("/large") else b"page")

    def do_POST(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            size = self.chunks()
        else:
            size, left = 0, int(self.headers.get("Content-Length") or 0)
            while left and (piece := self.rfile.read(min(left, 65536))):
                size, left = size + len(piece), left - len(piece)
        self.answer(json.dumps({"taken": size, "client": self.headers.get("X-Forwarded-For")}).encode())

    def chunks(self):
        """The length of a body whose length was not told."""
        total = 0
        while size := int(self.rfile.readline(), 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return total

    def answer(self, body):
        """200, and nothing more on this connection."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def events(self):
        """Three, a second apart."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(3):
            self.wfile.write(f"data: {number}\n\n".encode())
            self.wfile.flush()
            time.sleep(1)
        self.close_connection = True

    def echo(self):
        """What comes goes back, as a WebSocket's other end does."""
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        while data := self.connection.recv(4096):
            self.connection.sendall(data)
        self.close_connection = True

    def log_message(self, *args):
        pass


def application():
    """Eight at a time; whoever else comes waits."""
    with (
        socket.create_server(("0.0.0.0", 8000), backlog=512) as listener,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        while True:
            talk, client = listener.accept()
            threads.submit(serve, talk, client)


def serve(talk, client):
    """One connection, to its end."""
    try:
        Application(talk, client, None)
    except OSError:
        pass
    finally:
        talk.close()


def begun(kind, host):
    """What a slow client sends at once."""
    head = f"Host: {host}\r\nUser-Agent: slow\r\n"
    return {
        "idle": b"",
        "headers": f"POST /page HTTP/1.1\r\n{head}".encode(),
        "body": f"POST /page HTTP/1.1\r\n{head}Content-Length: 100000\r\n\r\n".encode(),
        "chunked": f"POST /page HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n186a0\r\nxx".encode(),
        "large": f"POST /page HTTP/1.1\r\n{head}Content-Length: 4000000\r\n\r\n".encode(),
        "reader": f"GET /large HTTP/1.1\r\n{head}\r\n".encode(),
    }[kind]


def slow(kind, host, count, seconds):
    """Holds the connections, a byte every two seconds in each where the kind has bytes, and ends."""
    open_ = []
    for _ in range(int(count)):
        talk = socket.socket()
        # A small window: what a client does not take is the server's to keep.
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        talk.settimeout(10)
        try:
            talk.connect(("load-balancer", 8080))
            talk.sendall(begun(kind, host))
            open_.append(talk)
        except OSError:
            talk.close()
    print(json.dumps({"begun": len(open_)}), flush=True)
    end = time.monotonic() + float(seconds)
    piece = {"headers": b"X: y\r\n", "body": b"x", "chunked": b"x", "large": b"x"}.get(kind, b"")
    while time.monotonic() < end:
        time.sleep(2)
        open_ = [talk for talk in open_ if goes_on(talk, piece, kind)]
    print(json.dumps({"open": len(open_)}), flush=True)


def goes_on(talk, piece, kind):
    """Whether the other end still has the connection, after another byte."""
    try:
        if piece:
            talk.sendall(piece)
        readable, _, _ = select.select([talk], [], [], 0)
        # A slow reader takes a byte; to everybody else an answer is the end.
        return not readable or (kind == "reader" and bool(talk.recv(1)))
    except OSError:
        return False


def main(verb, *words):
    """Runs one of them."""
    {"application": application, "slow": slow}[verb](*words)


if __name__ == "__main__":
    main(*sys.argv[1:])
