// A vendor's machine that binds its tokens to a key by oauth4webapi (DPoP, RFC 9449), with a secret and with a key of its own.
import { pathToFileURL } from "node:url";

const [modules, base, records, given] = process.argv.slice(2);
const oauth = await import(pathToFileURL(`${modules}/oauth4webapi/build/index.js`));
const { id, secret, signers } = JSON.parse(given);
const insecure = { [oauth.allowInsecureRequests]: true };

const issuer = new URL(base);
const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
const server = await oauth.processDiscoveryResponse(issuer, discovered);

function must(what, holds, seen) {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(seen)}`);
}

// What is signed says by which algorithm: Ed25519 by the name of RFC 9864.
const says = (alg) => ({ [oauth.modifyAssertion]: (header) => must("alg", header.alg === alg, header) });

async function wholeWay(name, client, proof, alg) {
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(alg), says(alg));
  const asked = await oauth.clientCredentialsGrantRequest(server, client, proof, {}, { DPoP, ...insecure });
  const token = await oauth.processClientCredentialsResponse(server, client, asked);
  must("bound", token.token_type === "dpop", token);
  const url = new URL(base + records);
  for (let pull = 0; pull < 3; pull += 1) {
    const rows = await oauth.protectedResourceRequest(token.access_token, "GET", url, undefined, undefined, { DPoP, ...insecure });
    must("rows", rows.status === 200 && (await rows.json()).rows.length === 3, rows.status);
  }
  const stolen = await fetch(url, { headers: { authorization: `Bearer ${token.access_token}` } });
  must("stolen", stolen.status === 401, stolen.status);
  const thief = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
  const other = await oauth.protectedResourceRequest(token.access_token, "GET", url, undefined, undefined, { DPoP: thief, ...insecure })
    .then((answer) => answer.status, (error) => error.status);
  must("another key", other === 401, other);
  const told = await oauth.introspectionRequest(server, client, proof, token.access_token, insecure);
  const said = await oauth.processIntrospectionResponse(server, client, told);
  must("introspection", said.active && said.cnf.jkt.length === 43, said);
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, proof, token.access_token, insecure));
  console.log(`${name}, ${alg}: bound token, rows with fresh proofs, 401 without the key, introspection, revocation`);
}

await wholeWay("client_secret_basic", { client_id: id }, oauth.ClientSecretBasic(secret), "ES256");
for (const [alg, algorithm] of [["ES256", { name: "ECDSA", namedCurve: "P-256" }], ["Ed25519", { name: "Ed25519" }]]) {
  const { id, key } = signers[alg];
  const der = Buffer.from(key.split("\n").filter((line) => !line.startsWith("-")).join(""), "base64");
  const imported = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  await wholeWay("private_key_jwt", { client_id: id }, oauth.PrivateKeyJwt(imported, says(alg)), alg);
}
