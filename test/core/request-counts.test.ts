import { describe, expect, it } from 'vitest'
import type { AuthEvent } from '../../machines/index.ts'
import { HoldTimeoutError, SignedOutError } from '../../src/core/errors.ts'
import { Mailbox } from '../../src/core/mailbox.ts'
import { RequestCounts } from '../../src/core/requests/request-counts.ts'
import { settled } from '../../src/testing/virtual-clock.ts'

function counted() {
  const mailbox = new Mailbox()
  const sent: AuthEvent[] = []
  const queue = { size: 0 }
  mailbox.open({ send: (event) => void sent.push(event) })
  return { counts: new RequestCounts(mailbox, () => queue.size), queue, sent }
}

describe('the request counts', () => {
  it('are sent once for each burst and kind, a microtask later', async () => {
    const { counts, queue, sent } = counted()
    counts.add('held')
    counts.add('held')
    counts.add('released')
    counts.add('replayed')
    counts.add('rejected', new HoldTimeoutError())
    queue.size = 7
    expect(sent).toEqual([])
    await settled()
    expect(sent).toEqual([
      { type: 'request.held', count: 2, held: 7 },
      { type: 'request.released', count: 1, held: 7 },
      { type: 'request.replayed', count: 1, held: 7 },
      { type: 'request.rejected', count: 1, held: 7, reason: 'timeout' },
    ])
  })

  it('begin at zero again after each burst', async () => {
    const { counts, sent } = counted()
    counts.add('held')
    await settled()
    counts.add('replayed')
    await settled()
    expect(sent).toEqual([
      { type: 'request.held', count: 1, held: 0 },
      { type: 'request.replayed', count: 1, held: 0 },
    ])
  })

  it.each<[string, unknown, string]>([
    ['the reason of an AuthError', new SignedOutError({ reason: 'user_changed' }), 'user_changed'],
    ['the code of an AuthError without a reason', new SignedOutError(), 'signed_out'],
    ['aborted for any other error', new Error('enough'), 'aborted'],
  ])('contain %s', async (_, error, reason) => {
    const { counts, sent } = counted()
    counts.add('rejected', error)
    await settled()
    expect(sent).toEqual([{ type: 'request.rejected', count: 1, held: 0, reason }])
  })
})
