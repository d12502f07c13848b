// Follows a live stream of rollcall for ever, through restarts, dead networks and expired tokens: each change once, in order.
// Needs npm's @urql/core 6, wonka 6 and graphql-ws 6. README.md beside this file tells how to use it.
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { fromDomEvent, never, pipe, takeUntil, toAsyncIterable } from 'wonka';

/** A client that asks for a token at every request and every connect, and that gives up a connection which has fallen silent. */
export function connect({ url, getToken }) {
  const authorize = async () => ({ authorization: `Bearer ${await getToken()}` });
  let silence;
  const socket = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: authorize,
    retryAttempts: 0, // `follow` tries again, from where it got to
    keepAlive: 10_000,
    on: {
      ping: (received) => received || (silence = setTimeout(() => socket.terminate(), 5_000)),
      pong: () => clearTimeout(silence),
      closed: () => clearTimeout(silence),
    },
  });
  const forwardSubscription = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
  });
  return new Client({
    url,
    preferGetMethod: false, // what people search for stays out of URLs
    fetch: async (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...(await authorize()) } }),
    exchanges: [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription })],
  });
}

/** Reads a snapshot and follows what changes after it, until `signal` is aborted. */
export async function follow({ client, readSnapshot, stream, onChange, onBreak = console.warn, signal }) {
  const stopped = signal ? fromDomEvent(signal, 'abort') : never;
  let after = null;
  for (let tries = 0; !signal?.aborted; tries++) {
    try {
      after ??= await readSnapshot();
      const changes = pipe(client.subscription(stream, { after }), takeUntil(stopped), toAsyncIterable);
      for await (const { data, error } of changes) {
        const [change] = Object.values(data ?? {});
        if (!change || change.cursor === after) throw error; // urql shows the last data again beside an error
        [after, tries] = [change.cursor, 0];
        await onChange(change);
      }
    } catch (error) {
      if (error?.graphQLErrors?.some((it) => it.extensions?.code === 'CURSOR_EXPIRED')) after = null;
      onBreak(error);
    }
    if (signal?.aborted) break;
    const longest = Math.min(30_000, 1_000 * 2 ** tries); // at random within it: a thousand clients must not come at once
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
  }
}
