/** What the relay serves at this place is the installed package (`src/pages/assets.ts`). */
export { default } from 'uplot';
