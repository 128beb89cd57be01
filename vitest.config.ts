import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    pool: 'forks',
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
