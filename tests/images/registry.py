"""registry.py LAYOUT: serves an OCI layout as the tags "1" and "latest" of any name, over HTTP on a free port of this
machine, which is the first line that it prints."""
import http.server
import json
import os
import sys

LAYOUT = sys.argv[1]


def blob(digest):
    with open(os.path.join(LAYOUT, "blobs", *digest.split(":")), "rb") as data:
        return data.read()


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        parts = self.path.split("/")
        try:
            if self.path == "/v2/":
                return self.answer(b"{}", "application/json")
            if parts[-2] == "manifests":
                with open(os.path.join(LAYOUT, "index.json"), encoding="utf-8") as index:
                    described = json.load(index)["manifests"][0]
                if parts[-1] in ("1", "latest", described["digest"]):
                    return self.answer(blob(described["digest"]), described["mediaType"], described["digest"])
            elif parts[-2] == "blobs":
                return self.answer(blob(parts[-1]), "application/octet-stream", parts[-1])
        except OSError:
            pass
        return self.send_error(404)

    do_HEAD = do_GET

    def answer(self, data, kind, digest=None):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
print(server.server_port, flush=True)
server.serve_forever()
