// Follows a live stream of rollcall for ever, through restarts, dead networks and expired tokens: each change once, in order.
// Needs npm's graphql-ws 6. README.md beside this file tells how to use it.
import { createClient } from 'graphql-ws';

/** A client that asks for a token at every connect, and that gives up a connection which has fallen silent. */
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
  return socket;
}

/** The data of one query or mutation. */
export async function execute(client, query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw errors;
    return data;
  }
  throw new Error('the connection ended before the answer');
}

/** Reads a snapshot and follows what changes after it, until `signal` is aborted. */
export async function follow({ client, readSnapshot, stream, onChange, onBreak = console.warn, signal }) {
  let after = null;
  let changes;
  signal?.addEventListener('abort', () => changes?.return());
  for (let tries = 0; !signal?.aborted; tries++) {
    try {
      after ??= await readSnapshot();
      changes = client.iterate({ query: stream, variables: { after } });
      for await (const { data, errors } of changes) {
        const [change] = Object.values(data ?? {});
        if (!change) throw errors;
        [after, tries] = [change.cursor, 0];
        await onChange(change);
      }
    } catch (error) {
      changes?.return(); // graphql-ws counts who uses a connection, and else goes on counting whom a break put out
      if ([error].flat().some((it) => it?.extensions?.code === 'CURSOR_EXPIRED')) after = null;
      onBreak(error);
    }
    if (signal?.aborted) break;
    const longest = Math.min(30_000, 1_000 * 2 ** tries); // at random within it: a thousand clients must not come at once
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
  }
}
