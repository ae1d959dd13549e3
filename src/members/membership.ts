// Members, roles and vanish receipts that the relay publishes under its own key. Owned by the admin
// worker.

import type { ListUpdate } from '../access/lists.ts';
import type { MemberAnswer, MemberRequest, MemberResult } from '../messages/admin-writer.ts';
import { putOnList, takeOffList } from '../moderation/lists.ts';
import { AUTH_SECONDS } from '../protocol/auth.ts';
import type { NostrEvent } from '../protocol/event.ts';
import {
  KIND_INVITE,
  KIND_MEMBER_ADDED,
  KIND_MEMBER_LIST,
  KIND_MEMBER_REMOVED,
  KIND_ROLE,
  KIND_VANISH_RECEIPT,
} from '../protocol/kinds.ts';
import type { RelaySigner } from '../protocol/relay-signer.ts';
import { RpcError } from '../rpc/method.ts';
import { relaySecret } from '../store/database/relay-key.ts';
import * as sql from '../store/database/sql.ts';
import type { MembersContext } from './context.ts';
import { makeInvite, readInvite } from './invites.ts';
import { OwnEvents } from './own-events.ts';
import { roles } from './roles.ts';

/** Delay that collects changes into one published list. */
const PUBLISH_MILLISECONDS = 300;
const DAY_SECONDS = 86_400;
/** Maximum number of receipts written at once. */
const RECEIPTS_MAX = 20;

/**
 * Membership (NIP-43) and receipts for completed requests to vanish (NIP-62): everything that is
 * signed with the relay's own key.
 *
 * A member is any public key that is allowed on the list of public keys, however it was added: by
 * an invite, by `wok mod allow pubkey`, by NIP-86.
 */
export class Membership {
  readonly #context: MembersContext;
  #signer: RelaySigner | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Tail of the request queue; one request at a time, so that no invite is used too often. */
  #line: Promise<unknown> = Promise.resolve();

  constructor(context: MembersContext) {
    this.#context = context;
  }

  /** Public key of the relay, or '' while it has none. */
  get self(): string {
    return this.#signer?.pubkey ?? '';
  }

  /**
   * Reads the key; makes one if membership or announcements need it.
   *
   * @throws StorageError if it is invalid.
   */
  async open(): Promise<void> {
    const { config } = this.#context;
    const secret = relaySecret(config, config.membership.enabled || config.identity.announce);
    if (secret === null) return;
    // The signing code is loaded only if there is a key.
    const { RelaySigner } = await import('../protocol/relay-signer.ts');
    this.#signer = new RelaySigner(secret);
  }

  /** Publishes changes made before the start, once the writer is reachable. */
  begin(): void {
    this.changed();
  }

  /** Applies a reload, which may have enabled membership. */
  async reconfigure(): Promise<void> {
    const { membership, identity } = this.#context.config;
    if (this.#signer !== null || !(membership.enabled || identity.announce)) return;
    try {
      await this.open();
    } catch (error) {
      this.#failed(error as Error);
      return;
    }
    this.#context.describe();
    this.changed();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** Announces members that a list change added or removed, and schedules the member list. */
  listChanged(update: ListUpdate): void {
    if (this.#signer === null || !this.#context.config.membership.enabled) return;
    if (update.t === 'put') {
      for (const { list, subject, stance } of update.entries) {
        if (list !== 'pubkey') continue;
        this.#announce(stance === 'allow' ? KIND_MEMBER_ADDED : KIND_MEMBER_REMOVED, subject);
      }
    } else if (update.t === 'drop' && update.list === 'pubkey') {
      this.#announce(KIND_MEMBER_REMOVED, update.subject);
    }
    this.changed();
  }

  /** Schedules the publication of members and roles after a change of either. */
  changed(): void {
    if (this.#signer === null || !this.#context.config.membership.enabled) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#publish().catch((error) => this.#failed(error));
    }, PUBLISH_MILLISECONDS);
  }

  /** Time of expiry of an invite made now, in seconds since 1970, unless another is given. */
  get inviteEnd(): number {
    const { clock, config } = this.#context;
    return clock.seconds() + config.membership.invite_days * DAY_SECONDS;
  }

  /** Returns an invite code for `uses` members. @throws RpcError when membership is disabled. */
  invite(uses: number, expiresAt: number): string {
    if (this.#signer === null || !this.#context.config.membership.enabled) {
      throw new RpcError('refused', 'This relay has no members; set membership.enabled = true.');
    }
    return makeInvite(this.#signer, uses, expiresAt);
  }

  /** Answers a client's request to join, to leave, or for an invite. */
  answer(request: MemberRequest): Promise<MemberAnswer> {
    const answer = this.#line.then(
      async (): Promise<MemberAnswer> => ({
        t: 'member',
        n: request.n,
        ...(await this.#result(request)),
      }),
    );
    this.#line = answer;
    return answer;
  }

  async #result(request: MemberRequest): Promise<MemberResult> {
    try {
      if (request.member === 'join') return await this.#join(request);
      if (request.member === 'leave') return await this.#leave(request.pubkey);
      return { ok: true, text: this.#inviteEvent() };
    } catch (error) {
      this.#failed(error as Error);
      return no('error: membership requests cannot be processed at the moment; try again later');
    }
  }

  /** Publishes receipts for completed requests to vanish, if the relay has a key. */
  async giveReceipts(): Promise<void> {
    if (this.#signer === null) return;
    const { db } = this.#context;
    const rows = db.prepare(sql.SELECT_VANISHED_WITHOUT_RECEIPT).all(RECEIPTS_MAX) as {
      id: string;
      until: number;
      removed: number;
      done_at: number;
    }[];
    for (const { id, until, removed, done_at } of rows) {
      const content = JSON.stringify({ request: id, until, removed, completed_at: done_at });
      const tags = [
        ['d', `vanish:${id}`],
        ['e', id],
      ];
      const event = this.#signed(KIND_VANISH_RECEIPT, tags, content);
      await this.#context.change([
        { t: 'publish', json: JSON.stringify(event) },
        { t: 'receipt', request: id, receipt: event.id },
      ]);
    }
  }

  async #join({ pubkey, claim, createdAt }: MemberRequest): Promise<MemberResult> {
    const { lists, clock, config } = this.#context;
    const now = clock.seconds();
    if (Math.abs(now - createdAt) > AUTH_SECONDS) {
      return no(
        `invalid: created_at is more than ${AUTH_SECONDS} seconds from the time of this relay`,
      );
    }
    const stance = lists.stance('pubkey', pubkey, now);
    if (stance === 'ban') return no('restricted: this key is banned from this relay');
    if (stance === 'allow') {
      return { ok: true, text: 'duplicate: you are already a member of this relay' };
    }
    const invite = this.#signer === null ? null : readInvite(this.#signer, claim);
    if (invite === null) return no('restricted: that is an invalid invite code');
    if (invite.expiresAt !== 0 && invite.expiresAt <= now) {
      return no('restricted: that invite code is expired');
    }
    const { nonce, uses, expiresAt } = invite;
    const [used] = await this.#context.change([{ t: 'useInvite', nonce, uses, expiresAt }]);
    if (used === 0) return no('restricted: that invite code has been used already');
    const reason = `by invite ${nonce}`;
    const listing = { list: 'pubkey', subject: pubkey, stance: 'allow', by: pubkey } as const;
    await putOnList(this.#context, { ...listing, reason, expiresAt: 0 });
    return { ok: true, text: `info: welcome to ${config.info.name}!` };
  }

  async #leave(pubkey: string): Promise<MemberResult> {
    const listing = { list: 'pubkey', subject: pubkey, stance: 'allow', by: pubkey } as const;
    const left = await takeOffList(this.#context, { ...listing, reason: 'asked to leave' });
    if (left) return { ok: true, text: 'info: you are no longer a member of this relay' };
    return { ok: true, text: 'duplicate: you are not a member of this relay' };
  }

  /** Returns a single-use invite, the event of kind 28935 that answers a REQ for it, as JSON. */
  #inviteEvent(): string {
    const code = this.invite(1, this.inviteEnd);
    return JSON.stringify(this.#signed(KIND_INVITE, [['claim', code]]));
  }

  #announce(kind: number, pubkey: string): void {
    const json = JSON.stringify(this.#signed(kind, [['p', pubkey]]));
    this.#context.change([{ t: 'publish', json }]).catch((error) => this.#failed(error as Error));
  }

  /** Returns an event of the relay, dated now, that only the relay may publish (NIP-70). */
  #signed(kind: number, tags: string[][], content = ''): NostrEvent {
    const created_at = this.#context.clock.seconds();
    return this.#signer!.sign({ kind, created_at, tags: [['-'], ...tags], content });
  }

  /** Publishes the member list and the roles that have changed, and withdraws deleted roles. */
  async #publish(): Promise<void> {
    const { lists, clock, db } = this.#context;
    const now = clock.seconds();
    const rolesOf = new Map<string, string[]>();
    for (const { pubkey, role } of db.prepare(sql.SELECT_ROLES_OF).all() as RoleOf[]) {
      rolesOf.set(pubkey, [...(rolesOf.get(pubkey) ?? []), role]);
    }
    const members = lists.subjects('pubkey', 'allow', now).sort();
    const list = members.map((member) => ['member', member, ...(rolesOf.get(member) ?? [])]);
    const own = new OwnEvents(this.#context, this.#signer!);
    await own.replace(KIND_MEMBER_LIST, '', [['-'], ...list]);
    const all = roles(this.#context);
    for (const { id, label, description, color, order } of all) {
      const tags = [['-'], ['d', id], ['label', label], ['description', description]];
      if (color !== null) tags.push(['color', String(color)]);
      if (order !== null) tags.push(['order', String(order)]);
      await own.replace(KIND_ROLE, id, tags);
    }
    await own.withdraw(KIND_ROLE, (d) => all.some(({ id }) => id === d));
  }

  #failed(error: Error): void {
    this.#context.log.warn('a membership request or member list update failed', {
      error: String(error),
    });
  }
}

interface RoleOf {
  pubkey: string;
  role: string;
}

function no(text: string): MemberResult {
  return { ok: false, text };
}
