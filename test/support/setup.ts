/** What happens in a worker around every file of tests. */
import { afterAll } from 'vitest';
import { removeDirectoriesOfTheFile } from './temporary.ts';

// Registered before the hooks of the file, so it runs after them: relays have stopped by then.
afterAll(removeDirectoriesOfTheFile);
