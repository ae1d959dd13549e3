// Interface of logs in all threads.

/** Log of a station. Worker threads send their lines to the main thread, where pino writes them. */
export interface Log {
  debug(text: string, facts?: Record<string, unknown>): void;
  info(text: string, facts?: Record<string, unknown>): void;
  warn(text: string, facts?: Record<string, unknown>): void;
  error(text: string, facts?: Record<string, unknown>): void;
}
