import type { Process, Rules, Store, World } from './world.ts'

/** Calls back with each world that one step leads to, and with the step in words. */
export type Emit = (words: string, world: World) => void

const clone = (world: World): World => structuredClone(world)

export function steps(before: World, rules: Rules, grace: boolean, emit: Emit): void {
  for (const number of before.processes.keys()) {
    const step = (words: string, change: (world: World, process: Process) => void) => {
      const world = clone(before)
      change(world, world.processes[number] as Process)
      emit(`${'ABC'[number]} ${words}`, world)
    }
    processSteps(before, number, rules, grace, step)
    faults(before, number, rules, step)
  }
  for (const past of ['past', 'pastRecord'] as const) {
    if (before.budget.fallbacks === 0) break
    const world = clone(before)
    world.budget.fallbacks--
    world.store = { ...structuredClone(world[past]), suspect: true }
    emit(`the database falls back (${past})`, world)
  }
  const { owner, lapsed } = before.store
  const isAbandoned =
    before.processes[owner]?.phase === 'idle' || before.processes[owner]?.phase === 'waiting'
  if (owner >= 0 && !lapsed && (isAbandoned || before.budget.lapses > 0)) {
    const world = clone(before)
    if (!isAbandoned) world.budget.lapses--
    world.store.lapsed = true
    emit('the lease ends', world)
  }
}

type Step = (words: string, change: (world: World, process: Process) => void) => void

/** What the database does, with the state before it remembered. */
function change(world: World, update: (store: Store) => void): void {
  world.past = structuredClone(world.store)
  update(world.store)
}

function processSteps(before: World, number: number, rules: Rules, grace: boolean, step: Step): void {
  const { store, server, budget } = before
  const process = before.processes[number] as Process
  const isHolder = store.owner === number && store.fence === process.fence
  switch (process.phase) {
    case 'idle':
      if (budget.refreshes > 0)
        step('wants a new token', (world, own) => {
          world.budget.refreshes--
          own.phase = 'waiting'
        })
      // It looks at the database now and then.
      if (rules.writeBack && process.held > store.record && process.held > 0)
        step('writes back what the database has lost', (world, own) => writeTokens(world, rules, own.held))
      break
    case 'waiting': {
      const isFree = store.owner < 0 || store.lapsed || store.owner === number
      const isMarked = rules.mark && store.mark !== null && store.mark.by !== number
      const isAwaited = rules.sameMark ? store.mark?.at === process.awaited : process.awaited > 0
      if (isFree && (!isMarked || isAwaited))
        step('gets the turn', (world, own) => {
          change(world, (stored) => {
            stored.fence++
            stored.owner = number
            stored.lapsed = false
          })
          own.fence = world.store.fence
          own.phase = store.suspect && rules.writeBack ? 'asking' : 'granted'
          own.awaited = 0
        })
      break
    }
    case 'asking':
      if (rules.saysPresented && before.processes.some(isAnswerDue)) break
      step('has asked the others', (world, own) => {
        const most = Math.max(...world.processes.map(({ held }) => held))
        if (most > world.store.record) writeTokens(world, rules, most)
        own.phase = 'granted'
      })
      break
    case 'granted':
      if (!rules.reread) {
        step('goes on with what it knew', (_, own) => {
          own.phase = 'ready'
        })
        break
      }
      step('reads the record', (world, own) => {
        // It holds newer tokens than are stored: the database has lost them.
        if (rules.writeBack && own.held > world.store.record) writeTokens(world, rules, own.held)
        const isNews = world.store.record > own.held && own.held > 0
        own.held = rules.writeBack ? Math.max(own.held, world.store.record) : world.store.record
        if (isNews) leave(world, number, true)
        else own.phase = 'ready'
      })
      break
    case 'ready': {
      const isOverdue = rules.fence && (!isHolder || (rules.reread && store.record > process.held))
      step(isOverdue ? 'has lost the turn' : 'marks its token as presented', (world, own) => {
        if (isOverdue) {
          own.phase = 'waiting'
          return
        }
        change(world, (stored) => {
          if (rules.mark) stored.mark = { rotation: own.held, by: number, at: ++world.marks }
          if (isHolder) stored.lapsed = false
        })
        own.phase = 'presented'
      })
      break
    }
    case 'presented': {
      // The last look, by its own clock, in the same step that sends.
      const holds = !rules.fence || (isHolder && !store.lapsed)
      step(holds ? 'sends its refresh token' : 'sees that its lease has ended', (world, own) => {
        if (!holds) {
          own.phase = 'waiting'
          return
        }
        own.phase = 'sent'
        if (own.held === world.server.newest) {
          world.server.newest++
          own.answer = world.server.newest
        } else if (grace && own.held === world.server.newest - 1) own.answer = world.server.newest
        else {
          world.server.active = false
          own.answer = 0
        }
      })
      break
    }
    case 'sent':
      if (server.active)
        step('gets the answer', (_, own) => {
          own.held = Math.max(own.held, own.answer)
          own.phase = 'answered'
        })
      break
    case 'answered':
      step('stores the answer', (world, own) => {
        writeTokens(world, rules, own.answer)
        own.answer = 0
        leave(world, number, false)
      })
      break
  }
}

/** `replace`: removes the mark of older tokens as well. */
function writeTokens(world: World, rules: Rules, tokens: number): void {
  if (rules.compare && world.store.record >= tokens) return
  world.pastRecord = structuredClone(world.store)
  change(world, (store) => {
    store.record = tokens
    store.suspect = false
    if (store.mark && store.mark.rotation < tokens) store.mark = null
  })
}

/** Ends the turn. */
function leave(world: World, number: number, isSettled: boolean): void {
  const own = world.processes[number] as Process
  own.phase = 'idle'
  if (world.store.owner !== number || world.store.fence !== own.fence) return
  change(world, (store) => {
    store.owner = -1
    store.lapsed = false
    if (isSettled && store.mark?.by === number) store.mark = null
  })
}

function faults(before: World, number: number, rules: Rules, step: Step): void {
  const { store, budget } = before
  const process = before.processes[number] as Process
  if (budget.crashes > 0)
    step('is killed, and starts again', (world, own) => {
      world.budget.crashes--
      if (isAnswerDue(own)) world.answerLost = true
      Object.assign(own, { phase: 'idle', held: 0, answer: 0, awaited: 0 })
    })
  const { mark } = store
  if (process.phase !== 'waiting' || !mark || mark.by === number || process.awaited === mark.at) return
  const isDue = isAnswerDue(before.processes[mark.by] as Process)
  // A process that is awake long enough sees the answer of one that is: only a process that is gone gives none. By the clock
  // alone, both may have been stopped all the time.
  if (!isDue || !rules.awake)
    step('has awaited the answer long enough', (_, own) => {
      own.awaited = mark.at
    })
  else if (budget.longStops > 0)
    step('has awaited the answer of a stopped process long enough', (world, own) => {
      world.budget.longStops--
      world.answerLost = true
      own.awaited = mark.at
    })
}

/** Whether a process has marked a token, and has not stored what came of it. */
function isAnswerDue({ phase }: Process): boolean {
  return phase === 'presented' || phase === 'sent' || phase === 'answered'
}
