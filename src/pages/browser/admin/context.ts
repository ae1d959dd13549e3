import type { PageVerb, Session } from '../../../admin/page-api/api.ts';
import type { Call } from './api.ts';
import type { Feed } from './feed.ts';

/** What a view has to work with while it is shown. */
export interface Context {
  readonly session: Session;
  readonly call: Call;
  /** How the relay is, renewed all the time. */
  readonly feed: Feed;
  /** What the address says behind the name of the view, decoded: of `#/event/ab12` it is `ab12`. */
  readonly subject: string;
  /** What the address says behind `?`. */
  readonly query: URLSearchParams;
  /** Aborts when somebody goes to another view. */
  readonly left: AbortSignal;
  /** Says that something was done, to eyes and to screen readers. */
  say(text: string): void;
  /** Names the page after what it shows, once that is known. */
  title(text: string): void;
}

/** A place of the page, at `#/name`. */
export interface View {
  readonly name: string;
  readonly title: string;
  /** Where it stands in the navigation; null: it is reached from other views. */
  readonly group: 'Watch' | 'Moderate' | 'Run' | null;
  /** Whoever may use this sees it. */
  readonly verb: PageVerb;
  open(context: Context): Node[];
}

export function may({ session }: Context, verb: PageVerb): boolean {
  return session.verbs.includes(verb);
}
