import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { sources } from './scripts/sources.ts'

export default defineConfig({
  resolve: { alias: sources },
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Much of what a test does is to wait for a browser or a server.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    retry: 0,
    dangerouslyIgnoreUnhandledErrors: false,
    coverage: {
      provider: 'v8',
      include: [
        'machines/**/*.ts',
        'src/core/**/*.ts',
        'src/transports/**/*.ts',
        'src/storage/**/*.ts',
        'src/environment/**/*.ts',
      ],
      reporter: ['text', 'json-summary'],
      thresholds: {
        'machines/**/*.ts': { lines: 95 },
        'src/core/**/*.ts': { lines: 95 },
        'src/transports/**/*.ts': { lines: 95 },
      },
    },
  },
})
