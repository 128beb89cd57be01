// Many processes share sessions, and everything fails that can: `npm run test:storm`. The options are those of
// test/storm/main.ts: `npm run test:storm -- --seconds 20 --database redis --scenario stops --seed 7`.
await import('../test/storm/main.ts')
