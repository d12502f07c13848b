// urql: queries over POST and over GET, mutations over POST, live streams over a WebSocket and over SSE; and everything over a
// WebSocket.
import assert from 'node:assert/strict';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { toAsyncIterable } from 'wonka';
import { play } from './scenario.mjs';
import { BrowserWebSocket, authorization, limitTime, socketUrl, url } from './server.mjs';

limitTime();
const webSocketImpl = BrowserWebSocket;
const socket = createClient({ url: socketUrl, connectionParams: { authorization }, retryAttempts: 0, webSocketImpl });
const forwardSubscription = ({ query, variables }) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
});
const overSocket = subscriptionExchange({ forwardSubscription });
const allOverSocket = subscriptionExchange({ forwardSubscription, enableAllOperations: true });

function use(name, options) {
  const methods = new Set();
  const client = new Client({
    url,
    fetch: (input, init) => {
      methods.add(init.method);
      return fetch(input, init);
    },
    fetchOptions: { headers: { authorization } },
    ...options,
  });

  const read = ({ data, error }) => {
    if (error) throw error;
    return data;
  };
  async function* subscribe(query, variables) {
    for await (const result of toAsyncIterable(client.subscription(query, variables))) yield read(result);
  }
  const execute = async (query, variables) =>
    read(await (query.startsWith('mutation') ? client.mutation(query, variables) : client.query(query, variables)));
  return play(name, { execute, subscribe, refuse: (error) => error.graphQLErrors }).then(() => methods);
}

const posting = await use('urql', { preferGetMethod: false, exchanges: [fetchExchange, overSocket] });
assert.deepEqual([...posting], ['POST']);
const getting = await use('urql-get', { preferGetMethod: 'force', exchanges: [fetchExchange, overSocket] });
assert.deepEqual([...getting].sort(), ['GET', 'POST']);
await use('urql-sse', { preferGetMethod: false, fetchSubscriptions: true, exchanges: [fetchExchange] });
const socketing = await use('urql-ws', { exchanges: [allOverSocket] });
assert.deepEqual([...socketing], []);
await socket.dispose();
