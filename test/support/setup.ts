// Setup of a vitest worker for every test file: removes the temporary directories of the file.

import { afterAll } from 'vitest';
import { removeDirectoriesOfTheFile } from './temporary.ts';

// Registered before the hooks of the file, so it runs after them, when relays have stopped.
afterAll(removeDirectoriesOfTheFile);
