// The audits of npm's graphql-http: whether the server speaks GraphQL over HTTP. All of them: MUST, SHOULD and MAY.
import { serverAudits } from 'graphql-http';
import { authorization, limitTime, url } from './server.mjs';

/** How many the suite has; another number is another suite. */
const AUDITS = 61;

limitTime();
const fetchFn = (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization } });
const audits = serverAudits({ url, fetchFn });
const failed = [];
for (const audit of audits) {
  const { id, name, status, reason, response } = await audit.fn();
  if (status !== 'ok') failed.push(`${id} ${name}: ${status}: ${reason}`);
  await response?.body?.cancel().catch(() => {});
}
console.log(`${audits.length - failed.length} of ${audits.length} audits passed`);
if (audits.length !== AUDITS || failed.length > 0) {
  console.error(failed.join('\n'));
  process.exitCode = 1;
}
