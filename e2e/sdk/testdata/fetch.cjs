// Fetches a URL through the proxy of HTTPS_PROXY with Node's own modules and prints the body. The certificate is
// checked against NODE_EXTRA_CA_CERTS, which Node reads by itself.
const http = require("node:http"), https = require("node:https");
const target = new URL(process.argv[2]), proxy = new URL(process.env.HTTPS_PROXY);

http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: `${target.hostname}:443` })
  .on("connect", (res, socket) => {
    if (res.statusCode !== 200) throw new Error(`the proxy answered ${res.statusCode}`);
    https.get({ socket, agent: false, host: target.hostname, servername: target.hostname, path: target.pathname }, (answer) => {
      answer.pipe(process.stdout);
      answer.on("end", () => socket.end());
    }).on("error", (e) => { console.error(e.message); process.exit(1); });
  })
  .on("error", (e) => { console.error(e.message); process.exit(1); })
  .end();
