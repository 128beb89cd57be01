import { createBrowserInspector, createInspector, type StatelyInspectionEvent } from '@statelyai/inspect'
import { describe, expect, it, vi } from 'vitest'
import { createMachine } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { inspectAuth, statelyObserver } from '../../src/inspect/index.ts'
import { descendants } from '../../visualizations/tree.ts'
import { rig, tokens } from '../core/auth-setup.ts'

function inspected(options: Parameters<typeof inspectAuth>[2] = {}) {
  const made = rig()
  const sent: StatelyInspectionEvent[] = []
  const inspector = createInspector(
    { send: (frame) => void sent.push(frame) },
    { serializationDepthLimit: 20 },
  )
  const stop = inspectAuth(made.auth, statelyObserver(inspector), options)
  return { ...made, sent, stop }
}

async function renewed(run: ReturnType<typeof inspected>) {
  void run.auth.refresh()
  await run.clock.advance(0)
  run.refresh.call().resolve(tokens(2))
  await run.clock.advance(0)
}

describe("Stately's inspector", () => {
  it('is given the chart, whole and with its descriptions', () => {
    const { sent } = inspected()
    const [first] = sent
    expect(first).toMatchObject({
      type: '@xstate.actor',
      name: 'auth',
      sessionId: expect.stringMatching(/^auth x:\d+$/),
    })
    const { definition = '' } = first as { definition?: string }
    const drawn = createMachine(JSON.parse(definition))
    const described = (machine: { root: Parameters<typeof descendants>[0] }) =>
      descendants(machine.root)
        .map(({ id, description }) => `${id}: ${description}`)
        .sort()
    expect(described(drawn)).toEqual(described(authMachine))
    expect(definition).not.toContain('[Object]')
  })

  it('is told each event, where it comes from, and how the chart stands after it', async () => {
    const run = inspected()
    await renewed(run)
    const chart = run.sent[0]?.sessionId
    const child = run.sent.find(({ type, sessionId }) => type === '@xstate.actor' && sessionId !== chart)
    expect(child).toMatchObject({ name: 'exchangeTokens', parentId: chart, rootId: chart })
    expect(run.sent).toContainEqual(
      expect.objectContaining({
        type: '@xstate.snapshot',
        sessionId: chart,
        event: { type: 'session.refresh' },
        snapshot: expect.objectContaining({
          status: 'active',
          value: { refreshing: { exchange: 'requesting', gate: 'open', limits: 'watched' } },
        }),
      }),
    )
    const done = run.sent.find((frame) => frame.type === '@xstate.event' && /done/.test(frame.event.type))
    expect(done).toMatchObject({
      sessionId: chart,
      sourceId: child?.sessionId,
      event: { output: { generation: 2, epoch: 1 } },
    })
    expect(run.sent.at(-1)).toMatchObject({ sessionId: child?.sessionId, snapshot: { status: 'done' } })
  })

  it('tells two sessions apart by their names', () => {
    expect(inspected({ name: 'work' }).sent[0]?.sessionId).toMatch(/^work /)
    expect(inspected({ name: 'home' }).sent[0]?.sessionId).toMatch(/^home /)
  })

  it('learns that the session is over', () => {
    const { sent, stop } = inspected()
    stop()
    expect(sent.at(-1)).toMatchObject({
      snapshot: { status: 'stopped', value: { authenticated: 'renewable' } },
    })
  })

  it('does nothing on a server, where there is no window', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    const inspector = createBrowserInspector()
    told.mockRestore()
    const { auth, clock, refresh } = rig()
    const reported = vi.spyOn(console, 'error')
    inspectAuth(auth, statelyObserver(inspector))
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session?.generation).toBe(2)
    expect(reported).not.toHaveBeenCalled()
    reported.mockRestore()
  })
})
