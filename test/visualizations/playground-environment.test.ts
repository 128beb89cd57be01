import type { Environment, EnvironmentSignal } from 'authchart'
import { describe, expect, it } from 'vitest'
import { createPluggedEnvironment } from '../../visualizations/playground/page/environment.ts'

const KINDS = ['online', 'offline', 'visible', 'wake'] as const

/** Creates the environment of a browser. Tests switch its network and emit its signals. */
function createBrowser() {
  const listeners = new Set<{ kind: EnvironmentSignal; listener: () => void }>()
  const browser = {
    isOnline: true,
    listening: () => listeners.size,
    emit(kind: EnvironmentSignal) {
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
  const received: EnvironmentSignal[] = []
  const stops = KINDS.map((kind) => plugged.subscribe(kind, () => received.push(kind)))
  return { browser, plugged, received, stop: () => stops.forEach((stop) => void stop()) }
}

describe('createPluggedEnvironment', () => {
  it('passes on the signals of the browser', () => {
    const { browser, plugged, received } = createPlugged()
    for (const kind of KINDS) browser.emit(kind)
    expect(received).toEqual(KINDS)
    browser.isOnline = false
    expect(plugged.online()).toBe(false)
  })

  it('is offline while the plug is out, and emits each change once', () => {
    const { plugged, received } = createPlugged()
    plugged.plug(false)
    plugged.plug(false)
    expect([plugged.online(), plugged.isPlugged]).toEqual([false, false])
    plugged.plug(true)
    plugged.plug(true)
    expect([plugged.online(), plugged.isPlugged]).toEqual([true, true])
    expect(received).toEqual(['offline', 'online'])
  })

  it('ignores the network of the browser while the plug is out, but not its other signals', () => {
    const { browser, plugged, received } = createPlugged()
    plugged.plug(false)
    for (const kind of KINDS) browser.emit(kind)
    expect(received).toEqual(['offline', 'visible', 'wake'])
    expect(plugged.online()).toBe(false)
  })

  it('does not emit online while the browser itself is offline', () => {
    const { browser, plugged, received } = createPlugged()
    plugged.plug(false)
    browser.isOnline = false
    plugged.plug(true)
    expect([plugged.online(), received]).toEqual([false, ['offline']])
    browser.isOnline = true
    browser.emit('online')
    expect([plugged.online(), received]).toEqual([true, ['offline', 'online']])
  })

  it('emits wake', () => {
    const { plugged, received } = createPlugged()
    plugged.wake()
    expect(received).toEqual(['wake'])
  })

  it('notifies each subscription of the same listener, and none after it was stopped', () => {
    const { browser, plugged, received, stop } = createPlugged()
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
    expect([times, received, browser.listening()]).toEqual([3, ['wake', 'wake'], 0])
  })

  it('lets a listener stop itself and another one during a signal', () => {
    const { plugged } = createPlugged()
    const notified: string[] = []
    const stops: (() => void)[] = []
    stops.push(
      plugged.subscribe('wake', () => {
        notified.push('first')
        for (const stop of stops) stop()
      }),
    )
    stops.push(plugged.subscribe('wake', () => notified.push('second')))
    plugged.wake()
    plugged.wake()
    expect(notified).toEqual(['first'])
  })
})
