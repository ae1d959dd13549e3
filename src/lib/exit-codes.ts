/**
 * With what status `wok` ends. From 64 upwards they follow sysexits.h, so that a service manager
 * can tell what a restart may cure (69, 74, 1) from what it cannot (2, 73, 78).
 */
export const exitCodes = {
  /** The command did what it was asked for. */
  ok: 0,
  /** A broken invariant: a bug in wok. The stack is on standard error. */
  crash: 1,
  /** The command line was wrong. */
  usage: 2,
  /** EX_DATAERR: what was named is not there, or cannot be done with. */
  refused: 65,
  /**
   * EX_UNAVAILABLE: a native library cannot be loaded here, the address is not free, or no relay runs
   * where one was asked for.
   */
  unavailable: 69,
  /** EX_CANTCREAT: the data directory or the database cannot be created. */
  cannotCreate: 73,
  /** EX_IOERR: the disk failed, or the writer or the io thread died. */
  inputOutput: 74,
  /** EX_NOPERM: this user may not do that. */
  noPermission: 77,
  /** EX_CONFIG: the configuration is wrong; every problem is on standard error. */
  config: 78,
} as const;

/** One of the statuses above. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
