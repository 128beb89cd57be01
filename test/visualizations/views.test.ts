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

describe('the overview', () => {
  const lines = linesOf(viewToMermaid(overview(lamp)))

  it.each([
    ['the initial state', '[*] --> lamp_off'],
    ['one edge between two states, without conditions', 'lamp_off --> lamp_on : lamp.pressed<br/>lamp.held'],
    ['a condition where there is nothing else', 'lamp_on --> lamp_off : [isLate]'],
    ['what leaves a state from inside it', 'lamp_on --> lamp_broken : lamp.dropped'],
    ['what is possible in any state', 'lamp__any --> lamp_on : lamp.kicked'],
  ])('draws %s', (_, line) => {
    expect(lines).toContain(line)
  })

  it('shows no state from the inside, and nothing that stays inside one', () => {
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

  it('leaves out what it is told to', () => {
    expect(linesOf(viewToMermaid(overview(lamp, { without: ['lamp.pressed'] })))).toContain(
      'lamp_off --> lamp_on : lamp.held',
    )
  })
})

describe('a detail', () => {
  const lines = linesOf(viewToMermaid(detail(lamp, ['on']), { direction: 'LR' }))

  it.each([
    ['the direction', 'direction LR'],
    ['where it begins', '[*] --> lamp_on_dim'],
    ['its states by their own names', 'state "dim" as lamp_on_dim'],
    ['states elsewhere by their paths', 'state "off" as lamp_off'],
    [
      'causes under one guard on one line',
      'lamp_on_bright --> lamp_on_dim : lamp.turned, lamp.aged [isDark]',
    ],
    ['what leads in from elsewhere', 'lamp_off --> lamp_on_bright : lamp.held [isDark]'],
    ['what leads out', 'lamp_on_dim --> lamp_broken : lamp.dropped [isLate]'],
    ['what leads in from any state', 'lamp__any --> lamp_on_bright : lamp.kicked'],
    ['what the state does wherever it is', 'lamp_on__any --> lamp_off : [isLate]'],
    ['a new beginning that does something', 'lamp_on__any --> lamp_on_dim : lamp.reset'],
    ['reactions of the state', 'lamp_on__any : lamp.touched / hum'],
    ['reactions of its children', 'lamp_on_bright : lamp.warned / hum'],
  ])('draws %s', (_, line) => {
    expect(lines).toContain(line)
  })

  it('leaves out timers that are only set anew', () => {
    expect(lines.join()).not.toContain('patience')
  })

  it.each([['off'], ['nowhere'], ['on.dim']])('refuses %s, which has no inside', (path) => {
    expect(() => detail(lamp, path.split('.'))).toThrow(`Cannot draw ${path} from the inside`)
  })

  it('refuses a state whose states have states', () => {
    expect(() => detail(authMachine, ['refreshing'])).toThrow('Cannot draw refreshing from the inside')
    expect(() => detail(lamp, [])).toThrow('Cannot draw lamp from the inside')
  })
})

describe('the drawings of the auth chart', () => {
  const details = [['restoring'], ['authenticated'], ['refreshing', 'exchange'], ['refreshing', 'gate']]
  const views = [overview(authMachine), ...details.map((path) => detail(authMachine, path))]
    .map((view) => viewToMermaid(view))
    .join('\n')

  it('name every state', () => {
    const ids = [...toMermaid(authMachine).matchAll(/^ *state ".*" as (\S+)/gm)].map(([, id]) => id)
    expect(ids.length).toBeGreaterThan(20)
    // The parts of `refreshing` have a drawing each, and its third part has one state only.
    const missing = ids.filter((id) => !views.includes(`as ${id}\n`))
    expect(missing).toEqual([
      'auth_refreshing_exchange',
      'auth_refreshing_gate',
      'auth_refreshing_limits',
      'auth_refreshing_limits_watched',
    ])
  })
})

describe('the machine file', () => {
  const file = new URL('../../machines/auth.machine.ts', import.meta.url)

  it('gives the whole chart when it is pasted somewhere by itself', () => {
    // As Stately's tools do: types are taken out, and `xstate` is all there is to import.
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    })
    const exports: { authMachine?: AnyStateMachine } = {}
    const load = (name: string) => {
      if (name !== 'xstate') throw new Error(`${name} is not there`)
      return xstate
    }
    new Function('require', 'exports', outputText)(load, exports)
    expect(toMermaid(exports.authMachine!)).toBe(toMermaid(authMachine))
  })
})
