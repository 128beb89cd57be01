import { describe, expect, it } from 'vitest'
import { codeSeed, triedHere } from '../support/code-seed.ts'
import { hasPostgres } from '../support/postgres-server.ts'
import { hasRedis } from '../support/redis-server.ts'
import { runStorm } from './storm.ts'

/** Few enough sessions for a machine that runs other tests as well. `npm run test:storm` runs all scenarios with more. */
const SIZE = { seconds: 20, processes: 4, sessions: 6 } as const

const DATABASES = [
  ['redis', hasRedis],
  ['postgres', hasPostgres],
] as const

describe.each(triedHere(DATABASES, 2))('a storm over %s', (database, isInstalled) => {
  it.skipIf(!isInstalled)(
    'with processes that stop, lost connections, crashes and wrong clocks loses no session',
    async () => {
      const result = await runStorm({ ...SIZE, database, scenario: 'all but kills', seed: codeSeed() })
      expect(result).toMatchObject({ isTooBusy: false, reuseDetections: 0, lost: [], stuck: [], strays: [] })
      expect(result.refreshes).toBeGreaterThan(20)
      expect(result.perExpiry).toBeLessThanOrEqual(1.02)
    },
    120_000,
  )
})
