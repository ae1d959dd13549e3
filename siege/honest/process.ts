// Process of the honest clients, which has no other work than to keep time.

import { serve } from '../child.ts';
import { HonestClients, type HonestJob } from './client.ts';

let clients: HonestClients | undefined;

serve({
  arrive: (job: HonestJob) => {
    clients = new HonestClients(job);
    return clients.arrive();
  },
  served: () => clients!.served,
  measure: (on: boolean) => clients!.measure(on),
  leave: () => clients!.leave(),
});
