// Sampler of metrics that are read rather than counted: process, database, disk, queues. Runs in
// the admin worker.

import { readFileSync } from 'node:fs';
import type { Credits } from '../../channel/credits.ts';
import type { Config } from '../../config/options.ts';
import { openDescriptors } from '../../lib/descriptors.ts';
import { residentBytes } from '../../lib/resident-memory.ts';
import { cellOf } from '../../metrics/layout.ts';
import type { MetricsMemory } from '../../metrics/memory.ts';
import { type Meter, workerCells } from '../../metrics/meter.ts';
import { version } from '../../paths.ts';
import type { Db } from '../../store/database/open.ts';
import { databaseSizes } from '../../store/database/sizes.ts';

const BUILD = cellOf('wok_build_info', { version, node: process.version });
const CPU = cellOf('process_cpu_seconds_total');
const RESIDENT = cellOf('process_resident_memory_bytes');
const OPEN_FDS = cellOf('process_open_fds');
const MAX_FDS = cellOf('process_max_fds');
const DATABASE = cellOf('wok_database_bytes');
const DATABASE_FREE = cellOf('wok_database_free_bytes');
const WAL = cellOf('wok_wal_bytes');
const DISK_FREE = cellOf('wok_disk_free_bytes');
const INGESTER_QUEUE = cellOf('wok_ingester_queue_bytes');
const WRITER_QUEUE = cellOf('wok_writer_queue_events');
const INGESTER_QUEUE_MAX = cellOf('wok_ingester_queue_bytes_max');
const WRITER_QUEUE_MAX = cellOf('wok_writer_queue_events_max');
const QUERIES_MAX = cellOf('wok_queries_max');

/** Bounded queues between threads, readable from any thread. */
export interface Queues {
  /** Bytes of frames queued for each ingester worker. */
  readonly ingester: readonly Credits[];
  /** Events queued for the writer. */
  readonly writer: Credits;
}

interface SamplerParts {
  memory: MetricsMemory;
  meter: Meter;
  queues: Queues;
  db: Db;
  config: Config;
}

/**
 * Samples the metrics that are not counted: the process, the database, the disk, and the queues.
 * The queues are sampled here because their owners may be too busy to report; their cells are
 * written only by the admin worker.
 */
export class Sampler {
  readonly #parts: SamplerParts;
  readonly #ingesters: readonly Float64Array[];
  readonly #writers: readonly Float64Array[];

  constructor(parts: SamplerParts) {
    this.#parts = parts;
    const { workers } = parts.memory;
    const cellsOf = (wanted: string) =>
      workers.flatMap(({ station }, index) =>
        station === wanted ? [workerCells(parts.memory, index)] : [],
      );
    this.#ingesters = cellsOf('ingester');
    this.#writers = cellsOf('writer');
    const { meter, config } = parts;
    meter.set(BUILD, 1);
    meter.set(MAX_FDS, fileDescriptorsMax());
    meter.set(INGESTER_QUEUE_MAX, config.io.queue_bytes_max);
    meter.set(WRITER_QUEUE_MAX, config.writer.queue_events_max);
    meter.set(QUERIES_MAX, config.query.queries_max);
  }

  /** Takes one sample, in about half a millisecond. */
  sample(): void {
    const { meter, queues, db, config } = this.#parts;
    const { user, system } = process.cpuUsage();
    meter.set(CPU, (user + system) / 1e6);
    meter.set(RESIDENT, residentBytes());
    meter.set(OPEN_FDS, openDescriptors().length);
    this.#ingesters.forEach((cells, worker) => {
      cells[INGESTER_QUEUE] = queues.ingester[worker]?.used ?? 0;
    });
    for (const cells of this.#writers) cells[WRITER_QUEUE] = queues.writer.used;
    const sizes = databaseSizes(db, config.storage.directory);
    meter.set(DATABASE, sizes.file);
    meter.set(DATABASE_FREE, sizes.free);
    meter.set(WAL, sizes.writeAheadLog);
    meter.set(DISK_FREE, sizes.diskFree);
  }
}

function fileDescriptorsMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
