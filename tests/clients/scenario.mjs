// What every client does with the server: a query, a live stream, a mutation that the stream tells of, and a refusal.
import assert from 'node:assert/strict';
import { parse } from 'graphql';

const VIEWER = 'query Viewer { viewer { subject roles } liveCursor }';

const ADD = `mutation Add($name: String!, $email: String!) {
  addEngineer(input: { name: $name, email: $email, userType: IAM_USER }) {
    engineer { id name channel(kind: EMAIL) { id status } }
    userErrors { code message }
  }
}`;

const CHANGES = `subscription Changes($after: String) {
  confirmationStatusChanged(after: $after) { cursor engineerId channel from to engineer { id name } }
}`;

const UNKNOWN = 'query Unknown { nobody }';

/**
 * `execute(query, variables)` gives the data of a query or mutation. `subscribe(query, variables)` gives an async iterable of
 * data. `refuse(error)` gives the GraphQL errors in what the client threw. Queries are texts, or documents for Apollo.
 */
export async function play(name, { execute, subscribe, refuse, prepare = (text) => text }) {
  const { viewer, liveCursor } = await execute(prepare(VIEWER), {});
  assert.deepEqual(viewer.roles, ['ADMIN']);

  const changes = subscribe(prepare(CHANGES), { after: liveCursor })[Symbol.asyncIterator]();
  for (const number of [1, 2]) {
    const person = `${name} ${number}`;
    const email = `${number}@${name}.example`;
    // Asked for first, so that the stream is open, or about to be, when the change comes.
    const next = changes.next();
    const { addEngineer: added } = await execute(prepare(ADD), { name: person, email });
    assert.deepEqual(added.userErrors, []);
    assert.equal(added.engineer.channel.status, 'REQUESTED');

    const { confirmationStatusChanged: change } = (await next).value;
    const { engineerId, engineer, channel, from, to } = change;
    const wanted = { engineerId: added.engineer.id, engineer: person, channel: 'EMAIL', from: 'NOT_CONFIGURED', to: 'REQUESTED' };
    assert.deepEqual({ engineerId, engineer: engineer.name, channel, from, to }, wanted, `${name} ${number}`);
  }
  await changes.return();

  const [error] = await execute(prepare(UNKNOWN), {}).then(() => assert.fail('it was taken'), refuse);
  assert.equal(error.extensions?.code, 'GRAPHQL_VALIDATION_FAILED', JSON.stringify(error));
  console.log(`${name}: query, mutation, live stream and refusal`);
}

/** The document of a text. */
export const document = (text) => parse(text);
