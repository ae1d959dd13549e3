// Text features for the spam score: links, references, capitals and normalised words.

/** Length of the examined beginning of a text, in UTF-16 units; spam makes its point early. */
const LENGTH_MAX = 4_000;
/** Maximum number of words that count for the simhash. */
const WORDS_MAX = 120;
/** Length from which a run of letters is cut into pieces, for scripts without spaces. */
const WORD_LENGTH_MAX = 20;
const PIECE_LENGTH = 3;

const ADDRESSES = /\b(?:nostr:)?(?:npub|note|nprofile|nevent|naddr)1[0-9a-z]+/gi;
const LINKS = /\b(?:https?|wss?):\/\/([^\s/?#"'<>]+)[^\s"'<>]*/gi;
const WORDS = /\p{L}+/gu;

/** Features of a text for the spam rules. */
export interface TextFacts {
  /** Number of links, and of their different hosts. */
  links: number;
  hosts: number;
  /** Number of NIP-19 references in the text (npub, note, nprofile, nevent, naddr). */
  addresses: number;
  /** Number of letters that have a case, and of capitals among them. */
  letters: number;
  capitals: number;
  /**
   * Words in lower case, without digits, punctuation, links (only their hosts are kept) and NIP-19
   * references: parts that spammers vary are removed.
   */
  words: string[];
  /** Total length of the words, without hosts. */
  wordLetters: number;
}

export function factsOf(content: string): TextFacts {
  const text = content.length > LENGTH_MAX ? content.slice(0, LENGTH_MAX) : content;
  let links = 0;
  let addresses = 0;
  const hosts = new Set<string>();
  const hasLinks = text.includes('://');
  const hasAddresses = text.includes('1');
  let plain = text;
  if (hasAddresses) {
    plain = plain.replace(ADDRESSES, () => {
      addresses++;
      return ' ';
    });
  }
  if (hasLinks) {
    plain = plain.replace(LINKS, (_, host: string) => {
      links++;
      hosts.add(host.toLowerCase());
      return ' ';
    });
  }
  plain = plain.normalize('NFKC');
  const lower = plain.toLowerCase();
  const { letters, capitals } = caseOf(plain, lower);
  const words: string[] = [];
  let wordLetters = 0;
  for (const [word] of lower.matchAll(WORDS)) {
    wordLetters += word.length;
    addWord(words, word);
    if (words.length >= WORDS_MAX) break;
  }
  for (const host of hosts) words.push(host);
  return { links, hosts: hosts.size, addresses, letters, capitals, words, wordLetters };
}

function addWord(words: string[], word: string): void {
  if (word.length <= WORD_LENGTH_MAX) words.push(word);
  else {
    for (let at = 0; at < word.length; at += PIECE_LENGTH) {
      words.push(word.slice(at, at + PIECE_LENGTH));
    }
  }
}

/**
 * Counts letters and capitals. Capitals are the units that change in lower case; small letters of
 * Latin, Greek and Cyrillic are counted.
 */
function caseOf(text: string, lower: string): { letters: number; capitals: number } {
  let capitals = 0;
  let letters = 0;
  const { length } = text;
  if (lower.length !== length) return { letters: 0, capitals: 0 };
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const small = lower.charCodeAt(i);
    if (code !== small) {
      capitals++;
      letters++;
    } else if ((code >= 0x61 && code <= 0x7a) || (code >= 0xdf && code <= 0x52f)) letters++;
  }
  return { letters, capitals };
}
