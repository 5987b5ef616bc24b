// An orders service as a team with Node would write it, on node:http and node:crypto, and its twins: each has one fault that such
// services have had. ISSUER is the issuer's URL. It prints one line of JSON: the port of each twin, the correct one's under "".
import { createServer } from "node:http";
import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";

const issuer = process.env.ISSUER;
const resource = "https://api.example.com/";

const keys = new Map();
{
  const discovery = await (await fetch(issuer + "/.well-known/openid-configuration")).json();
  const set = await (await fetch(discovery.jwks_uri)).json();
  for (const jwk of set.keys) keys.set(jwk.kid, { jwk, key: createPublicKey({ key: jwk, format: "jwk" }) });
}

class Refusal extends Error {
  constructor(status, error, more = "") {
    super(error);
    this.status = status;
    this.challenge = error ? `Bearer error="${error}"${more}` : "Bearer";
  }
}
const invalid = () => new Refusal(401, "invalid_token");

const base64url = /^[A-Za-z0-9_-]+$/;

function decode(segment) {
  const bytes = Buffer.from(segment, "base64url");
  // The decoder is lenient: it drops what is no base64url, and bits that stand for nothing.
  if (!base64url.test(segment) || bytes.toString("base64url") !== segment) throw invalid();
  return bytes;
}

function parse(segment) {
  try {
    return JSON.parse(decode(segment).toString("utf8"));
  } catch {
    throw invalid();
  }
}

// signature says whether the token is signed by the issuer, or by whom the fault believes.
function signature(fault, header, signed, segment) {
  if (fault === "signature not verified") return true;
  if (fault === "alg none" && header.alg === "none") return true;
  const known = keys.get(header.kid);
  if (fault === "key confusion" && header.alg === "HS256" && known) {
    const mac = createHmac("sha256", known.key.export({ type: "spki", format: "pem" })).update(signed).digest();
    const given = Buffer.from(segment, "base64url");
    return mac.length === given.length && timingSafeEqual(mac, given);
  }
  if (header.alg !== "RS256") throw invalid();
  const key = fault === "embedded jwk" && header.jwk ? createPublicKey({ key: header.jwk, format: "jwk" }) : known?.key;
  return key !== undefined && verify("RSA-SHA256", Buffer.from(signed), key, decode(segment));
}

function authenticate(fault, req, url) {
  const fields = req.headersDistinct.authorization ?? [];
  if (fault === "trusts the proxy's header" && req.headers["x-forwarded-user"]) return { scopes: [resource + "demo.read", resource + "demo.write"] };
  if (fields.length > 1 || url.searchParams.has("access_token")) throw new Refusal(400, "invalid_request");
  if (fields.length === 0) throw new Refusal(401);
  const [scheme, ...rest] = fields[0].split(" ");
  if (scheme.toLowerCase() !== "bearer") throw new Refusal(401);
  if (rest.length !== 1 || !/^[A-Za-z0-9._~+/-]+=*$/.test(rest[0])) throw new Refusal(400, "invalid_request");
  const segments = rest[0].split(".");
  if (segments.length !== 3) throw invalid();
  const header = parse(segments[0]);
  if (typeof header.alg !== "string" || header.crit !== undefined) throw invalid();
  if (!signature(fault, header, segments[0] + "." + segments[1], segments[2])) throw invalid();
  const claims = parse(segments[1]);
  const now = Date.now() / 1000;
  if (claims.iss !== issuer || claims.token_use !== "access" || typeof claims.exp !== "number" || claims.exp <= now) throw invalid();
  return { scopes: typeof claims.scope === "string" ? claims.scope.split(" ") : [], text: claims.scope };
}

function authorize(fault, caller, needed) {
  const has = (scope) => (fault === "scope as a substring" ? caller.text.includes(scope.slice(0, -5)) : caller.scopes.includes(scope));
  const enough = fault === "any scope for all" ? needed.length === 0 || needed.some(has) : needed.every(has);
  if (!enough && fault !== "no scope looked at") {
    throw new Refusal(403, "insufficient_scope", fault === "challenge without scope" ? "" : `, scope="${needed.join(" ")}"`);
  }
}

const read = resource + "demo.read";
const write = resource + "demo.write";
const json = (res, status, value) => {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
  res.end(JSON.stringify(value));
};

async function takeOrder(req, res) {
  let text = "";
  for await (const chunk of req) text += chunk;
  let order = {};
  try {
    order = JSON.parse(text);
  } catch {}
  if (typeof order.article !== "string" || order.article.length < 3 || !Number.isInteger(order.quantity)) return json(res, 422, { title: "no such article" });
  json(res, 201, order);
}

const routes = (fault) => [
  ["GET", /^\/api\/orders$/, [read], (req, res, url) => (url.searchParams.get("limit") ? json(res, 200, []) : json(res, 422, {}))],
  ["POST", /^\/api\/orders$/, [write], takeOrder],
  ["GET", /^\/api\/orders\/[^/]+$/, [read], (req, res, url) => {
    if (!/o-\d{4}$/.test(url.pathname)) return json(res, 404, { title: "no such order" });
    if (fault === "HTML for JSON") {
      res.writeHead(200, { "Content-Type": "text/html" });
      return res.end("<title>Orders</title>");
    }
    json(res, 200, { id: "o-0007" });
  }],
  ["DELETE", /^\/api\/orders\/[^/]+$/, [read, write], (req, res) => res.writeHead(204).end()],
  ["GET", /^\/api\/whoami$/, [], (req, res) => json(res, 200, {})],
  ["GET", /^\/api\/healthz$/, null, (req, res) => res.writeHead(200, { "Content-Type": "text/plain" }).end("ok\n")],
];

function handle(fault) {
  const table = routes(fault);
  return async (req, res) => {
    try {
      const url = new URL("http://service" + (req.url.startsWith("/") ? req.url : "/"));
      let { method } = req;
      let path = req.url.split("?")[0];
      if (fault === "path in any case") path = path.toLowerCase();
      if (fault === "double slash") path = path.replace(/\/+/g, "/");
      if (fault === "method override" && req.headers["x-http-method-override"]) method = req.headers["x-http-method-override"];
      const route = table.find((r) => (r[0] === method || (r[0] === "GET" && method === "HEAD")) && r[1].test(path));
      if (!route) throw new Refusal(404);
      if (fault === "not found before refused" && path.startsWith("/api/orders/") && !req.headers.authorization) throw new Refusal(404);
      // The guard of some services looks at the request as it was sent, and the router at what became of it.
      const guarded = table.find((r) => (r[0] === req.method || (r[0] === "GET" && req.method === "HEAD" && fault !== "HEAD not guarded")) && r[1].test(req.url.split("?")[0]));
      const open = ["path in any case", "double slash", "method override", "HEAD not guarded"].includes(fault) && !guarded;
      if (route[2] && !open && !(fault === "one route forgotten" && method === "DELETE")) {
        authorize(fault, authenticate(fault, req, url), route[2]);
      }
      await route[3](req, res, url);
    } catch (refusal) {
      const status = refusal.status ?? 500;
      const headers = { "Content-Type": "application/problem+json" };
      if (status === 401 || (status === 403 && fault !== "403 without challenge")) headers["WWW-Authenticate"] = refusal.challenge;
      if (status === 400) headers["WWW-Authenticate"] = refusal.challenge;
      res.writeHead(status, headers);
      res.end(JSON.stringify({ status }));
    }
  };
}

const ports = {};
for (const fault of JSON.parse(process.env.FAULTS)) {
  const server = createServer({ maxHeaderSize: 64 << 10 }, handle(fault));
  await new Promise((ready) => server.listen(0, "localhost", ready));
  ports[fault] = server.address().port;
}
console.log(JSON.stringify(ports));
