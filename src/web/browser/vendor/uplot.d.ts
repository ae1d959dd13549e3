// Types of vendor/uplot.js; the relay serves the installed package there (`src/web/assets.ts`).

export { default } from 'uplot';
