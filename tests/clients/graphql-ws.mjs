// npm's graphql-ws: everything over one WebSocket, at both paths.
import { createClient } from 'graphql-ws';
import { play } from './scenario.mjs';
import { authorization, limitTime, socketUrl } from './server.mjs';

limitTime();
for (const [name, url] of [['graphql-ws', socketUrl], ['graphql-ws at its own path', `${socketUrl}/ws`]]) {
  const client = createClient({ url, connectionParams: { authorization }, retryAttempts: 0 });

  async function* subscribe(query, variables) {
    for await (const { data, errors } of client.iterate({ query, variables })) {
      if (errors) throw errors;
      yield data;
    }
  }

  await play(name.replaceAll(' ', '-'), {
    execute: async (query, variables) => (await subscribe(query, variables).next()).value,
    subscribe,
    refuse: (errors) => errors,
  });
  await client.dispose();
}
