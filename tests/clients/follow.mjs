// Follows the status changes with one of examples/clients, and prints what it sees as lines of JSON until it is ended:
// {"token"} at each time it asks for one, {"snapshot"} with its cursor, {"change"}, {"break"} with the reason, and {"ended"}.
import * as apollo from '../../examples/clients/apollo.mjs';
import * as graphqlWs from '../../examples/clients/graphql-ws.mjs';
import * as urql from '../../examples/clients/urql.mjs';
import { document } from './scenario.mjs';
import { getToken, url } from './server.mjs';

const SNAPSHOT = 'query Snapshot { liveCursor engineers(first: 100) { nodes { id channels { id status } } } }';
const CHANGES = `subscription Changes($after: String) {
  confirmationStatusChanged(after: $after) { id cursor engineerId channel to engineer { id channels { id status } } }
}`;

const tell = (what) => console.log(JSON.stringify(what));
const ask = () => {
  tell({ token: true });
  return getToken();
};

/** Each client's helper, its document of a text, and how it reads a query. */
const helpers = {
  'graphql-ws': [graphqlWs, (text) => text, (client, query) => graphqlWs.execute(client, query)],
  urql: [
    urql,
    (text) => text,
    async (client, query) => {
      const { data, error } = await client.query(query, {}, { requestPolicy: 'network-only' });
      if (error) throw error;
      return data;
    },
  ],
  apollo: [
    apollo,
    document,
    async (client, query) => (await client.query({ query, fetchPolicy: 'network-only' })).data,
  ],
};

const [{ connect, follow }, prepare, read] = helpers[process.argv[2]];
const client = connect({ url, getToken: ask });
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());
await follow({
  client,
  readSnapshot: async () => {
    const { liveCursor } = await read(client, prepare(SNAPSHOT));
    tell({ snapshot: liveCursor });
    return liveCursor;
  },
  stream: prepare(CHANGES),
  onChange: (change) => tell({ change }),
  signal: ending.signal,
  onBreak: (error) => tell({ break: error?.message ?? JSON.stringify(error?.code ?? error) }),
});
tell({ ended: true }); // and with nothing left open, so does the process
