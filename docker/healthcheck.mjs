// Exits 0 while this container's own process answers.
const { ok } = await fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).catch(() => ({ ok: false }));
process.exitCode = ok ? 0 : 1;
