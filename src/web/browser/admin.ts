// Entry script of the page /admin: resumes the session or shows the login, then the views.

import type { Session } from '../api/api.ts';
import { Api, messageOf, type PageFault } from './admin/api.ts';
import { failure, progress } from './admin/load.ts';
import { loginView } from './admin/login.ts';
import { fill, make } from './admin/make.ts';
import { Shell } from './admin/shell.ts';

const app = document.getElementById('app')!;
const icon = app.dataset.icon ?? '';
const name = app.dataset.name ?? '';
const api = new Api();
let shell: Shell | null = null;
let login: AbortController | null = null;

api.ended = (fault: PageFault) => {
  // Several requests in flight may fail together.
  if (login !== null) return;
  showLogin(`Your session has ended. ${fault.message} After the login you return to this view.`);
};
void begin();

/** Shows the views if the browser has a session, otherwise the login. */
async function begin(): Promise<void> {
  fill(app, make('main', { class: 'login' }, progress('Checking your session…')));
  try {
    const session = await api.session();
    if (session === null) showLogin('');
    else enter(session);
  } catch (error) {
    const again = () => void begin();
    fill(app, make('main', { class: 'login' }, failure(messageOf(error), again)));
  }
}

/**
 * Shows the login. The shell before it stays hidden and is resumed after a login with the same key
 * and role. `why` is the reason, '' for none.
 */
function showLogin(why: string): void {
  login = new AbortController();
  document.title = `Log in · ${name}`;
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  const place = loginView(api, why, login.signal, enter);
  if (shell === null) fill(app, head(), place);
  else {
    shell.place.hidden = true;
    app.append(head(), place);
  }
  if (why !== '') place.focus();
}

function enter(session: Session): void {
  login?.abort();
  login = null;
  const before = shell;
  if (before?.session.pubkey === session.pubkey && before.session.role === session.role) {
    fill(app, before.place);
    before.resume(session);
    return;
  }
  before?.end();
  shell = new Shell(api, session, icon);
  fill(app, shell.place);
  shell.focus();
}

function head(): HTMLElement {
  return make(
    'header',
    { class: 'head' },
    make(
      'span',
      { class: 'relay' },
      make('img', { src: icon, alt: '', width: 32, height: 32 }),
      make('b', null, name),
    ),
  );
}
