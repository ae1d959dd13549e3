// Requests about membership (NIP-43) from one ingester worker to the admin worker.

import type { AccessLists } from '../access/lists.ts';
import type { Config } from '../config/options.ts';
import type { MemberAnswer, MemberRequest, MemberResult } from '../messages/admin-writer.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Filter } from '../protocol/filter.ts';
import { KIND_INVITE, KIND_JOIN, KIND_LEAVE } from '../protocol/kinds.ts';

/** Timeout for the admin worker, which may just be restarting. */
const ANSWER_MILLISECONDS = 5_000;
/** Maximum of requests in flight from this worker. */
const ASKED_MAX = 1_000;

const BUSY: MemberResult = {
  ok: false,
  text: 'error: membership requests cannot be processed at the moment; try again later',
};

/** Request without its number. */
type Question = Omit<MemberRequest, 'n'>;

/** Client for requests to join, to leave and to invite (NIP-43), which the admin worker answers. */
export class Members {
  #enabled: boolean;
  #invites: boolean;
  readonly #asked = new Map<number, (answer: MemberResult) => void>();
  #last = 0;
  #send: ((request: MemberRequest) => void) | null = null;

  constructor(config: Config) {
    this.#enabled = config.membership.enabled;
    this.#invites = config.membership.members_invite;
  }

  reconfigure({ membership }: Config): void {
    this.#enabled = membership.enabled;
    this.#invites = membership.members_invite;
  }

  /** Sets the channel to the admin worker; requests to its predecessor fail. */
  attach(send: (request: MemberRequest) => void): void {
    this.#send = send;
    for (const n of [...this.#asked.keys()]) this.#end(n, BUSY);
  }

  take({ n, ok, text }: MemberAnswer): void {
    this.#end(n, { ok, text });
  }

  #end(n: number, result: MemberResult): void {
    this.#asked.get(n)?.(result);
    this.#asked.delete(n);
  }

  /** Returns true if events of this kind are requests to the relay itself, which are not stored. */
  concerns(kind: number): boolean {
    return (kind === KIND_JOIN || kind === KIND_LEAVE) && this.#enabled;
  }

  /** Executes such a request and returns its result. */
  request(event: NostrEvent, authed: ReadonlySet<string>): Promise<MemberResult> {
    const { kind, pubkey, created_at: createdAt, tags } = event;
    if (kind === KIND_JOIN) {
      const claim = tags.find(([name]) => name === 'claim')?.[1] ?? '';
      return this.#ask({ t: 'member', member: 'join', pubkey, claim, createdAt });
    }
    if (authed.has(pubkey)) {
      return this.#ask({ t: 'member', member: 'leave', pubkey, claim: '', createdAt });
    }
    // Authentication is needed, because the event could be replayed after its author has joined
    // again.
    const text =
      'auth-required: a leave request (kind 28936) needs the authentication of its author';
    return Promise.resolve({ ok: false, text });
  }

  /** Returns true if a REQ of a client authenticated as `authed` may return an invite. */
  mayInvite(authed: ReadonlySet<string>): boolean {
    return this.#enabled && this.#invites && authed.size > 0;
  }

  /** Returns the member for which a REQ with these filters returns an invite, or null. */
  inviter(
    filters: readonly Filter[],
    authed: ReadonlySet<string>,
    lists: AccessLists,
    now: number,
  ): string | null {
    if (!this.mayInvite(authed) || !filters.some(({ kinds }) => kinds?.includes(KIND_INVITE)))
      return null;
    for (const pubkey of authed) {
      if (lists.stance('pubkey', pubkey, now) === 'allow') return pubkey;
    }
    return null;
  }

  /** Returns an invite that the member can pass on, as JSON of an event; '' if there is none. */
  async invite(pubkey: string): Promise<string> {
    const question = { t: 'member', member: 'invite', pubkey, claim: '', createdAt: 0 } as const;
    const { ok, text } = await this.#ask(question);
    return ok ? text : '';
  }

  #ask(question: Question): Promise<MemberResult> {
    const send = this.#send;
    if (send === null || this.#asked.size >= ASKED_MAX) return Promise.resolve(BUSY);
    const n = ++this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end(n, BUSY), ANSWER_MILLISECONDS);
      this.#asked.set(n, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send({ ...question, n });
    });
  }
}
