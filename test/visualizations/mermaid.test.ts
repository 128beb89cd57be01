import { describe, expect, it } from 'vitest'
import { and, assign, createMachine, fromPromise, not, setup } from 'xstate'
import { toMermaid } from '../../visualizations/mermaid.ts'

const door = setup({
  types: { context: {} as { knocks: number }, events: {} as { type: `door.${string}` } },
  actors: { turnKey: fromPromise(async () => undefined) },
  guards: { hasKey: () => true, isLate: () => false },
  actions: { ring: () => undefined },
  delays: { patience: 1000 },
}).createMachine({
  id: 'door',
  context: { knocks: 0 },
  initial: 'closed',
  on: {
    'door.slammed': { target: '.closed' },
    'door.knocked': { actions: ['ring', assign({ knocks: 1 })] },
  },
  states: {
    closed: {
      on: {
        'door.pushed': [
          { guard: 'hasKey', target: 'unlocking' },
          { guard: and(['isLate', not('hasKey')]), target: 'watched' },
        ],
        'door.kicked': { guard: 'isLate', target: 'unlocking' },
        'door.heard': { guard: 'isLate', actions: 'ring' },
        'door.locked': {},
      },
    },
    unlocking: {
      invoke: { src: 'turnKey', onDone: 'watched', onError: { guard: 'isLate', target: 'closed' } },
      after: { patience: 'closed', 50: 'watched' },
    },
    watched: {
      type: 'parallel',
      onDone: 'gone',
      on: { 'door.rewound': '.bell.idle' },
      states: {
        bell: {
          initial: 'idle',
          states: {
            idle: { on: { 'door.rung': 'ringing' } },
            ringing: { always: { guard: 'isLate', target: 'spent' }, on: { 'door.fled': '#door.closed' } },
            spent: { type: 'final' },
          },
        },
        lamp: {
          initial: 'dark',
          states: { dark: { on: { '*': 'lit' } }, lit: { type: 'final' }, before: { type: 'history' } },
        },
      },
    },
    gone: { type: 'final' },
  },
})

describe('toMermaid', () => {
  const text = toMermaid(door)
  const lines = text.split('\n').map((line) => line.trim())

  it.each([
    ['the initial state', '[*] --> door_closed'],
    [
      'events with guards, one edge for all between two states',
      'door_closed --> door_unlocking : door.pushed [hasKey]<br/>door.kicked [isLate]',
    ],
    ['composed guards', 'door_closed --> door_watched : door.pushed [isLate and not hasKey]'],
    [
      'a failed invoke and a named delay',
      'door_unlocking --> door_closed : error turnKey [isLate]<br/>after patience',
    ],
    [
      'a finished invoke and a delay in milliseconds',
      'door_unlocking --> door_watched : done turnKey<br/>after 50 ms',
    ],
    ['a finished composite', 'door_watched --> door_gone : done'],
    [
      'an eventless transition by its guard alone',
      'door_watched_bell_ringing --> door_watched_bell_spent : [isLate]',
    ],
    ['a wildcard', 'door_watched_lamp_dark --> door_watched_lamp_lit : any event'],
    ['a final state', 'door_gone --> [*]'],
    ['a history state', 'state "H" as door_watched_lamp_before'],
    ['a transition of the root', 'door__any --> door_closed : door.slammed'],
    [
      'a transition of a composite into itself',
      'door_watched__any --> door_watched_bell_idle : door.rewound',
    ],
    ['a reaction that changes no state', 'door_closed : door.heard [isLate] / ring'],
    ['an event that a state takes and ignores', 'door_closed : door.locked / ignored'],
    ['a reaction of the root, without the internal actions of XState', 'door__any : door.knocked / ring'],
  ])('draws %s', (_, line) => {
    expect(lines).toContain(line)
  })

  it('separates parallel regions', () => {
    expect(lines.filter((line) => line === '--')).toHaveLength(2)
  })

  it('writes edges between levels at the top level, so that Mermaid moves no state', () => {
    expect(text).toContain('\n  door_watched_bell_ringing --> door_closed : door.fled\n')
  })

  it('shows no internal name of XState', () => {
    expect(text).not.toContain('xstate.')
  })

  it('wraps a parallel root in a composite', () => {
    const machine = createMachine({ id: 'm', type: 'parallel', states: { a: {}, b: {} } })
    expect(toMermaid(machine)).toBe(
      [
        'stateDiagram-v2',
        '  state "m" as m {',
        '    state "a" as m_a',
        '    --',
        '    state "b" as m_b',
        '  }',
        '',
      ].join('\n'),
    )
  })

  it('escapes what Mermaid would read as syntax', () => {
    const machine = createMachine({ id: 'm', initial: 'a', states: { a: { on: { 'x;y#z': 'b' } }, b: {} } })
    expect(toMermaid(machine)).toContain('m_a --> m_b : x#59;y#35;z')
  })

  it('throws if two states would share an id', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { initial: 'b', states: { b: {} } }, a_b: {} },
    })
    expect(() => toMermaid(machine)).toThrow('Cannot draw m.a.b and m.a_b: both become m_a_b. Rename one.')
  })
})
