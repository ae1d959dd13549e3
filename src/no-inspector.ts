/**
 * SIGUSR1 does nothing. Without a listener Node.js opens its inspector at this signal, a port
 * through which every user of the machine runs code in this process. Imported first, so that the
 * time until then is that of Node.js itself; `node --disable-sigusr1` (22.14, 23.7) leaves none.
 */
process.on('SIGUSR1', () => {});
