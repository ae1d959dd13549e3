// HTTP server of the Prometheus metrics, in the admin worker.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXPOSITION_TYPE } from '../../metrics/render.ts';

const PATH = '/metrics';
/** Maximum number of connections; scrapers are few. Further ones are dropped. */
const CONNECTIONS_MAX = 32;
const REQUEST_MILLISECONDS = 10_000;
const HEAD_BYTES_MAX = 8 * 1024;

/** Serves the metrics over HTTP on an address of their own. */
export class MetricsServer {
  readonly #text: () => string;
  readonly #server: Server;

  /** Takes `text`, which returns the exposition. */
  constructor(text: () => string) {
    this.#text = text;
    this.#server = createServer(
      {
        maxHeaderSize: HEAD_BYTES_MAX,
        requestTimeout: REQUEST_MILLISECONDS,
        headersTimeout: REQUEST_MILLISECONDS,
        keepAliveTimeout: REQUEST_MILLISECONDS,
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Resolves with the URL of the metrics. @throws when the address cannot be listened on. */
  listen(host: string, port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        const { address, family, port: taken } = this.#server.address() as AddressInfo;
        const shown = family === 'IPv6' ? `[${address}]` : address;
        resolve(`http://${shown}:${taken}${PATH}`);
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer({ url = '/', method }: IncomingMessage, response: ServerResponse): void {
    const [path] = url.split('?', 1);
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    } else if (path !== PATH) {
      const type = 'text/plain; charset=utf-8';
      response.writeHead(404, { 'Content-Type': type }).end(`the metrics are at ${PATH}\n`);
    } else {
      const text = this.#text();
      const length = Buffer.byteLength(text);
      response.writeHead(200, { 'Content-Type': EXPOSITION_TYPE, 'Content-Length': length });
      response.end(method === 'HEAD' ? undefined : text);
    }
  }
}
