import { memoryFleet } from '../../src/fleet/memory.ts'
import { describeFleet, LEASE } from './describe-fleet.ts'

describeFleet('memory', async () => {
  const fleet = memoryFleet({ lease: LEASE })
  return { isRemote: false, open: async () => fleet, close: async () => {} }
})
