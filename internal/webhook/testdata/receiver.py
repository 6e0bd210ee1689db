"""Prints its port, reads the secret from standard input, and answers 204 to requests that it can verify, else 401."""

import http.server
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret = None


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            Webhook(secret).verify(body.decode(), {k.lower(): v for k, v in self.headers.items()})
        except WebhookVerificationError as e:
            self.send_response(401)
            self.end_headers()
            self.wfile.write(str(e).encode())
            return
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
secret = sys.stdin.readline().strip()
server.serve_forever()
