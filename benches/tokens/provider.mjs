// oidc-provider as its users run it: client_credentials by a secret, access tokens as JWTs signed with ES256, its own store in
// memory. Prints its address when it listens.
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, id, secret] = process.argv.slice(2);
const entry = createRequire(pathToFileURL(`${modules}/`)).resolve(`${modules}/oidc-provider`);
const { Provider } = await import(pathToFileURL(entry));
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const audience = "urn:example:data";
const client = {
  client_id: id,
  client_secret: secret,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: "client_secret_basic",
  id_token_signed_response_alg: "ES256",
  scope: "people",
};
const server = {
  scope: "people",
  audience,
  accessTokenTTL: 300,
  accessTokenFormat: "jwt",
  jwt: { sign: { alg: "ES256" } },
};
const configuration = {
  clients: [client],
  scopes: ["people"],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => server,
    },
  },
};
const provider = new Provider("http://127.0.0.1", configuration);
const listening = provider.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${listening.address().port}`));
