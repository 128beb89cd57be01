import type { Environment, EnvironmentSignal } from 'authchart'
import { describe, expect, it } from 'vitest'
import { createPluggedEnvironment } from '../../visualizations/playground/page/environment.ts'

const KINDS = ['online', 'offline', 'visible', 'wake'] as const

/** A browser whose network a test switches. */
function createBrowser() {
  const listeners = new Set<{ kind: EnvironmentSignal; listener: () => void }>()
  const browser = {
    isOnline: true,
    listening: () => listeners.size,
    tell(kind: EnvironmentSignal) {
      for (const entry of listeners) if (entry.kind === kind) entry.listener()
    },
  }
  const environment: Environment = {
    online: () => browser.isOnline,
    subscribe(kind, listener) {
      const entry = { kind, listener }
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
  }
  return { ...browser, browser, environment }
}

function createPlugged() {
  const { browser, environment } = createBrowser()
  const plugged = createPluggedEnvironment(environment)
  const heard: EnvironmentSignal[] = []
  const stops = KINDS.map((kind) => plugged.subscribe(kind, () => heard.push(kind)))
  return { browser, plugged, heard, stop: () => stops.forEach((stop) => void stop()) }
}

describe('an environment with a plug', () => {
  it('passes on what the browser tells', () => {
    const { browser, plugged, heard } = createPlugged()
    for (const kind of KINDS) browser.tell(kind)
    expect(heard).toEqual(KINDS)
    browser.isOnline = false
    expect(plugged.online()).toBe(false)
  })

  it('is offline while the plug is out, and tells once of each', () => {
    const { plugged, heard } = createPlugged()
    plugged.plug(false)
    plugged.plug(false)
    expect([plugged.online(), plugged.isPlugged]).toEqual([false, false])
    plugged.plug(true)
    plugged.plug(true)
    expect([plugged.online(), plugged.isPlugged]).toEqual([true, true])
    expect(heard).toEqual(['offline', 'online'])
  })

  it("tells nothing of the browser's network while the plug is out, and of all else", () => {
    const { browser, plugged, heard } = createPlugged()
    plugged.plug(false)
    for (const kind of KINDS) browser.tell(kind)
    expect(heard).toEqual(['offline', 'visible', 'wake'])
    expect(plugged.online()).toBe(false)
  })

  it('does not say that it is back while the browser is offline itself', () => {
    const { browser, plugged, heard } = createPlugged()
    plugged.plug(false)
    browser.isOnline = false
    plugged.plug(true)
    expect([plugged.online(), heard]).toEqual([false, ['offline']])
    browser.isOnline = true
    browser.tell('online')
    expect([plugged.online(), heard]).toEqual([true, ['offline', 'online']])
  })

  it('wakes', () => {
    const { plugged, heard } = createPlugged()
    plugged.wake()
    expect(heard).toEqual(['wake'])
  })

  it('tells who listens twice twice, and nobody who has stopped; nothing is left of them', () => {
    const { browser, plugged, heard, stop } = createPlugged()
    let times = 0
    const listener = () => {
      times += 1
    }
    const stops = [plugged.subscribe('wake', listener), plugged.subscribe('wake', listener)]
    plugged.wake()
    expect(times).toBe(2)
    stops[0]?.()
    plugged.wake()
    expect(times).toBe(3)
    stops[1]?.()
    stop()
    plugged.wake()
    plugged.plug(false)
    expect([times, heard, browser.listening()]).toEqual([3, ['wake', 'wake'], 0])
  })

  it('lets a listener stop itself and another one while it is told', () => {
    const { plugged } = createPlugged()
    const told: string[] = []
    const stops: (() => void)[] = []
    stops.push(
      plugged.subscribe('wake', () => {
        told.push('first')
        for (const stop of stops) stop()
      }),
    )
    stops.push(plugged.subscribe('wake', () => told.push('second')))
    plugged.wake()
    plugged.wake()
    expect(told).toEqual(['first'])
  })
})
