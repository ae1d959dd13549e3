// Option rows of [pages], the pages that browsers are shown.

/** Option rows of [pages], by option name. */
export const pageOptions = {
  'pages.home': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Serve a page about this relay at /. Without it browsers get its name in plain text.',
  },
  'pages.admin': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Serve the page for admins and moderators at /admin. Their rights are set in [admin].',
  },
  'pages.figures': {
    type: 'boolean',
    default: true,
    reload: true,
    text: 'Show live figures on the public page: events, connections, subscriptions, rates of the last hour.',
  },
  'pages.icon_file': {
    type: 'string',
    default: '',
    format: 'absolute_file',
    reload: true,
    text: 'Square image of at most 256 kB (PNG, JPEG, WebP, SVG, ICO) that the relay serves at /icon and shows on its pages. It is read again at every reload. With identity.urls it is also the default of info.icon. Without it, the icon of wok is shown.',
  },
} as const satisfies Record<string, import('./option-types.ts').Option>;
