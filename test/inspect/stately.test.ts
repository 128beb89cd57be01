import { createBrowserInspector, createInspector, type StatelyInspectionEvent } from '@statelyai/inspect'
import { describe, expect, it, vi } from 'vitest'
import { createMachine } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { inspectAuth, statelyObserver } from '../../src/inspect/index.ts'
import { descendants } from '../../visualizations/tree.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'

function inspected(options: Parameters<typeof inspectAuth>[2] = {}) {
  const made = createHarness()
  const sent: StatelyInspectionEvent[] = []
  const inspector = createInspector(
    { send: (frame) => void sent.push(frame) },
    { serializationDepthLimit: 20 },
  )
  const stop = inspectAuth(made.auth, statelyObserver(inspector), options)
  return { ...made, sent, stop }
}

async function refreshOnce(run: ReturnType<typeof inspected>) {
  void run.auth.refresh()
  await run.clock.advance(0)
  run.refresh.call().resolve(tokens(2))
  await run.clock.advance(0)
}

describe('statelyObserver', () => {
  it('sends the whole chart, with its descriptions', () => {
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

  it('sends each state with its own tags and those of its ancestors', () => {
    const { definition = '' } = inspected().sent[0] as { definition?: string }
    const { states } = JSON.parse(definition)
    expect(states.refreshing.tags).toEqual(['busy', 'session'])
    expect(states.refreshing.states.gate.states.open.tags).toEqual(['busy', 'session', 'pass'])
    expect(states.authenticated.states.lastToken.tags).toEqual(['session', 'settled', 'pass'])
  })

  it('sends each event, its source, and the snapshot after it', async () => {
    const run = inspected()
    await refreshOnce(run)
    const chart = run.sent[0]?.sessionId
    const child = run.sent.find(({ type, sessionId }) => type === '@xstate.actor' && sessionId !== chart)
    expect(child).toMatchObject({ name: 'refreshTokens', parentId: chart, rootId: chart })
    expect(run.sent).toContainEqual(
      expect.objectContaining({
        type: '@xstate.snapshot',
        sessionId: chart,
        event: { type: 'session.refresh' },
        snapshot: expect.objectContaining({
          status: 'active',
          value: { refreshing: { attempt: 'requesting', gate: 'open' } },
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

  it('distinguishes two sessions by their names', () => {
    expect(inspected({ name: 'work' }).sent[0]?.sessionId).toMatch(/^work /)
    expect(inspected({ name: 'home' }).sent[0]?.sessionId).toMatch(/^home /)
  })

  it('sends the end of the inspection', () => {
    const { sent, stop } = inspected()
    stop()
    expect(sent.at(-1)).toMatchObject({
      snapshot: { status: 'stopped', value: { authenticated: 'refreshable' } },
    })
  })

  it('does nothing on a server, which has no window', async () => {
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => {})
    const inspector = createBrowserInspector()
    silenced.mockRestore()
    const { auth, clock, refresh } = createHarness()
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
