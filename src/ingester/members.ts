import type { Config } from '../config/options.ts';
import type { MemberAnswer, MemberRequest } from '../messages.ts';
import type { Lists } from '../policy/lists.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Filter } from '../protocol/filter.ts';
import { KIND_INVITE, KIND_JOIN, KIND_LEAVE } from '../protocol/kinds.ts';

/** How long the admin room may take; it may just be starting again. */
const ANSWER_MILLISECONDS = 5_000;
/** Questions under way from this lane. */
const ASKED_MAX = 1_000;

const BUSY: Omit<MemberAnswer, 'n'> = {
  ok: false,
  text: 'error: this relay cannot do that now; try again later',
};

/** A request without its number. */
type Question = Omit<MemberRequest, 'n'>;

/** Requests to join, to leave and to invite (NIP-43), which the admin room answers. */
export class Members {
  #enabled: boolean;
  #invites: boolean;
  readonly #asked = new Map<number, (answer: Omit<MemberAnswer, 'n'>) => void>();
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

  /** The way to the admin room; what its predecessor was asked is not answered any more. */
  attach(send: (request: MemberRequest) => void): void {
    this.#send = send;
    for (const n of [...this.#asked.keys()]) this.take({ n, ...BUSY });
  }

  take({ n, ok, text }: MemberAnswer): void {
    this.#asked.get(n)?.({ ok, text });
    this.#asked.delete(n);
  }

  /** Whether an event is a request to the relay itself, and goes no further. */
  concerns(kind: number): boolean {
    return (kind === KIND_JOIN || kind === KIND_LEAVE) && this.#enabled;
  }

  /** What becomes of such a request. */
  request(event: NostrEvent, authed: ReadonlySet<string>): Promise<Omit<MemberAnswer, 'n'>> {
    const { kind, pubkey, created_at: createdAt, tags } = event;
    if (kind === KIND_JOIN) {
      const claim = tags.find(([name]) => name === 'claim')?.[1] ?? '';
      return this.#ask({ t: 'member', member: 'join', pubkey, claim, createdAt });
    }
    if (authed.has(pubkey)) {
      return this.#ask({ t: 'member', member: 'leave', pubkey, claim: '', createdAt });
    }
    // Else anybody who has seen it could send it again when its author has come back.
    const text = 'auth-required: only who has authenticated can leave';
    return Promise.resolve({ ok: false, text });
  }

  /** Whether a REQ of who has authenticated as `authed` may bring an invite. */
  mayInvite(authed: ReadonlySet<string>): boolean {
    return this.#enabled && this.#invites && authed.size > 0;
  }

  /** The member for whom a REQ with these filters brings an invite, or null. */
  inviter(
    filters: readonly Filter[],
    authed: ReadonlySet<string>,
    lists: Lists,
    now: number,
  ): string | null {
    if (!this.mayInvite(authed) || !filters.some(({ kinds }) => kinds?.includes(KIND_INVITE)))
      return null;
    for (const pubkey of authed) {
      if (lists.stance('pubkey', pubkey, now) === 'allow') return pubkey;
    }
    return null;
  }

  /** An invite for somebody else, as JSON of an event; '' when there is none to be had. */
  async invite(pubkey: string): Promise<string> {
    const question = { t: 'member', member: 'invite', pubkey, claim: '', createdAt: 0 } as const;
    const { ok, text } = await this.#ask(question);
    return ok ? text : '';
  }

  #ask(question: Question): Promise<Omit<MemberAnswer, 'n'>> {
    const send = this.#send;
    if (send === null || this.#asked.size >= ASKED_MAX) return Promise.resolve(BUSY);
    const n = ++this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.take({ n, ...BUSY }), ANSWER_MILLISECONDS);
      this.#asked.set(n, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send({ ...question, n });
    });
  }
}
