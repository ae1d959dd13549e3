// Makes SIGUSR1 do nothing. Without a listener Node.js opens its inspector at this signal, a port
// through which every user of the machine runs code in this process. Import it first: then the
// signal opens the inspector only while Node.js itself starts; `node --disable-sigusr1` (22.14,
// 23.7) prevents that, too.

process.on('SIGUSR1', () => {});
