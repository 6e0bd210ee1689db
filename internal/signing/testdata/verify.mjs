// Verifies a detached signature with jose, and prints a line if it accepts it.
// usage: verify.mjs JWKS DOCUMENT SIGNATURE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.NODE_PATH}/`);
const { createLocalJWKSet, flattenedVerify } = await import(pathToFileURL(require.resolve("jose")));
const [jwks, document, signature] = process.argv.slice(2).map((path) => readFileSync(path));
const [header, , mac] = signature.toString().trim().split(".");
try {
  await flattenedVerify(
    { protected: header, payload: document.toString("base64url"), signature: mac },
    createLocalJWKSet(JSON.parse(jwks.toString())),
    { algorithms: ["EdDSA"] },
  );
  console.log("accepted by jose");
} catch (e) {
  console.log("refused by jose", e.code, e.message);
}
