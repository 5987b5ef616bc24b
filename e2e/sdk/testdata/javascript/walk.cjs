// Walks the calls of a file with AWS's SDK for JavaScript, and prints the name of each operation that went as it should.
const fs = require("node:fs");
const sdk = require("@aws-sdk/client-cognito-identity-provider");

const client = new sdk.CognitoIdentityProviderClient({});
const values = {};
const fill = (v) => Array.isArray(v) ? v.map(fill)
  : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, fill(x)]))
  : typeof v === "string" && v.startsWith("$") ? values[v.slice(1)] : v;

(async () => {
  for (const [operation, request, want] of JSON.parse(fs.readFileSync(process.argv[2], "utf8"))) {
    let answer, got = null;
    try { answer = await client.send(new sdk[operation + "Command"](fill(request))); } catch (e) { got = e.name; }
    if (typeof want === "string" ? got !== want : got) throw new Error(`${operation}: ${got}, want ${JSON.stringify(want)}`);
    if (typeof want === "object")
      for (const [name, at] of Object.entries(want)) {
        values[name] = at.split(".").reduce((v, part) => v[part], answer);
        if (values[name] === undefined) throw new Error(`${operation}: the answer has no ${at}`);
      }
    console.log(operation);
  }
})().catch((e) => { console.error(e.message); process.exit(1); });
