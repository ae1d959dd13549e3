// Stations that run on worker threads.

/**
 * Stations that run in threads, in the order of their start, so that no message goes to a station
 * that is not there yet. Sync has no worker while `negentropy.enabled` is off. Beside the data path
 * are the plugin host, with no worker while there are no plugins, the admin worker, and the peers
 * worker, with no worker while there are no peers and no announcements.
 */
export const threadStations = [
  'writer',
  'monitor',
  'query',
  'sync',
  'plugins',
  'ingester',
  'admin',
  'peers',
] as const;

export type ThreadStation = (typeof threadStations)[number];
