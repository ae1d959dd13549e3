// Table of the views of the page /admin.

import type { View } from './context.ts';
import { audit } from './views/audit.ts';
import { configuration } from './views/configuration.ts';
import { event } from './views/event.ts';
import { events } from './views/events.ts';
import { lists } from './views/lists.ts';
import { overview } from './views/overview.ts';
import { peers } from './views/peers.ts';
import { people } from './views/people.ts';
import { person } from './views/person.ts';
import { quarantine } from './views/quarantine.ts';
import { reports } from './views/reports.ts';
import { retention } from './views/retention.ts';
import { traffic } from './views/traffic.ts';

/** All views, in the order of the navigation; the shell shows those that the session may use. */
export const views: readonly View[] = [
  overview,
  traffic,
  reports,
  quarantine,
  lists,
  events,
  audit,
  people,
  retention,
  peers,
  configuration,
  event,
  person,
];
