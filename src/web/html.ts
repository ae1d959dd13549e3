// HTML templates that escape every value.

/** Trusted piece of HTML: all values in it are escaped already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** Value of a template: text and numbers are escaped, null and false leave nothing. */
type Piece = Html | string | number | null | false | readonly Piece[];

/** Template tag for HTML; escapes every value, for text and for attributes in double quotes. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let text = parts[0]!;
  pieces.forEach((piece, i) => {
    text += textOf(piece) + parts[i + 1]!;
  });
  return new Html(text);
}

function textOf(piece: Piece): string {
  if (piece instanceof Html) return piece.text;
  if (piece === null || piece === false) return '';
  if (typeof piece === 'object') return piece.map(textOf).join('');
  return escapeHtml(String(piece));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes a text for use between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Address as a link target; null if it is not an http, https or mailto address. */
export function linkable(address: string): string | null {
  try {
    const { protocol, href } = new URL(address);
    return ['https:', 'http:', 'mailto:'].includes(protocol) ? href : null;
  } catch {
    return null;
  }
}
