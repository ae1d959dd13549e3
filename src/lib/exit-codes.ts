// Exit codes of `wok`, one for each class of failure.

/**
 * Exit codes of `wok`. From 64 upwards they follow sysexits.h, so that a service manager can tell
 * failures that a restart may cure (1, 69, 74, 75) from the others (2, 65, 72, 73, 76, 77, 78).
 */
export const exitCodes = {
  /** The command succeeded. */
  ok: 0,
  /** A broken invariant: a bug in wok. The stack is on standard error. */
  crash: 1,
  /** The command line was wrong. */
  usage: 2,
  /** EX_DATAERR: the named object does not exist or cannot be processed. */
  refused: 65,
  /**
   * EX_UNAVAILABLE: a native library cannot be loaded here, the address is in use, or no relay runs
   * although the command needs one.
   */
  unavailable: 69,
  /** EX_OSFILE: the file is not a database, or the database is damaged or lacks committed data. */
  damaged: 72,
  /** EX_CANTCREAT: the data directory or the database cannot be created. */
  cannotCreate: 73,
  /** EX_IOERR: the disk failed, or the writer or the io thread died. */
  inputOutput: 74,
  /** EX_TEMPFAIL: another process uses the database. */
  busy: 75,
  /** EX_PROTOCOL: the database is from a newer wok. */
  version: 76,
  /** EX_NOPERM: this user lacks the permission, or may not write to the database. */
  noPermission: 77,
  /** EX_CONFIG: the configuration or the limit of open files; each problem is on standard error. */
  config: 78,
} as const;

/** Exit code of a command that was ended by Ctrl-C, as in shells. */
export const INTERRUPTED = 130;

/** Any of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
