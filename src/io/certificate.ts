// TLS certificate and key files of the listener.

import type { AppOptions } from 'uWebSockets.js';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config/options.ts';

/** Error for a certificate and key that cannot be used; the message contains the reason. */
class CertificateError extends Error {
  override name = 'CertificateError';
}

/** Certificate file and key file of the relay, with the contents in use. */
export class Certificate {
  readonly #files: Config['tls'];
  #inUse = '';

  private constructor(files: Config['tls']) {
    this.#files = files;
  }

  /** Returns null if no certificate is configured: the relay then speaks plain HTTP. */
  static of({ tls }: Config): Certificate | null {
    return tls.cert === '' && tls.key === '' ? null : new Certificate(tls);
  }

  /**
   * Returns the TLS options for uWebSockets.js, after a check of the files, because uWebSockets.js
   * accepts a wrong file silently.
   *
   * @throws CertificateError
   */
  take(): AppOptions {
    const { cert: certFile, key: keyFile } = this.#files;
    if (certFile === '' || keyFile === '') {
      throw new CertificateError('tls.cert and tls.key must be set together, or neither');
    }
    const cert = read(certFile);
    const key = read(keyFile);
    try {
      createSecureContext({ cert, key });
    } catch (error) {
      const { message } = error as Error;
      throw new CertificateError(
        `the certificate ${certFile} and the key ${keyFile} cannot be used together: ${message}`,
      );
    }
    this.#inUse = cert + key;
    return { cert_file_name: certFile, key_file_name: keyFile };
  }

  /** Returns true if the files differ from those in use. @throws CertificateError */
  changed(): boolean {
    return read(this.#files.cert) + read(this.#files.key) !== this.#inUse;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { message } = error as Error;
    throw new CertificateError(`the certificate or key ${file} cannot be read: ${message}`);
  }
}
