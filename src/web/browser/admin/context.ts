// Interface between the shell of the page /admin and its views.

import type { PageMethod, Session } from '../../api/api.ts';
import type { Call } from './api.ts';
import type { Feed } from './feed.ts';

/** Services and route of a view while it is shown. */
export interface Context {
  readonly session: Session;
  readonly call: Call;
  /** State of the relay, polled continuously. */
  readonly feed: Feed;
  /** Part of the address after the view's name, decoded: `ab12` of `#/event/ab12`. */
  readonly subject: string;
  /** Part of the address after `?`. */
  readonly query: URLSearchParams;
  /** Signal that aborts when the user goes to another view. */
  readonly left: AbortSignal;
  /** Shows for a moment that an action was done; screen readers read it. */
  say(text: string): void;
  /** Sets heading and document title, for a view that knows its title only later. */
  title(text: string): void;
}

/** View of the page, at `#/name`. */
export interface View {
  readonly name: string;
  readonly title: string;
  /** Group in the navigation; null: the view is reached from other views. */
  readonly group: 'Watch' | 'Moderate' | 'Run' | null;
  /** RPC method that a session must be allowed to call to see the view. */
  readonly method: PageMethod;
  open(context: Context): Node[];
}

export function may({ session }: Context, method: PageMethod): boolean {
  return session.methods.includes(method);
}
