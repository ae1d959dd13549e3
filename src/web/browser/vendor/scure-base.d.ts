// Types of vendor/scure-base.js; the relay serves the installed package there
// (`src/web/assets.ts`).

export { bech32, hex } from '@scure/base';
