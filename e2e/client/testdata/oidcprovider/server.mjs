// An issuer that others wrote, for the clients that standard input has as JSON. It prints its issuer and serves until it is killed.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

const clients = JSON.parse(await text(process.stdin));
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: clients.map((client) => ({
      grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'demo.read demo.write', ...client,
    })),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: algorithms },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    scopes: ['demo.read', 'demo.write'],
    ttl: { ClientCredentials: 600 },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
