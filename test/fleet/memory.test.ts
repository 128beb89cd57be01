import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { findAll } from '../../src/fleet/find-all.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { describeFleet, LEASE } from './describe-fleet.ts'

describeFleet('memory', async () => {
  const fleet = memoryFleet({ lease: LEASE })
  return { isRemote: false, open: async () => fleet, close: async () => {} }
})

it('a memory fleet keeps nothing of keys that are only looked for', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const fleet = memoryFleet()
  const megabytes = () => {
    collect()
    return process.memoryUsage().heapUsed / 1e6
  }
  const before = megabytes()
  for (let index = 0; index < 100_000; index++) await fleet.read(`an invented key ${index}`)
  expect(megabytes() - before).toBeLessThan(8)
  expect(await findAll(fleet, 't')).toEqual([])
})
