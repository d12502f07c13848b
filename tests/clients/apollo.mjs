// Apollo Client 4: HttpLink by POST and by GET with GraphQLWsLink for live streams, and everything over GraphQLWsLink.
import assert from 'node:assert/strict';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { document, play } from './scenario.mjs';
import { authorization, limitTime, socketUrl, url } from './server.mjs';

limitTime();
const socket = createClient({ url: socketUrl, connectionParams: { authorization }, retryAttempts: 0 });
const overSocket = new GraphQLWsLink(socket);

async function use(name, link) {
  const client = new ApolloClient({ cache: new InMemoryCache(), link });

  async function* subscribe(query, variables) {
    const [pending, waiting] = [[], []];
    const subscription = client.subscribe({ query, variables }).subscribe((result) => {
      (waiting.shift() ?? ((it) => pending.push(it)))(result);
    });
    try {
      for (;;) {
        const { data, error } = pending.shift() ?? (await new Promise((resolve) => waiting.push(resolve)));
        if (error) throw error;
        yield data;
      }
    } finally {
      subscription.unsubscribe();
    }
  }

  const execute = async (document, variables) => {
    const isMutation = document.definitions[0].operation === 'mutation';
    const result = isMutation
      ? await client.mutate({ mutation: document, variables })
      : await client.query({ query: document, variables, fetchPolicy: 'network-only' });
    return result.data;
  };
  await play(name, { execute, subscribe, refuse: (error) => error.errors, prepare: document });
}

/** Requests by HTTP, of which `methods` keeps the methods; live streams over the WebSocket. */
function overHttp(methods, options) {
  const http = new HttpLink({
    uri: url,
    headers: { authorization },
    fetch: (input, init) => {
      methods.add(init.method);
      return fetch(input, init);
    },
    ...options,
  });
  return ApolloLink.split(({ operationType }) => operationType === 'subscription', overSocket, http);
}

const posting = new Set();
await use('apollo', overHttp(posting, {}));
assert.deepEqual([...posting], ['POST']);
const getting = new Set();
await use('apollo-get', overHttp(getting, { useGETForQueries: true }));
assert.deepEqual([...getting].sort(), ['GET', 'POST']);
await use('apollo-ws', overSocket);
await socket.dispose();
