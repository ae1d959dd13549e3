import type { Config } from '../config/options.ts';
import type { PageAnswer, PageRequest } from '../messages.ts';
import { Assets } from '../pages/assets.ts';
import { encode } from '../pages/encoded.ts';
import { homePage } from '../pages/home.ts';
import { infoChanges } from './info.ts';
import type { Room } from './room.ts';

/** Makes the public page and its figures as they are now. */
export function makePublicPage(room: Room, { icon }: PageRequest): PageAnswer {
  const { self: _, ...changes } = infoChanges(room.db);
  const config: Config = { ...room.config, info: { ...room.config.info, ...changes } };
  const html = encode(homePage({ config, icon }, Assets.load()));
  const { at, series } = room.history.read(['connections', 'subscriptions', 'accepted']);
  const figures = encode(JSON.stringify({ at, series }));
  return { html, figures };
}
