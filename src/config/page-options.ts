// Option rows of [pages], the pages that browsers are shown.

/** Option rows of [pages], by option name. */
export const pageOptions = {
  'pages.home': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Show browsers a page about this relay at /. Without it they get its name in plain text.',
  },
  'pages.admin': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Serve the page for admins and moderators at /admin. What it may do, [admin] says.',
  },
  'pages.figures': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Show everybody live figures on the page: events, connections, subscriptions, rates of the last hour.',
  },
  'pages.icon_file': {
    type: 'string',
    default: '',
    format: 'absolute_file',
    reload: true,
    text: 'A square image of at most 256 kB (PNG, JPEG, WebP, SVG, ICO) that the relay serves at /icon and shows on its pages. It is read again at every reload. With identity.urls it is also what info.icon says when that is empty. Without it, the mark of wok.',
  },
} as const satisfies Record<string, import('./option-types.ts').Option>;
