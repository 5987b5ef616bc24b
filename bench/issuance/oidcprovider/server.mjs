// node-oidc-provider with one client and one RSA-2048 key, giving out access tokens as JWT. It prints its address.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [clientId, clientSecret] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const resource = 'https://api.example.com';
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const address = `127.0.0.1:${server.address().port}`;
  const provider = new Provider(`http://${address}`, {
    clients: [{
      client_id: clientId, client_secret: clientSecret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      scope: 'demo.read', token_endpoint_auth_method: 'client_secret_basic',
    }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'demo.read', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: 'RS256' } } }),
      },
    },
    scopes: ['demo.read'],
  });
  server.on('request', provider.callback());
  console.log(address);
});
