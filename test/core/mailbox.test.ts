import { describe, expect, it } from 'vitest'
import type { AuthEvent } from '../../machines/index.ts'
import { Mailbox } from '../../src/core/mailbox.ts'

const EVENTS: AuthEvent[] = [{ type: 'store.changed' }, { type: 'clock.check' }]

function recipient() {
  const received: AuthEvent[] = []
  return { received, send: (event: AuthEvent) => void received.push(event) }
}

describe('the mailbox', () => {
  it('delivers what was sent before it was opened, in order, and then everything at once', () => {
    const mailbox = new Mailbox()
    const chart = recipient()
    for (const event of EVENTS) mailbox.send(event)
    mailbox.open(chart)
    expect(chart.received).toEqual(EVENTS)
    mailbox.send({ type: 'session.refresh' })
    expect(chart.received).toEqual([...EVENTS, { type: 'session.refresh' }])
  })

  it.each([true, false])('delivers nothing after it was closed (opened before: %s)', (opened) => {
    const mailbox = new Mailbox()
    const chart = recipient()
    if (opened) mailbox.open(chart)
    mailbox.close()
    for (const event of EVENTS) mailbox.send(event)
    if (!opened) mailbox.open(chart)
    expect(chart.received).toEqual([])
  })
})
