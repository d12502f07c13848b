// npm's graphql-sse with distinct connections: each operation is a request that is answered by events.
import { createClient } from 'graphql-sse';
import { play } from './scenario.mjs';
import { authorization, limitTime, url } from './server.mjs';

limitTime();
const client = createClient({ url, headers: { authorization }, retryAttempts: 0 });

async function* subscribe(query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw errors;
    yield data;
  }
}

await play('graphql-sse', {
  execute: async (query, variables) => (await subscribe(query, variables).next()).value,
  subscribe,
  refuse: (errors) => errors,
});
client.dispose();
