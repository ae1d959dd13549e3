/**
 * With what status `wok` ends. From 64 upwards they follow sysexits.h, so that a service manager
 * can tell what a restart may cure (1, 69, 74, 75) from what it cannot (2, 65, 72, 73, 76, 77, 78).
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
  /** EX_OSFILE: the database is damaged, is none, or lacks what was committed to it. */
  damaged: 72,
  /** EX_CANTCREAT: the data directory or the database cannot be created. */
  cannotCreate: 73,
  /** EX_IOERR: the disk failed, or the writer or the io thread died. */
  inputOutput: 74,
  /** EX_TEMPFAIL: another process uses the database. */
  busy: 75,
  /** EX_PROTOCOL: the database is from a newer wok. */
  version: 76,
  /** EX_NOPERM: this user may not do that, or not write to the database. */
  noPermission: 77,
  /** EX_CONFIG: the configuration, or the limit of open files; every problem is on standard error. */
  config: 78,
} as const;

/** What a command that was ended by Ctrl-C returns, as shells do. */
export const INTERRUPTED = 130;

/** One of the statuses above. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
