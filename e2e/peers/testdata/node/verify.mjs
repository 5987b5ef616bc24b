// Asks aws-jwt-verify about tokens. stdin is {"userPoolId", "clientId", "scope", "jwks", "now", "tokens": []}, with the time in milliseconds and
// the tokens in base64; stdout is the list of why each is refused, with "" for the accepted ones. The key set is handed over: nothing is fetched.
import { readFileSync } from "node:fs";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

const input = JSON.parse(readFileSync(0, "utf8"));
const jwksCache = new SimpleJwksCache({
  fetcher: { fetch: async () => { throw new Error("there is no network"); } },
});
Date.now = () => input.now;
const verifier = CognitoJwtVerifier.create(
  { userPoolId: input.userPoolId, tokenUse: "access", clientId: input.clientId, scope: input.scope, graceSeconds: 60 },
  { jwksCache },
);
verifier.cacheJwks(input.jwks);
const verdicts = [];
for (const token of input.tokens) {
  try {
    await verifier.verify(Buffer.from(token, "base64").toString("utf8"));
    verdicts.push("");
  } catch (error) {
    verdicts.push(error.name);
  }
}
process.stdout.write(JSON.stringify(verdicts));
