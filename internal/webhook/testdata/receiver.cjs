// Prints its port, reads the secret from standard input, and answers 204 to requests that it can verify, else 401.
const http = require("node:http");
const readline = require("node:readline");
const { Webhook } = require("standardwebhooks");

let secret;
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    try {
      new Webhook(secret).verify(Buffer.concat(parts).toString(), request.headers);
      response.writeHead(204).end();
    } catch (e) {
      response.writeHead(401).end(String(e));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  secret = line.trim();
});
