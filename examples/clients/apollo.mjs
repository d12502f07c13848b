// Follows a live stream of rollcall for ever, through restarts, dead networks and expired tokens: each change once, in order.
// Needs npm's @apollo/client 4, rxjs 7 and graphql-ws 6. README.md beside this file tells how to use it.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { NEVER, concatMap, fromEvent, lastValueFrom, takeUntil } from 'rxjs';

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
  const setToken = new SetContextLink(async ({ headers }) => ({ headers: { ...headers, ...(await authorize()) } }));
  const isSubscription = ({ operationType }) => operationType === 'subscription';
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(isSubscription, new GraphQLWsLink(socket), setToken.concat(new HttpLink({ uri: url }))),
  });
}

/** Reads a snapshot and follows what changes after it, until `signal` is aborted. */
export async function follow({ client, readSnapshot, stream, onChange, onBreak = console.warn, signal }) {
  const stopped = signal ? fromEvent(signal, 'abort') : NEVER;
  let after = null;
  for (let tries = 0; !signal?.aborted; tries++) {
    try {
      after ??= await readSnapshot();
      const changes = client.subscribe({ query: stream, variables: { after }, errorPolicy: 'all' });
      // In turns, and never at once: graphql-ws miscounts its users where one leaves while it is told of an error.
      const apply = async ({ data, error }) => {
        const [change] = Object.values(data ?? {});
        if (!change) throw error;
        [after, tries] = [change.cursor, 0];
        await onChange(change);
      };
      await lastValueFrom(changes.pipe(takeUntil(stopped), concatMap(apply)), { defaultValue: null });
    } catch (error) {
      if (error?.errors?.some((it) => it.extensions?.code === 'CURSOR_EXPIRED')) after = null;
      onBreak(error);
    }
    if (signal?.aborted) break;
    const longest = Math.min(30_000, 1_000 * 2 ** tries); // at random within it: a thousand clients must not come at once
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
  }
}
