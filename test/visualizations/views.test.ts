import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import * as xstate from 'xstate'
import { type AnyStateMachine, setup } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { toMermaid } from '../../visualizations/mermaid.ts'
import { viewToMermaid } from '../../visualizations/mermaid-view.ts'
import { detail, overview } from '../../visualizations/views.ts'

const lamp = setup({
  types: { events: {} as { type: `lamp.${string}` } },
  guards: { isDark: () => true, isLate: () => true },
  actions: { hum: () => undefined },
  delays: { patience: 1000 },
}).createMachine({
  id: 'lamp',
  initial: 'off',
  on: { 'lamp.cut': '.off', 'lamp.kicked': '.on.bright' },
  states: {
    off: { on: { 'lamp.pressed': 'on', 'lamp.held': { guard: 'isDark', target: 'on.bright' } } },
    on: {
      initial: 'dim',
      always: { guard: 'isLate', target: 'off' },
      on: {
        'lamp.touched': { actions: 'hum' },
        'lamp.reset': { target: 'on', reenter: true, actions: 'hum' },
      },
      after: { patience: { target: 'on', reenter: true } },
      states: {
        dim: { on: { 'lamp.turned': 'bright', 'lamp.dropped': { guard: 'isLate', target: '#lamp.broken' } } },
        bright: {
          on: {
            'lamp.turned': [{ guard: 'isDark', target: 'dim' }],
            'lamp.aged': { guard: 'isDark', target: 'dim' },
            'lamp.warned': { actions: 'hum' },
          },
          after: { patience: { target: 'bright', reenter: true } },
        },
      },
    },
    broken: {},
  },
})

const linesOf = (text: string) => text.split('\n').map((line) => line.trim())

describe('overview', () => {
  const lines = linesOf(viewToMermaid(overview(lamp)))

  it.each([
    ['the initial state', '[*] --> lamp_off'],
    ['one edge between two states, without conditions', 'lamp_off --> lamp_on : lamp.pressed<br/>lamp.held'],
    ['a condition if there is no event', 'lamp_on --> lamp_off : [isLate]'],
    ['a transition from the inside of a state', 'lamp_on --> lamp_broken : lamp.dropped'],
    ['a transition from any state', 'lamp__any --> lamp_on : lamp.kicked'],
  ])('draws %s', (_, line) => {
    expect(lines).toContain(line)
  })

  it('shows no inner state and no inner transition', () => {
    expect(lines.join()).not.toMatch(/dim|bright|turned|touched|patience/)
  })

  it('writes edges in the order of their states, those of any state last', () => {
    const ends = lines.map((line) => line.split(' : ', 1)[0]).filter((line) => line?.startsWith('lamp_'))
    expect(ends).toEqual([
      'lamp_off --> lamp_on',
      'lamp_on --> lamp_off',
      'lamp_on --> lamp_broken',
      'lamp__any --> lamp_off',
      'lamp__any --> lamp_on',
    ])
  })

  it('leaves out transitions that are listed in without', () => {
    expect(linesOf(viewToMermaid(overview(lamp, { without: ['lamp.pressed'] })))).toContain(
      'lamp_off --> lamp_on : lamp.held',
    )
  })
})

describe('detail', () => {
  const lines = linesOf(viewToMermaid(detail(lamp, ['on']), { direction: 'LR' }))

  it.each([
    ['the direction', 'direction LR'],
    ['the initial state', '[*] --> lamp_on_dim'],
    ['its states by their keys', 'state "dim" as lamp_on_dim'],
    ['outside states by their paths', 'state "off" as lamp_off'],
    [
      'causes with the same guard on one line',
      'lamp_on_bright --> lamp_on_dim : lamp.turned, lamp.aged [isDark]',
    ],
    ['a transition from an outside state', 'lamp_off --> lamp_on_bright : lamp.held [isDark]'],
    ['a transition to an outside state', 'lamp_on_dim --> lamp_broken : lamp.dropped [isLate]'],
    ['a transition into it from any state', 'lamp__any --> lamp_on_bright : lamp.kicked'],
    ['a transition from any of its states', 'lamp_on__any --> lamp_off : [isLate]'],
    ['a restart with an action', 'lamp_on__any --> lamp_on_dim : lamp.reset'],
    ['reactions of the state', 'lamp_on__any : lamp.touched / hum'],
    ['reactions of its children', 'lamp_on_bright : lamp.warned / hum'],
  ])('draws %s', (_, line) => {
    expect(lines).toContain(line)
  })

  it('leaves out transitions that only restart a timer', () => {
    expect(lines.join()).not.toContain('patience')
  })

  it.each([['off'], ['nowhere'], ['on.dim']])('throws for %s, which has no children', (path) => {
    expect(() => detail(lamp, path.split('.'))).toThrow(`Cannot draw ${path} from the inside`)
  })

  it('throws for a state whose children have children', () => {
    expect(() => detail(authMachine, ['refreshing'])).toThrow('Cannot draw refreshing from the inside')
    expect(() => detail(lamp, [])).toThrow('Cannot draw lamp from the inside')
  })
})

describe('the drawings of the auth chart', () => {
  const details = [['restoring'], ['authenticated'], ['refreshing', 'attempt'], ['refreshing', 'gate']]
  const views = [overview(authMachine), ...details.map((path) => detail(authMachine, path))]
    .map((view) => viewToMermaid(view))
    .join('\n')

  it('contain every state', () => {
    const ids = [...toMermaid(authMachine).matchAll(/^ *state ".*" as (\S+)/gm)].map(([, id]) => id)
    expect(ids.length).toBeGreaterThan(20)
    // Each region of `refreshing` has a drawing of its own.
    const missing = ids.filter((id) => !views.includes(`as ${id}\n`))
    expect(missing).toEqual(['auth_refreshing_attempt', 'auth_refreshing_gate'])
  })
})

describe('the machine file', () => {
  const file = new URL('../../machines/auth.machine.ts', import.meta.url)

  it('contains the whole chart: no other file of the library is needed to draw it', () => {
    // Like a tool that removes the types, and that can import nothing but `xstate`.
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    })
    const exports: { authMachine?: AnyStateMachine } = {}
    const load = (name: string) => (name === 'xstate' ? xstate : {})
    new Function('require', 'exports', outputText)(load, exports)
    expect(toMermaid(exports.authMachine!)).toBe(toMermaid(authMachine))
  })
})
