import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import build from './tsdown.config.ts'

/** Examples import the package by its name, as users do; here that is its source. */
const alias = Object.entries(build.entry).map(([name, source]) => ({
  find: new RegExp(`^authchart${name === 'index' ? '' : `/${name}`}$`),
  replacement: fileURLToPath(new URL(source, import.meta.url)),
}))

export default defineConfig({
  resolve: { alias },
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
