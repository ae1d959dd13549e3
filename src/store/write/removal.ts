// Reasons for which events are removed from the log.

import type { REMOVALS } from '../../metrics/label-values.ts';

export type Removal = (typeof REMOVALS)[number];
