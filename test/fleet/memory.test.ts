import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { findAll } from '../../src/fleet/find-all.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { describeFleet, LEASE, storedSession } from './describe-fleet.ts'

describeFleet('memory', async () => {
  const fleet = memoryFleet({ lease: LEASE })
  return { isRemote: false, open: async () => fleet, close: async () => {} }
})

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const megabytes = () => {
  collect()
  return process.memoryUsage().heapUsed / 1e6
}

it('a memory fleet keeps nothing of keys that are only looked for', async () => {
  const fleet = memoryFleet()
  const before = megabytes()
  for (let index = 0; index < 100_000; index++) await fleet.read(`an invented key ${index}`)
  expect(megabytes() - before).toBeLessThan(8)
  expect(await findAll(fleet, 't')).toEqual([])
})

it('a memory fleet forgets sessions and ends whose time has passed', async () => {
  let now = 0
  const fleet = memoryFleet({ now: () => now })
  const visit = async (name: string) => {
    const session = storedSession({ until: now + 3_600_000, box: name.padEnd(1_000, 'x') })
    await fleet.replace(`${name} stays`, session, undefined)
    await fleet.replace(`${name} ends`, session, undefined)
    await fleet.remove(`${name} ends`)
  }
  const before = megabytes()
  for (let day = 0; day < 30; day++) {
    for (let index = 0; index < 1_000; index++) await visit(`${day} ${index}`)
    now += 100_000_000
  }
  expect(megabytes() - before).toBeLessThan(15)
  await visit('last')
  expect(await fleet.read('last stays')).toBeDefined()
})
