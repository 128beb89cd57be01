/** Run by `other-runner.test.ts` with `node --test`: another runner, another `expect` and another transport. */
import { describe, it } from 'node:test'
import { describeTransport } from '../../src/testing/index.ts'
import { isOwnTimeout, ownTransport } from './own-transport.ts'
import { expect } from './plain-expect.ts'

describeTransport('a transport over node:http', ownTransport, {
  describe,
  it,
  expect,
  isTimeout: isOwnTimeout,
})
