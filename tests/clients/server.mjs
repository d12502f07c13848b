// Where the server is, and what every script needs. tests/it/clients.rs sets the environment.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import WebSocket from 'ws';

// Node has a WebSocket of its own since version 22; browsers always had one.
globalThis.WebSocket ??= WebSocket;

/**
 * A WebSocket whose messages come one by one, as in browsers. That of npm's `ws` hands over all that it read at once; there
 * graphql-ws counts twice who leaves within its own `next` (urql does, at the answer of a query or a mutation), and closes the
 * connection under those who are left.
 */
export class BrowserWebSocket extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { allowSynchronousEvents: false });
  }
}

/** The URL of `/graphql`. */
export const url = process.env.SERVER_URL;

/** The same for a WebSocket. */
export const socketUrl = url.replace(/^http/, 'ws');

/** What a caller sends in the header and in `connection_init`. */
export const authorization = `Bearer ${process.env.SERVER_TOKEN}`;

/** A new token, by the command that the test names. */
export async function getToken() {
  const { stdout } = await promisify(execFile)('sh', ['-c', process.env.TOKEN_COMMAND]);
  return stdout.trim();
}

/** Ends this process when it takes longer than any machine should need. */
export function limitTime() {
  setTimeout(() => {
    console.error('no end in 60 s');
    process.exit(2);
  }, 60_000).unref();
}
